import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Lease, Leases } from '../../backplane/leases.ts';
import { notice } from './notice.ts';
import { Refused, refuse, replies } from './replies.ts';

export interface NodesOptions {
  /** Every process that stands in the cluster; undefined where that is not known now. */
  readonly nodes: () => readonly Lease[] | undefined;
  readonly order: Leases['order'];
}

const unknown = 'null: the node is of a version that does not tell';

export const node = z
  .object({
    id: z.string(),
    processes: z
      .int()
      .describe(
        'Living processes of that name. Where they are several, the figures are of all of them and an order is for all; each needs a NODE_ID of its own.',
      ),
    region: z.string().nullable().describe(unknown),
    version: z.string().nullable(),
    connections: z.int(),
    connections_max: z.int().nullable(),
    peers: z.int().nullable(),
    rooms: z.int().nullable().describe('Rooms that the node hosts; a room counts on each of its nodes.'),
    messages_per_second: z.number().nullable().describe('Requests answered, since the last beat.'),
    event_loop_delay_ms: z.number().nullable().describe('The worst since the last beat.'),
    draining: z.boolean().nullable(),
    admitting: z.boolean().describe('It takes new connections.'),
    uptime_s: z.int().nullable(),
  })
  .meta({ id: 'Node' });

const drainReply = z.object({
  ok: z.literal(true),
  node: z.string(),
  drain: z.boolean(),
  text: z.string().optional(),
});
const params = z.object({ id: z.string() });

/**
 * The cluster's nodes, and orders to them. An order may be given at any node: it is left on the backplane, where the
 * node that it is for reads it at its next beat (rule C8).
 */
export const nodeRoutes: FastifyPluginAsyncZod<NodesOptions> = async (server, options) => {
  server.get(
    '/nodes',
    {
      schema: {
        summary: 'Every node of the cluster, as it told of itself with its last beat',
        response: replies(200, z.object({ ok: z.literal(true), nodes: z.array(node) })),
      },
    },
    async () => {
      const leases = options.nodes() ?? refuse('unavailable');
      const byId = Map.groupBy(leases.flatMap(nodeFrom), ({ id }) => id);
      return { ok: true as const, nodes: [...byId.values()].map((each) => each.reduce(together)) };
    },
  );

  server.post(
    '/nodes/:id/drain',
    {
      schema: {
        summary: 'Orders a node to send its clients to the others',
        params,
        body: z.strictObject({ text: notice.optional().describe('For the people who are sent away.') }),
        response: replies(202, drainReply, 404),
      },
    },
    async (request, reply) => {
      const { text } = request.body;
      const order = { drain: true, ...(text === undefined ? {} : { text }) };
      request.deed = { action: 'node_drain', target: request.params.id, text_chars: text?.length ?? 0 };
      await give(request.params.id, order);
      return reply.code(202).send({ ok: true, node: request.params.id, ...order });
    },
  );

  server.delete(
    '/nodes/:id/drain',
    { schema: { summary: 'Undoes that order', params, response: replies(202, drainReply, 404) } },
    async (request, reply) => {
      request.deed = { action: 'node_undrain', target: request.params.id };
      await give(request.params.id, { drain: false });
      return reply.code(202).send({ ok: true, node: request.params.id, drain: false });
    },
  );

  async function give(id: string, order: Parameters<Leases['order']>[1]): Promise<void> {
    const ordered = await options.order(id, order);
    if (ordered.ok) return;
    if (ordered.code === 'unavailable') refuse('unavailable');
    throw new Refused('node_not_found', `No node named ${id} is alive in this cluster.`);
  }
};

/** None before its first beat. */
function nodeFrom({ nodeId, load }: Lease): z.input<typeof node>[] {
  if (load === undefined) return [];
  const { report = {} } = load;
  return [
    {
      id: nodeId,
      processes: 1,
      region: report.region ?? null,
      version: report.version ?? null,
      connections: load.connections,
      connections_max: report.connectionsMax ?? null,
      peers: report.peers ?? null,
      rooms: report.rooms ?? null,
      messages_per_second: report.messagesPerSecond ?? null,
      event_loop_delay_ms: report.eventLoopDelayMs ?? null,
      draining: report.isDraining ?? null,
      admitting: load.isAdmitting,
      uptime_s: report.uptimeS ?? null,
    },
  ];
}

/** Two processes under one name, as one node. */
function together(one: z.input<typeof node>, other: z.input<typeof node>): z.input<typeof node> {
  const sum = (of: 'connections_max' | 'peers' | 'rooms' | 'messages_per_second') =>
    one[of] === null || other[of] === null ? null : one[of] + other[of];
  return {
    ...one,
    processes: one.processes + other.processes,
    connections: one.connections + other.connections,
    connections_max: sum('connections_max'),
    peers: sum('peers'),
    rooms: sum('rooms'),
    messages_per_second: sum('messages_per_second'),
    event_loop_delay_ms: Math.max(one.event_loop_delay_ms ?? 0, other.event_loop_delay_ms ?? 0),
    admitting: one.admitting || other.admitting,
  };
}
