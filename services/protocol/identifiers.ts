import { z } from 'zod';
import {
  ID_CHARS_MAX,
  PEER_NAME_CHARS_MAX,
  RESUME_TOKEN_CHARS_MAX,
  ROOM_NAME_CHARS_MAX,
  TOPIC_CHARS_MAX,
} from './limits.ts';
import { isDisplayName, parseRoomAddress, type RoomAddress, withoutDirections } from './names.ts';

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

export const roomAddress = z.string().transform((text, context): RoomAddress => {
  const address = parseRoomAddress(text);
  if (address !== undefined) return address;
  context.addIssue({
    code: 'custom',
    message: `must be 1 to ${ROOM_NAME_CHARS_MAX} NFC characters without control characters, { } or @ (joiners only between letters or emoji), optionally followed by @region`,
  });
  return z.NEVER;
});

/** A name that people see: not unique, and read in its own direction alone. */
export const displayName = z
  .string()
  .overwrite(withoutDirections)
  .refine(isDisplayName, `must be at most ${PEER_NAME_CHARS_MAX} characters`);

export const topic = z
  .string()
  .regex(new RegExp(`^[A-Za-z0-9_.-]{1,${TOPIC_CHARS_MAX}}$`), 'must be 1 to 64 of A-Z a-z 0-9 _ . -');

/** What a join's reply hands out; whether it is one of ours, the node finds out. */
export const resumeToken = z.string().min(1).max(RESUME_TOKEN_CHARS_MAX, 'is longer than any resume token');
