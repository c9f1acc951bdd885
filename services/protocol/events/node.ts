import { z } from 'zod';
import { announcementId, peerId } from '../identifiers.ts';

export const REMOVED_REASONS = ['kicked', 'banned', 'closed', 'token_expired', 'replaced'] as const;
export type RemovedReason = (typeof REMOVED_REASONS)[number];

export const ANNOUNCEMENT_LEVELS = ['info', 'warning'] as const;

/** What a node says of itself, and operators to people; none of it comes from a room's log. */
export const nodeEvents = {
  /** On connection; need not be awaited. */
  welcome: z.object({ node: z.string(), region: z.string(), protocol: z.literal(1) }),
  /**
   * The last event of a connection, which the node then closes. `replaced`: the session continues on a newer
   * connection; every other reason: it is over. `by`: the member who did it.
   */
  removed: z.object({ reason: z.enum(REMOVED_REASONS), by: peerId.optional() }),
  /** Open a new connection, resume there, then close this one. Both times in milliseconds from receipt. */
  go_away: z.object({
    reason: z.enum(['drain', 'rebalance']),
    /** For people to read. */
    text: z.string().optional(),
    reconnect_after_ms: z.int(),
    deadline_ms: z.int(),
  }),
  /** An operator's words to people. May be lost, as nothing else of a node's is. */
  announcement: z.object({ id: announcementId, level: z.enum(ANNOUNCEMENT_LEVELS), text: z.string() }),
};
