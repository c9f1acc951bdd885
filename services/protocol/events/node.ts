import { z } from 'zod';

/** What a node says of itself, and to everyone; none of it comes from a room's log. */
export const nodeEvents = {
  /** On connection; need not be awaited. */
  welcome: z.object({ node: z.string(), region: z.string(), protocol: z.literal(1) }),
};
