import { parseRoomAddress } from '@fenghuo/protocol';
import type { Identity } from './identity.ts';
import { type RoomId, roomHome, roomName } from './room-id.ts';

/** Why a token was not taken: for metrics, and for the message that its bearer gets. */
export const TOKEN_FAULTS = [
  'missing',
  'too_long',
  'malformed',
  'algorithm',
  'unknown_key',
  'signature',
  'expired',
  'not_yet_valid',
  'issuer',
  'audience',
  'claims',
  'keys_unavailable',
] as const;
export type TokenFault = (typeof TOKEN_FAULTS)[number];

/** What became of a token. `message` names the claim that is wrong, never what is in it. */
export type Verified =
  | { readonly ok: true; readonly identity: Identity }
  | {
      readonly ok: false;
      /** `unavailable`: nobody can tell now, since the keys cannot be had; the bearer is not to blame. */
      readonly code: 'unauthorized' | 'unavailable';
      readonly fault: TokenFault;
      readonly message: string;
    };

/** Takes whatever the network brought. Never rejects, and takes a little over a second at most. */
export type VerifyToken = (token: unknown) => Promise<Verified>;

/** How far the clocks of who signs and who verifies may be apart. */
export const CLOCK_SKEW_MS = 30_000;

/** Time for a client that learns of the end by its own clock, or by a refusal, to fetch a fresh token and bring it. */
export const EXPIRY_GRACE_MS = 30_000;

export const TOKEN_EXPIRED = 'The token of this connection has expired; connect with a fresh one.';

/** Nothing is begun with it any more. */
export function isExpired({ expiresAtMs }: Identity, wallMs: number): boolean {
  return expiresAtMs !== undefined && wallMs >= expiresAtMs + CLOCK_SKEW_MS;
}

/** What was begun with it ends. */
export function isOverdue({ expiresAtMs }: Identity, wallMs: number): boolean {
  return expiresAtMs !== undefined && wallMs >= expiresAtMs + CLOCK_SKEW_MS + EXPIRY_GRACE_MS;
}

/** Whether a join of that name can come to a room that the token allows: before anybody is asked which room that is. */
export function allowsName({ rooms }: Identity, name: string): boolean {
  return rooms === undefined || rooms.some((text) => parseRoomAddress(text)?.name === name);
}

/**
 * A name without a home allows the room that a join of that name would come to. `isNamed`: that is this room; of the same
 * name there may be others, in other homes.
 */
export function allowsRoom({ rooms }: Identity, room: RoomId, isNamed: boolean): boolean {
  if (rooms === undefined) return true;
  return rooms.some((text) => {
    const address = parseRoomAddress(text);
    if (address === undefined || address.name !== roomName(room)) return false;
    return address.home === undefined ? isNamed : address.home === roomHome(room);
  });
}
