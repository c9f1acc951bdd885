import { z } from 'zod';
import { peerId } from '../identifiers.ts';

export const REMOVED_REASONS = ['kicked', 'banned', 'closed', 'token_expired', 'replaced'] as const;
export type RemovedReason = (typeof REMOVED_REASONS)[number];

/** What a node says of itself, and to everyone; none of it comes from a room's log. */
export const nodeEvents = {
  /** On connection; need not be awaited. */
  welcome: z.object({ node: z.string(), region: z.string(), protocol: z.literal(1) }),
  /**
   * The last event of a connection, which the node then closes. `replaced`: the session continues on a newer
   * connection.
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
};
