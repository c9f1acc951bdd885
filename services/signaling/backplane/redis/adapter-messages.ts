import { EVENTS, FRAME_BYTES_MAX } from '@fenghuo/protocol';
import { z } from 'zod';
import { SERVER_EVENTS, WITHIN } from '../backplane.ts';

/**
 * Nodes send each other two things through socket.io's adapter (`ClusterMessage` of socket.io-adapter). Ephemeral messages
 * go to one socket.io room, on that room's channel. Our server-side events go to all nodes, on the channel of all. The
 * adapter believes whatever arrives, so nothing else may.
 */

const BROADCAST = 3;
const SERVER_SIDE_EMIT = 9;
/** Type of an EVENT packet, Socket.IO protocol 5. */
const EVENT = 2;

const sender = { uid: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), nsp: z.literal('/') };
const socketRoom = z.string().min(1).max(256);

const broadcast = z.compile(
  z.strictObject({
    ...sender,
    type: z.literal(BROADCAST),
    data: z.strictObject({
      packet: z.strictObject({
        type: z.literal(EVENT),
        nsp: z.literal('/').optional(),
        data: z.tuple([z.literal('message'), EVENTS.message.omit({ seq: true }).strict()]),
      }),
      opts: z.strictObject({
        rooms: z.tuple([socketRoom]),
        except: z.array(z.string().max(64)).max(1),
        flags: z.strictObject({}).optional(),
      }),
    }),
  }),
);

const serverSideEmit = z.strictObject({
  ...sender,
  type: z.literal(SERVER_SIDE_EMIT),
  data: z.strictObject({ packet: z.tuple([z.enum(SERVER_EVENTS), z.record(z.string(), z.unknown())]) }),
});

/** A request of `MESSAGE_BYTES_MAX` at most, whose numbers may be longer as JSON than they came. */
const MESSAGE_BYTES_MAX = 2 * FRAME_BYTES_MAX;
const OPENING_BRACE = 0x7b;

/** Whether a message is one of ours, and for the channel on which it came: `room`: that of a socket.io room, or of all. */
export function isOurs(message: Buffer, room: string | undefined): boolean {
  const parsed = jsonOf(message);
  if (room === undefined) return serverSideEmit.safeParse(parsed).success;
  const { success, data } = broadcast.safeParse(parsed);
  return success && wholeOf(data.data.opts.rooms[0]) === room;
}

function jsonOf(message: Buffer): unknown {
  // MessagePack is for binary, which our requests do not hold.
  if (message[0] !== OPENING_BRACE || message.length > MESSAGE_BYTES_MAX) return undefined;
  try {
    return JSON.parse(message.toString());
  } catch {
    return undefined;
  }
}

/** The room that a part of it is within. */
export function wholeOf(room: string): string {
  return room.split(WITHIN, 1)[0] ?? room;
}
