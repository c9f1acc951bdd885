import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ENTRY_ID, type Journal } from '../../backplane/journal.ts';
import { refuse, replies } from './replies.ts';

export interface EventsOptions {
  readonly journal: Pick<Journal, 'readAfter'>;
}

const EVENTS_AT_ONCE = 200;

export const journalEntry = z
  .object({ id: z.string(), at: z.iso.datetime(), node: z.string(), event: z.string() })
  .catchall(z.union([z.string(), z.number(), z.boolean()]))
  .meta({ id: 'Event' });

/** What operators did and what became of nodes, from every node of the cluster. */
export const eventRoutes: FastifyPluginAsyncZod<EventsOptions> = async (server, { journal }) => {
  server.get(
    '/events',
    {
      schema: {
        summary: 'The newest events of the cluster, the oldest of them first',
        description: `At most ${EVENTS_AT_ONCE} at once. Ask again with after=last_id for those that follow.`,
        querystring: z.object({
          after: z.string().regex(ENTRY_ID, 'must be the id of an event, or 0-0').optional(),
        }),
        response: replies(
          200,
          z.object({ ok: z.literal(true), events: z.array(journalEntry), last_id: z.string() }),
        ),
      },
    },
    async ({ query: { after } }) => {
      const read = await journal.readAfter(after, EVENTS_AT_ONCE);
      if (!read.ok) return refuse(read.code);
      // What another version wrote and this one does not understand is passed over.
      const events = read.value.flatMap((entry) => journalEntry.safeParse(entry).data ?? []);
      return { ok: true as const, events, last_id: read.value.at(-1)?.id ?? after ?? '0-0' };
    },
  );
};
