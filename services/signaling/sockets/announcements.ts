import { randomUUID } from 'node:crypto';
import { EVENTS, type Events, ID_PATTERN } from '@fenghuo/protocol';
import type { Server } from 'socket.io';
import { z } from 'zod';
import { SERVER_EVENTS } from '../backplane/backplane.ts';
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

/** Of more processes no answer is counted. */
const ANSWERS_MAX = 4_096;

/** The answer goes to all, and is the asker's business alone. */
const [TELL, TOLD] = SERVER_EVENTS;

const name = z.string().regex(ID_PATTERN);
const audience = z
  .union([
    z.object({ region: name }),
    z.object({ node: name }),
    z.object({
      room: z
        .string()
        .max(512)
        .transform((room) => room as RoomId),
    }),
  ])
  .optional();
const tellMessage = z.object({ announcement: EVENTS.announcement, to: audience });
const toldMessage = z.object({
  id: z.string().regex(ID_PATTERN),
  node: name,
  /** Its answer may ring twice, and two processes may bear its name while it is started anew. */
  process: z.uuid(),
  connections: z.int().min(0),
});
type Told = z.infer<typeof toldMessage>;

type Answer = Omit<Told, 'id'>;

/** Over the socket.io adapter: what may be lost by nature (a node that hangs keeps nobody waiting). */
export function openAnnouncer(
  io: Server,
  self: { readonly node: string; readonly region: string },
): Announcer {
  const process = randomUUID();
  const asked = new Map<string, (answer: Answer) => void>();
  const told = new Set<string>();

  /** What came of it on this node; undefined: it is none of the audience, or was told before. */
  function tell(announcement: Announcement, to: Audience): Answer | undefined {
    if (told.has(announcement.id) || !isConcerned(self, to)) return undefined;
    told.add(announcement.id);
    for (const oldest of told) if (told.size > TOLD_MAX) told.delete(oldest);
    return { node: self.node, process, connections: emitHere(io, announcement, to) };
  }

  io.on(TELL, (message: unknown) => {
    const parsed = tellMessage.safeParse(message);
    // Of another version than this one.
    if (!parsed.success) return;
    const { announcement, to } = parsed.data;
    const answer = tell(announcement, to);
    if (answer !== undefined) io.serverSideEmit(TOLD, { ...answer, id: announcement.id } satisfies Told);
  });
  io.on(TOLD, (message: unknown) => {
    const parsed = toldMessage.safeParse(message);
    if (parsed.success) asked.get(parsed.data.id)?.(parsed.data);
  });

  return {
    async announce(announcement, to, expected) {
      const answers = new Map<string, Answer>();
      const missing = new Set(expected);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ANSWERS_WITHIN_MS);
        const take = (answer: Answer) => {
          if (answers.size >= ANSWERS_MAX && !answers.has(answer.process)) return;
          answers.set(answer.process, answer);
          missing.delete(answer.node);
          if (missing.size === 0) resolve();
        };
        asked.set(announcement.id, take);
        io.serverSideEmit(TELL, { announcement, to });
        const own = tell(announcement, to);
        if (own !== undefined) take(own);
        else if (missing.size === 0) resolve();
      });
      clearTimeout(timer);
      asked.delete(announcement.id);
      return { nodes: byNode([...answers.values()]), silent: [...missing] };
    },
  };
}

/** Tells this node's part of the audience, and how many that are. */
function emitHere(io: Server, announcement: Announcement, to: Audience): number {
  const { sockets, adapter } = io.of('/');
  if (to === undefined || !('room' in to)) {
    io.local.emit('announcement', announcement);
    return sockets.size;
  }
  const room = everyoneIn(to.room);
  io.local.to(room).emit('announcement', announcement);
  return adapter.rooms.get(room)?.size ?? 0;
}

function byNode(answers: readonly Answer[]): Heard['nodes'] {
  const nodes = new Map<string, number>();
  for (const { node, connections } of answers) nodes.set(node, (nodes.get(node) ?? 0) + connections);
  return [...nodes].map(([id, connections]) => ({ id, connections }));
}

function isConcerned(self: { readonly node: string; readonly region: string }, to: Audience): boolean {
  if (to === undefined || 'room' in to) return true;
  return 'node' in to ? to.node === self.node : to.region === self.region;
}
