import { z } from 'zod';
import { displayName, requestId } from '../identifiers.ts';
import { metadata } from '../json.ts';
import type { Peer } from '../peer.ts';

/** Changes one's own name or metadata (which is replaced whole), or brings a fresh token. */
export const updateRequest = z.object({
  id: requestId,
  name: displayName.optional(),
  metadata: metadata.optional(),
  token: z.string().optional(),
});
export type UpdateRequest = z.infer<typeof updateRequest>;

export interface UpdateReply {
  readonly peer: Peer;
}
