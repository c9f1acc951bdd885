import { createHmac } from 'node:crypto';
import type { IceServer } from '@fenghuo/protocol';

export interface IceSettings {
  readonly stunUrls: readonly string[];
  readonly turnUrls: readonly string[];
  /** The one that signs; who is about to follow it is known to the TURN servers alone. */
  readonly turnSecret: string | undefined;
  readonly turnTtlS: number;
}

/**
 * What a client gives its RTCPeerConnection. TURN credentials are those of the coturn REST scheme
 * (draft-uberti-behave-turn-rest-00, 2.2): good for TURN_TTL_S, checked by the TURN server without asking anybody.
 * `user` shows in the TURN server's log, so it is no person's name.
 */
export function iceServersFor(settings: IceSettings, user: string, wallMs: number): readonly IceServer[] {
  const { stunUrls, turnUrls, turnSecret, turnTtlS } = settings;
  const servers: IceServer[] = stunUrls.length === 0 ? [] : [{ urls: stunUrls }];
  if (turnUrls.length === 0 || turnSecret === undefined) return servers;
  const username = `${Math.floor(wallMs / 1_000) + turnTtlS}:${user}`;
  const credential = createHmac('sha1', turnSecret).update(username).digest('base64');
  return [...servers, { urls: turnUrls, username, credential }];
}
