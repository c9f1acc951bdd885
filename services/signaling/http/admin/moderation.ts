import { json, type Moderation, moderation, peerId, topic } from '@fenghuo/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RoomLog } from '../../backplane/room-log.ts';
import type { RoomId } from '../../domain/room-id.ts';
import { Refused, refuse, replies } from './replies.ts';
import { ROOM_ADDRESSES, roomOf } from './rooms.ts';

export interface ModerationOptions {
  readonly homes: readonly string[];
  readonly rooms: Pick<RoomLog, 'intervene' | 'send'>;
  /** Does something to a room while this node sees what becomes of it. */
  readonly watching: <Value>(room: RoomId, action: () => Promise<Value>) => Promise<Value>;
  readonly messageBytesMax: number;
}

const seqReply = z.object({ ok: z.literal(true), seq: z.int() });

/** What an operator does to a room and its peers, on whichever nodes they are: one step on the backplane. */
export const moderationRoutes: FastifyPluginAsyncZod<ModerationOptions> = async (server, options) => {
  const { rooms, watching } = options;

  for (const { url, schema } of ROOM_ADDRESSES) {
    server.post(
      `${url}/moderate`,
      {
        schema: {
          summary: 'Mutes, unmutes, kicks, bans, sets a role, locks, unlocks or closes',
          ...schema,
          body: moderation,
          response: replies(200, seqReply, 404),
        },
      },
      async (request) => {
        const room = roomOf(request, options.homes);
        const order = request.body;
        request.deed = { action: 'room_moderate', target: room, ...deedOf(order) };
        const done = await watching(room, () => rooms.intervene(room, order));
        return done.ok ? { ok: true as const, seq: done.value } : refuse(done.code);
      },
    );

    server.post(
      `${url}/messages`,
      {
        schema: {
          summary: 'Sends a message into a room, or to one peer, from "server"',
          ...schema,
          body: z.object({
            to: peerId.optional(),
            topic,
            data: json.describe('Any JSON.'),
          }),
          response: replies(200, seqReply, 404),
        },
      },
      async (request) => {
        const room = roomOf(request, options.homes);
        const { to, topic, data } = request.body;
        const body = JSON.stringify({ from: 'server', to, topic, data });
        const bytes = Buffer.byteLength(body);
        const whom = to === undefined ? {} : { peer: to };
        request.deed = { action: 'room_message', target: room, ...whom, topic, bytes };
        if (bytes > options.messageBytesMax)
          throw new Refused(
            'invalid_request',
            `The message is larger than ${options.messageBytesMax} bytes.`,
          );
        const sent = await rooms.send(room, { to, body });
        return sent.ok ? { ok: true as const, seq: sent.value } : refuse(sent.code);
      },
    );
  }
};

/** What was ordered, for the books: names and closed sets, not what was said of it. */
function deedOf(order: Moderation): Record<string, string> {
  const { action } = order;
  const peer = 'peer' in order ? { peer: order.peer } : {};
  const role = 'role' in order ? { role: order.role } : {};
  const kinds = 'kinds' in order ? { kinds: order.kinds.join(' ') } : {};
  return { order: action, ...peer, ...role, ...kinds };
}
