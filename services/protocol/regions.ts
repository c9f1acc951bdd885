import { z } from 'zod';

/** A web address under which clients enter a region; its query, if it has one, is for the load balancer in front. */
export const endpointUrl = z.string().regex(/^https?:\/\//);

/** A part of the cluster, as its nodes tell of it. */
export const regionEntry = z.object({
  name: z.string(),
  /** Where clients enter it from outside; empty where its nodes were not told. */
  endpoints: z.array(endpointUrl),
  /** How many of its nodes take new connections; 0: it stands, and is full or drains. */
  nodes: z.int().min(0),
});
export type RegionEntry = z.infer<typeof regionEntry>;

/** The reply to `GET /regions`. The asked node's own region comes first, the others by name. */
export const regionsReply = z.object({
  region: z.string(),
  node: z.string(),
  regions: z.array(regionEntry),
});
export type RegionsReply = z.infer<typeof regionsReply>;
