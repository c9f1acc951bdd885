import { type WireError, wireError } from '@fenghuo/protocol';
import type { Socket } from 'socket.io';
import { type Identity, NOBODY_KNOWN } from '../domain/identity.ts';
import { isOriginAllowed } from '../domain/origin.ts';
import type { Verified } from '../domain/token.ts';
import type { TooManyFailed, VerifyFrom } from '../requests/verify-from.ts';
import type { Place, Places } from './places.ts';

export interface Admission {
  /** None: pages of the node's own host name. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** None: the cluster is open, and a token counts for nothing. */
  readonly verifyToken: VerifyFrom | undefined;
  readonly places: Pick<Places, 'admit'>;
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

/** Decides a handshake, the cheapest questions first; what a token's keys take may be a second. */
export async function admit(
  handshake: Pick<Socket['handshake'], 'headers' | 'auth'>,
  place: Place,
  admission: Admission,
): Promise<Admitted> {
  const refusal = refusalOf(handshake.headers, place, admission);
  if (refusal !== undefined) return { ok: false, error: refusal };
  const { verifyToken } = admission;
  if (verifyToken === undefined) return { ok: true, identity: NOBODY_KNOWN };
  const verified = await verifyToken(place.network, handshake.auth.token);
  if (!verified.ok) return { ok: false, error: errorOf(verified) };
  // It may have been told to drain meanwhile.
  const late = refusalOf(handshake.headers, place, admission);
  return late === undefined ? verified : { ok: false, error: late };
}

function errorOf(verified: (Verified | TooManyFailed) & { ok: false }): WireError {
  const { code, message } = verified;
  const retryMs = { unauthorized: undefined, unavailable: jittered(KEYS_RETRY_MS) };
  return wireError(code, message, code === 'rate_limited' ? verified.retryMs : retryMs[code]);
}

/** `cors` does not guard WebSocket, so the origin is checked here. */
function refusalOf(
  { origin, host }: Socket['handshake']['headers'],
  place: Place,
  admission: Admission,
): WireError | undefined {
  if (!isOriginAllowed(origin, host, admission.allowedOrigins)) return wireError('origin_forbidden');
  if (admission.isDraining()) return wireError('draining', undefined, jittered(1_000));
  if (!admission.places.admit(place)) return wireError('node_full', undefined, jittered(5_000));
  return undefined;
}

/** Those who are refused together do not come back together. */
function jittered(ms: number): number {
  return Math.round(ms * (0.75 + Math.random() / 2));
}
