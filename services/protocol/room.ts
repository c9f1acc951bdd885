import { z } from 'zod';

/** A room's settings, as its members see them. `name` has no suffix; `home` is the region that holds it. */
export const room = z.object({
  name: z.string(),
  home: z.string(),
  locked: z.boolean(),
  peers_max: z.int(),
});
export type Room = z.infer<typeof room>;
