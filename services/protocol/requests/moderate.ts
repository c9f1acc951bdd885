import { z } from 'zod';
import { peerId, requestId } from '../identifiers.ts';
import { NOTICE_CHARS_MAX } from '../limits.ts';
import { KINDS, ROLES } from '../peer.ts';

/** Stands for every peer whose role is lower than one's own. */
export const EVERYONE_BELOW = '*';

const kinds = z.array(z.enum(KINDS)).min(1, 'must name at least one kind').max(KINDS.length);

/** For the people who keep the room's books; clients are not told. */
const reason = z.string().max(NOTICE_CHARS_MAX, `must be at most ${NOTICE_CHARS_MAX} characters`).optional();

/** What may be done to a room and its members, by those who stand above them. */
export const MODERATION = [
  z.object({
    action: z.enum(['mute', 'unmute']),
    peer: z.union([z.literal(EVERYONE_BELOW), peerId], 'must be a peer id or "*"'),
    kinds,
  }),
  z.object({ action: z.enum(['kick', 'ban']), peer: peerId, reason }),
  z.object({ action: z.literal('set_role'), peer: peerId, role: z.enum(ROLES) }),
  z.object({ action: z.enum(['lock', 'unlock', 'close']) }),
] as const;

export const moderation = z.discriminatedUnion('action', [...MODERATION]);
export type Moderation = z.infer<typeof moderation>;

const [mute, removal, setRole, roomWide] = MODERATION;
const id = { id: requestId };

/** A moderator's or host's order: enforced by the server, not asked of the client. */
export const moderateRequest = z.discriminatedUnion('action', [
  mute.extend(id),
  removal.extend(id),
  setRole.extend(id),
  roomWide.extend(id),
]);
export type ModerateRequest = z.infer<typeof moderateRequest>;

/** `seq`: from there on everyone in the room has it. */
export interface ModerateReply {
  readonly seq: number;
}
