import { type WireError, wireError } from '@fenghuo/protocol';
import type { Socket } from 'socket.io';
import { type Identity, NOBODY_KNOWN } from '../domain/identity.ts';
import { isOriginAllowed } from '../domain/origin.ts';
import type { VerifyToken } from '../domain/token.ts';

export interface Admission {
  /** None: pages of the node's own host name. */
  readonly allowedOrigins: readonly string[] | undefined;
  readonly connectionsMax: number;
  /** None: the cluster is open, and a token counts for nothing. */
  readonly verifyToken: VerifyToken | undefined;
  connections(): number;
  isDraining(): boolean;
}

/** A refused handshake: its `data` is the error object that the client gets with `connect_error`. */
export class HandshakeRefused extends Error {
  readonly data: WireError;
  constructor(error: WireError) {
    super(error.message);
    this.data = error;
  }
}

export type Admitted =
  | { readonly ok: true; readonly identity: Identity }
  | { readonly ok: false; readonly error: WireError };

const KEYS_RETRY_MS = 2_000;
/** An IPv6 address with a zone is shorter. */
const ADDRESS_CHARS_MAX = 64;

/** Decides a handshake, the cheapest questions first; what a token's keys take may be a second. Never rejects. */
export async function admit({ handshake }: Socket, admission: Admission): Promise<Admitted> {
  const refusal = refusalOf(handshake.headers, admission);
  if (refusal !== undefined) return { ok: false, error: refusal };
  const { verifyToken } = admission;
  if (verifyToken === undefined) return { ok: true, identity: NOBODY_KNOWN };
  const verified = await verifyToken((handshake.auth as { token?: unknown } | undefined)?.token);
  if (!verified.ok) {
    const { code, message } = verified;
    const retryMs = code === 'unavailable' ? jittered(KEYS_RETRY_MS) : undefined;
    return { ok: false, error: wireError(code, message, retryMs) };
  }
  // It may have been told to drain meanwhile.
  const late = refusalOf(handshake.headers, admission);
  return late === undefined ? verified : { ok: false, error: late };
}

/** `cors` does not guard WebSocket, so the origin is checked here. */
function refusalOf(
  { origin, host }: Socket['handshake']['headers'],
  admission: Admission,
): WireError | undefined {
  if (!isOriginAllowed(origin, host, admission.allowedOrigins)) return wireError('origin_forbidden');
  if (admission.isDraining()) return wireError('draining', undefined, jittered(1_000));
  if (admission.connections() > admission.connectionsMax)
    return wireError('node_full', undefined, jittered(5_000));
  return undefined;
}

/**
 * Where a connection comes from. A proxy adds whom it saw to the end of X-Forwarded-For; what stands before that came
 * with the request, and may say anything.
 */
export function addressOf(
  { address, headers }: Pick<Socket['handshake'], 'address' | 'headers'>,
  isBehindProxy: boolean,
): string {
  const forwarded = isBehindProxy ? String(headers['x-forwarded-for'] ?? '') : '';
  const last = forwarded.slice(forwarded.lastIndexOf(',') + 1).trim();
  return last === '' ? address : last.slice(0, ADDRESS_CHARS_MAX);
}

/** Those who are refused together do not come back together. */
function jittered(ms: number): number {
  return Math.round(ms * (0.75 + Math.random() / 2));
}
