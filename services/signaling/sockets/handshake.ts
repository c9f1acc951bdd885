import { type ErrorCode, wireError } from '@fenghuo/protocol';
import type { Socket } from 'socket.io';

export interface Admission {
  /** None: pages of the node's own host name. */
  readonly allowedOrigins: readonly string[] | undefined;
  readonly connectionsMax: number;
  connections(): number;
  isDraining(): boolean;
}

/** A refused handshake: its `data` is the error object that the client gets with `connect_error`. */
class HandshakeRefused extends Error {
  readonly data: ReturnType<typeof wireError>;
  constructor(code: ErrorCode, retryAfterMs?: number) {
    const data = wireError(code, undefined, retryAfterMs);
    super(data.message);
    this.data = data;
  }
}

/** Decides a handshake. `cors` does not guard WebSocket, so the origin is checked here. */
export function refusalOf(socket: Socket, admission: Admission): Error | undefined {
  const { origin, host } = socket.handshake.headers;
  if (!isOriginAllowed(origin, host, admission.allowedOrigins))
    return new HandshakeRefused('origin_forbidden');
  if (admission.isDraining()) return new HandshakeRefused('draining', jittered(1_000));
  if (admission.connections() > admission.connectionsMax)
    return new HandshakeRefused('node_full', jittered(5_000));
  return undefined;
}

/** Those who are refused together do not come back together. */
function jittered(ms: number): number {
  return Math.round(ms * (0.75 + Math.random() / 2));
}

/** Only browsers name an origin, and they name it truly; others are let in without one (RFC 6454, 7.3). */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[] | undefined,
): boolean {
  if (origin === undefined) return true;
  if (allowed !== undefined) return allowed.includes('*') || allowed.includes(origin);
  return host !== undefined && hostName(origin) === hostName(`http://${host}`);
}

function hostName(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
