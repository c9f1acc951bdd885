import { KINDS, parseRoomAddress, ROLES } from '@fenghuo/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Directory, type ListedRoom, ROOM_SORTS, type RoomSort } from '../../backplane/directory.ts';
import { listRooms } from '../../backplane/room-listing.ts';
import type { RoomLog, RoomSnapshot } from '../../backplane/room-log.ts';
import { type RoomId, resolveRoom, roomHome, roomName } from '../../domain/room-id.ts';
import { Refused, refuse, replies } from './replies.ts';

export interface RoomsOptions {
  readonly homes: readonly string[];
  readonly directory: Directory;
  readonly rooms: Pick<RoomLog, 'snapshot'>;
}

const LIMIT_MAX = 200;

export const listedRoom = z
  .object({
    id: z.string().describe('name@home'),
    name: z.string(),
    home: z.string(),
    locked: z.boolean(),
    peers_max: z.int(),
    peers: z.int(),
    connected: z.int().describe('Of the peers, those who have a connection now.'),
  })
  .meta({ id: 'Room' });

/** As members see it; the protocol's own schema checks what comes in. */
export const memberPeer = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    muted: z.array(z.enum(KINDS)),
    connected: z.boolean(),
    metadata: z.unknown(),
    joined_seq: z.int(),
    node: z.string(),
    region: z.string(),
  })
  .meta({ id: 'Peer' });

const cursor = z.string().transform((text, context): { sort: RoomSort; after: ListedRoom } => {
  const parsed = cursorContent.safeParse(decodeCursor(text));
  if (parsed.success) {
    const [sort, room, size] = parsed.data;
    return { sort, after: { room: room as RoomId, size } };
  }
  context.addIssue({ code: 'custom', message: 'is no next_cursor of a listing' });
  return z.NEVER;
});
const cursorContent = z.tuple([z.enum(ROOM_SORTS), z.string().max(512), z.int().min(0)]);

const listQuery = z.object({
  filter: z.string().max(128).default('').describe('A part of the name; any case of letters matches.'),
  sort: z.enum(ROOM_SORTS).default('size').describe('The largest first, or by name.'),
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(50),
  cursor: cursor.optional().describe('next_cursor of the page before; filter and sort must be the same.'),
});

const named = z.object({
  room: z.string().describe('name@home; where there is one home, its name suffices'),
});

/**
 * The two addresses of what concerns one room. No path holds `.` or `..`, encoded or not (WHATWG URL, 4.4): in the query
 * any name can stand.
 */
export const ROOM_ADDRESSES = [
  { url: '/rooms/:room', schema: { params: named } },
  { url: '/room', schema: { querystring: named } },
] as const;

/** The cluster's rooms, read from the backplane: no other node is asked. */
export const roomRoutes: FastifyPluginAsyncZod<RoomsOptions> = async (server, options) => {
  const { directory, rooms } = options;

  server.get(
    '/rooms',
    {
      schema: {
        summary: 'A page of the rooms of the cluster',
        description:
          'While there is a next_cursor there may be more, even where a page holds fewer rooms than its limit, or none. total counts all rooms, whatever the filter.',
        querystring: listQuery,
        response: replies(
          200,
          z.object({
            ok: z.literal(true),
            rooms: z.array(listedRoom),
            total: z.int(),
            silent_homes: z.array(z.string()).describe('Homes that did not answer: their rooms are missing.'),
            next_cursor: z.string().optional(),
          }),
        ),
      },
    },
    async ({ query }) => {
      const { filter, sort, limit, cursor } = query;
      if (cursor !== undefined && cursor.sort !== sort)
        throw new Refused('invalid_request', 'cursor: belongs to a listing of another sort');
      const listing = await listRooms(directory, { filter, sort, limit, after: cursor?.after });
      if (!listing.ok) return refuse(listing.code);
      const { total, silent, next } = listing.value;
      return {
        ok: true as const,
        rooms: listing.value.rooms.map(({ room, locked, peersMax, peers, connected }) => ({
          ...describe(room),
          locked,
          peers_max: peersMax,
          peers,
          connected,
        })),
        total,
        silent_homes: [...silent],
        ...(next === undefined ? {} : { next_cursor: encodeCursor(sort, next) }),
      };
    },
  );

  for (const { url, schema } of ROOM_ADDRESSES)
    server.get(
      url,
      {
        schema: {
          summary: 'A room and its peers',
          ...schema,
          response: replies(
            200,
            z.object({
              ok: z.literal(true),
              room: listedRoom,
              peers: z.array(memberPeer),
              seq: z.int(),
              epoch: z.int(),
            }),
            404,
          ),
        },
      },
      async (request) => {
        const room = roomOf(request, options.homes);
        const read = await rooms.snapshot(room);
        if (!read.ok) return refuse(read.code);
        return roomReply(room, read.value ?? refuse('room_not_found'));
      },
    );
};

/** The room of a request to one of ROOM_ADDRESSES. */
export function roomOf(
  { params, query }: { readonly params: unknown; readonly query: unknown },
  homes: readonly string[],
): RoomId {
  const { room } = { ...(query as object), ...(params as object) } as z.infer<typeof named>;
  return roomFrom(room, homes);
}

/** The room that an operator means. */
export function roomFrom(text: string, homes: readonly string[]): RoomId {
  const address = parseRoomAddress(text);
  const room = address === undefined ? undefined : resolveRoom(address, homes);
  if (room !== undefined) return room;
  const [rule, known] =
    homes.length > 1 ? ['name@home', homes.join(', ')] : ['a room name, or name@home', String(homes[0])];
  throw new Refused('invalid_request', `room: must be ${rule}; the homes of this cluster: ${known}`);
}

function describe(room: RoomId): { id: string; name: string; home: string } {
  return { id: room, name: roomName(room), home: roomHome(room) };
}

function roomReply(id: RoomId, { room, peers, seq, epoch }: RoomSnapshot) {
  const connected = peers.filter((peer) => peer.connected).length;
  const { locked, peers_max } = room;
  return {
    ok: true as const,
    room: { ...describe(id), locked, peers_max, peers: peers.length, connected },
    peers: [...peers],
    seq,
    epoch,
  };
}

function encodeCursor(sort: RoomSort, { room, size }: ListedRoom): string {
  return Buffer.from(JSON.stringify([sort, room, size])).toString('base64url');
}

function decodeCursor(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}
