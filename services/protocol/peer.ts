import { z } from 'zod';
import { peerId } from './identifiers.ts';
import { json } from './json.ts';

/** From the most to the least permitted; one acts only on lower roles. */
export const ROLES = ['host', 'moderator', 'speaker', 'listener'] as const;
export type Role = (typeof ROLES)[number];

export const KINDS = ['audio', 'video', 'message'] as const;
export type Kind = (typeof KINDS)[number];

/** A member of a room, as every other member sees it. */
export const peer = z.object({
  id: peerId,
  name: z.string(),
  role: z.enum(ROLES),
  /** The effective set: what the server refuses to relay from this peer. */
  muted: z.array(z.enum(KINDS)),
  /** False while the session is detached. */
  connected: z.boolean(),
  metadata: json,
  /** The seq at which the peer joined. Of two peers the one with the larger is the polite one. */
  joined_seq: z.int(),
  node: z.string(),
  region: z.string(),
});
export type Peer = z.infer<typeof peer>;
