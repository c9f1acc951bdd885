import { z } from 'zod';
import {
  ID_CHARS_MAX,
  PEER_NAME_CHARS_MAX,
  RESUME_TOKEN_CHARS_MAX,
  ROOM_NAME_CHARS_MAX,
  TOPIC_CHARS_MAX,
} from './limits.ts';

/** A peer's id: made by the server, stable for its whole session, never 20 characters long. */
export type PeerId = string & { readonly __brand: 'PeerId' };

/** Peer, node and announcement ids have this form. */
export const ID_PATTERN = new RegExp(`^[A-Za-z0-9_-]{1,${ID_CHARS_MAX}}$`);

export const peerId = z
  .string()
  .regex(ID_PATTERN, 'must be a peer id')
  .transform((id) => id as PeerId);

export const announcementId = z.string().regex(ID_PATTERN);

/** The number of a request within its session, from 1 without gaps. */
export const requestId = z.int().min(1, 'must be an integer from 1');

const ROOM_NAME = new RegExp(`^[^\\p{C}{}@]{1,${ROOM_NAME_CHARS_MAX}}$`, 'u');
const HOME_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** What a client may name: a room, or a room with the home that holds it (`name@region`). */
export interface RoomAddress {
  readonly name: string;
  readonly home?: string;
}

/** Reads `name` or `name@region`; undefined where the text is neither. */
export function parseRoomAddress(text: string): RoomAddress | undefined {
  const at = text.indexOf('@');
  const name = at < 0 ? text : text.slice(0, at);
  if (!ROOM_NAME.test(name) || name !== name.normalize('NFC')) return undefined;
  if (at < 0) return { name };
  const home = text.slice(at + 1);
  return HOME_NAME.test(home) ? { name, home } : undefined;
}

export const roomAddress = z.string().transform((text, context): RoomAddress => {
  const address = parseRoomAddress(text);
  if (address !== undefined) return address;
  context.addIssue({
    code: 'custom',
    message: `must be 1 to ${ROOM_NAME_CHARS_MAX} NFC characters without control characters, { } or @, optionally followed by @region`,
  });
  return z.NEVER;
});

/** A name that people see: not unique, counted in characters (Unicode code points). */
export const displayName = z
  .string()
  .refine(
    (name) => name.length <= PEER_NAME_CHARS_MAX * 2 && [...name].length <= PEER_NAME_CHARS_MAX,
    `must be at most ${PEER_NAME_CHARS_MAX} characters`,
  );

export const topic = z
  .string()
  .regex(new RegExp(`^[A-Za-z0-9_.-]{1,${TOPIC_CHARS_MAX}}$`), 'must be 1 to 64 of A-Z a-z 0-9 _ . -');

/** What a join's reply hands out; whether it is one of ours, the node finds out. */
export const resumeToken = z.string().min(1).max(RESUME_TOKEN_CHARS_MAX, 'is longer than any resume token');
