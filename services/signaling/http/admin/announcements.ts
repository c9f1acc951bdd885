import { randomBytes } from 'node:crypto';
import { ANNOUNCEMENT_LEVELS } from '@fenghuo/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Lease } from '../../backplane/leases.ts';
import type { Announcer, Audience } from '../../sockets/announcements.ts';
import { notice } from './notice.ts';
import { Refused, refuse, replies } from './replies.ts';
import { roomFrom } from './rooms.ts';

export interface AnnouncementsOptions {
  readonly homes: readonly string[];
  readonly nodes: () => readonly Lease[] | undefined;
  readonly announce: Announcer['announce'];
}

const audience = z.union(
  [
    z.strictObject({ region: z.string().min(1).max(64) }),
    z.strictObject({ node: z.string().min(1).max(64) }),
    z.strictObject({ room: z.string() }),
  ],
  'must be {region}, {node} or {room}',
);

/** Words for people, on their screens now: who is not connected does not get them later. */
export const announcementRoutes: FastifyPluginAsyncZod<AnnouncementsOptions> = async (server, options) => {
  server.post(
    '/announcements',
    {
      schema: {
        summary: 'Tells something to everyone, a region, a node or a room',
        description:
          'Waits at most a second. silent names the nodes that did not answer: whether their people got it is not known.',
        body: z.strictObject({
          level: z.enum(ANNOUNCEMENT_LEVELS),
          text: notice,
          to: audience.optional().describe('Absent: everyone.'),
        }),
        response: replies(
          200,
          z.object({
            ok: z.literal(true),
            id: z.string(),
            connections: z.int().describe('How many took it.'),
            nodes: z.array(z.object({ id: z.string(), connections: z.int() })),
            silent: z.array(z.string()),
          }),
          404,
        ),
      },
    },
    async (request) => {
      const { level, text } = request.body;
      const to = audienceFrom(request.body.to);
      const id = randomBytes(12).toString('base64url');
      request.deed = { action: 'announcement', id, level, text_chars: text.length, ...to };
      const expected = expectedOf(options.nodes() ?? refuse('unavailable'), to);
      if (to !== undefined && 'node' in to && expected.length === 0)
        throw new Refused('node_not_found', `No node named ${to.node} is alive in this cluster.`);
      const { nodes, silent } = await options.announce({ id, level, text }, to, expected);
      const connections = nodes.reduce((sum, each) => sum + each.connections, 0);
      return { ok: true as const, id, connections, nodes: [...nodes], silent: [...silent] };
    },
  );

  function audienceFrom(to: z.output<typeof audience> | undefined): Audience {
    return to !== undefined && 'room' in to ? { room: roomFrom(to.room, options.homes) } : to;
  }
};

/** The nodes from which an answer is due; those of which nobody knows where they stand are expected for everyone alone. */
function expectedOf(leases: readonly Lease[], to: Audience): string[] {
  const concerned = leases.filter(({ nodeId, load }) => {
    if (to === undefined || 'room' in to) return true;
    return 'node' in to ? nodeId === to.node : load?.report?.region === to.region;
  });
  return [...new Set(concerned.map(({ nodeId }) => nodeId))];
}
