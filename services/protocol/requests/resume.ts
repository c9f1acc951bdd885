import { z } from 'zod';
import { resumeToken } from '../identifiers.ts';
import type { Snapshot } from './join.ts';

/**
 * Continues a session on this connection, on whichever node it is. `seq` and `epoch` are the client's position;
 * `attempt` rises with every try within the session, so that a slow one cannot undo a newer one.
 */
export const resumeRequest = z.object({
  resume_token: resumeToken,
  seq: z.int().min(0, 'must be an integer from 0'),
  epoch: z.int().min(0, 'must be an integer from 0'),
  attempt: z.int().min(1, 'must be an integer from 1').optional(),
});
export type ResumeRequest = z.infer<typeof resumeRequest>;

/** `last_id` is the greatest request id that has its final answer. */
export type ResumeReply =
  /** The next `missed` events are those that came meanwhile, in order; live ones follow. */
  | { readonly recovered: true; readonly missed: number; readonly last_id: number }
  /** Some of what came meanwhile is not to be had any more: the snapshot replaces roster, seq and epoch. */
  | ({ readonly recovered: false; readonly last_id: number } & Snapshot);
