import { randomUUID } from 'node:crypto';
import { EVENTS, type Events, ID_PATTERN } from '@fenghuo/protocol';
import type { Server } from 'socket.io';
import { z } from 'zod';
import type { RoomId } from '../domain/room-id.ts';
import { everyoneIn } from './socket-connection.ts';

export type Announcement = Events['announcement'];

/** Who is to get it; undefined: everyone in the cluster. */
export type Audience = { region: string } | { node: string } | { room: RoomId } | undefined;

export interface Heard {
  /** The nodes of the audience that answered, each with how many of its connections took it. */
  readonly nodes: readonly { readonly id: string; readonly connections: number }[];
  /** Those that were expected to, and did not. */
  readonly silent: readonly string[];
}

export interface Announcer {
  /**
   * Tells an audience's connections, on all nodes. May be lost on the way to a node, which is then silent. Resolves once
   * the nodes that are expected have answered, within `ANSWERS_WITHIN_MS` in any case.
   */
  announce(announcement: Announcement, to: Audience, expected: readonly string[]): Promise<Heard>;
}

export const ANSWERS_WITHIN_MS = 1_000;
/** So many announcements are remembered, so that one that rings twice is told once. */
const TOLD_MAX = 256;

/** Between nodes: what is to be told, and what came of it. The answer goes to all, and is the asker's business alone. */
const TELL = 'fenghuo:announce';
const TOLD = 'fenghuo:announced';

const audience = z
  .union([
    z.object({ region: z.string() }),
    z.object({ node: z.string() }),
    z.object({ room: z.string().transform((room) => room as RoomId) }),
  ])
  .optional();
const tellMessage = z.object({ announcement: EVENTS.announcement, to: audience });
const toldMessage = z.object({
  id: z.string().regex(ID_PATTERN),
  node: z.string(),
  /** Its answer may ring twice, and two processes may bear its name while it is started anew. */
  process: z.string(),
  connections: z.int().min(0),
});
type Told = z.infer<typeof toldMessage>;

/** Over the socket.io adapter: what may be lost by nature (a node that hangs keeps nobody waiting). */
export function openAnnouncer(
  io: Server,
  self: { readonly node: string; readonly region: string },
): Announcer {
  const process = randomUUID();
  const asked = new Map<string, (told: Told) => void>();
  const told = new Set<string>();

  /** How many connections of this node took it; undefined: it is none of the audience, or was told before. */
  function tell(announcement: Announcement, to: Audience): number | undefined {
    if (told.has(announcement.id) || !isConcerned(self, to)) return undefined;
    told.add(announcement.id);
    for (const oldest of told) if (told.size > TOLD_MAX) told.delete(oldest);
    const { rooms } = io.of('/').adapter;
    if (to === undefined || !('room' in to)) {
      io.local.emit('announcement', announcement);
      return io.of('/').sockets.size;
    }
    io.local.to(everyoneIn(to.room)).emit('announcement', announcement);
    return rooms.get(everyoneIn(to.room))?.size ?? 0;
  }

  io.on(TELL, (message: unknown) => {
    const parsed = tellMessage.safeParse(message);
    // Of another version than this one.
    if (!parsed.success) return;
    const { announcement, to } = parsed.data;
    const connections = tell(announcement, to);
    if (connections !== undefined)
      io.serverSideEmit(TOLD, { id: announcement.id, node: self.node, process, connections } satisfies Told);
  });
  io.on(TOLD, (message: unknown) => {
    const parsed = toldMessage.safeParse(message);
    if (parsed.success) asked.get(parsed.data.id)?.(parsed.data);
  });

  return {
    async announce(announcement, to, expected) {
      const answers = new Map<string, Omit<Told, 'id'>>();
      const missing = new Set(expected);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ANSWERS_WITHIN_MS);
        const take = (answer: Omit<Told, 'id'>) => {
          answers.set(answer.process, answer);
          missing.delete(answer.node);
          if (missing.size === 0) resolve();
        };
        asked.set(announcement.id, take);
        io.serverSideEmit(TELL, { announcement, to });
        const own = tell(announcement, to);
        if (own !== undefined) take({ node: self.node, process, connections: own });
        else if (missing.size === 0) resolve();
      });
      clearTimeout(timer);
      asked.delete(announcement.id);
      return { nodes: byNode([...answers.values()]), silent: [...missing] };
    },
  };
}

function byNode(answers: readonly Omit<Told, 'id'>[]): Heard['nodes'] {
  const nodes = new Map<string, number>();
  for (const { node, connections } of answers) nodes.set(node, (nodes.get(node) ?? 0) + connections);
  return [...nodes].map(([id, connections]) => ({ id, connections }));
}

function isConcerned(self: { readonly node: string; readonly region: string }, to: Audience): boolean {
  if (to === undefined || 'room' in to) return true;
  return 'node' in to ? to.node === self.node : to.region === self.region;
}
