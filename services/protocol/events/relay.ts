import { z } from 'zod';
import { peerId, topic } from '../identifiers.ts';
import { json } from '../json.ts';
import { candidate, description } from '../requests/signal.ts';

/** What one peer sent to another, or to all: from the room log, in order, each once. */
export const relayEvents = {
  /** To its target alone. */
  signal: z.object({
    seq: z.int(),
    from: peerId,
    description: description.optional(),
    candidate: candidate.nullable().optional(),
  }),
  /** To all but the sender (with `echo` to the sender too). Without seq it was ephemeral. */
  message: z.object({
    seq: z.int().optional(),
    from: peerId,
    to: peerId.optional(),
    topic,
    data: json,
  }),
};
