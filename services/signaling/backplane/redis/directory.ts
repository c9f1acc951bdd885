import { ok, refuse } from '../../domain/result.ts';
import { type RoomId, readRoomId } from '../../domain/room-id.ts';
import type { Directory, ListedRoom, RoomGlance } from '../directory.ts';
import type { OnMalformed } from '../malformed.ts';
import { type RunRoomScript, type RunScript, withDeadline } from './commands.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';
import { countIn, reading, textsIn } from './replies.ts';

/** Two sorted sets of the home, one by size and one by name; no script of a room may touch them on a Cluster. */
export function redisDirectory({
  run,
  runInRoom,
  client,
  keys,
  home,
  onMalformed,
}: DirectoryParts): Directory {
  const both = [keys.roomsBySize, keys.roomsByName];

  async function glance(room: RoomId) {
    const reply = await runInRoom('glance', room, []);
    if (!reply.ok || reply.value === null) return reply.ok ? ok(undefined) : reply;
    return reading('reply', onMalformed, (): RoomGlance => {
      const [locked, peersMax, peers, connected] = reply.value as unknown[];
      const counts = { peersMax: countIn(peersMax), peers: countIn(peers), connected: countIn(connected) };
      return { locked: locked === 'true', ...counts };
    });
  }

  /** What the page holds; undefined where something in it is no room of this home. */
  function listed(reply: unknown): { total: number; rooms: ListedRoom[]; isClean: boolean } {
    const [total, flat] = reply as [unknown, unknown];
    const texts = textsIn(flat);
    const rooms: ListedRoom[] = [];
    for (let at = 0; at + 1 < texts.length; at += 2) {
      const room = readRoomId(texts[at] ?? '', home);
      const size = Math.abs(Number(texts[at + 1]));
      if (room !== undefined && Number.isSafeInteger(size)) rooms.push({ room, size });
    }
    return { total: countIn(total), rooms, isClean: rooms.length * 2 === texts.length };
  }

  /** Takes out what no node of ours has put there: a page of it would end the listing, or never end. */
  async function clean(): Promise<void> {
    for (const key of both) {
      for (let from = 0; ; ) {
        const to = from + SCANNED_AT_ONCE - 1;
        const entries = await soon(client.zrangeBuffer(key, from, String(to), 'WITHSCORES'));
        const strays = entries.filter(
          (_, at) => at % 2 === 0 && !isListed(entries[at], entries[at + 1], home),
        );
        for (const _ of strays) onMalformed('directory');
        if (strays.length > 0) await soon(client.zrem(key, ...strays));
        from += entries.length / 2 - strays.length;
        if (entries.length < 2 * SCANNED_AT_ONCE) break;
      }
    }
  }

  return {
    async report(rooms) {
      for (let at = 0; at < rooms.length; at += REPORTED_AT_ONCE) {
        const part = rooms.slice(at, at + REPORTED_AT_ONCE);
        const reply = await run('report', both, ...part.flatMap(({ room, size }) => [room, size]));
        if (!reply.ok) return reply;
      }
      return ok(undefined);
    },

    async list({ sort, after, limit }) {
      const key = sort === 'size' ? keys.roomsBySize : keys.roomsByName;
      const rank = sort === 'size' ? -(after?.size ?? 0) : 0;
      for (let tries = 1; ; tries++) {
        const reply = await run('rooms', [key], after?.room ?? '', rank, limit);
        if (!reply.ok) return reply;
        const page = reading('reply', onMalformed, () => listed(reply.value));
        if (!page.ok) return page;
        const { total, rooms, isClean } = page.value;
        if (isClean || tries === CLEANED_TIMES) return ok({ total, rooms });
        try {
          await clean();
        } catch {
          return refuse('unavailable');
        }
      }
    },

    async glance(rooms) {
      const seen = await Promise.all(rooms.map(glance));
      const failed = seen.find((each) => !each.ok);
      return failed ?? ok(seen.map((each) => (each.ok ? each.value : undefined)));
    },
  };
}

const REPORTED_AT_ONCE = 512;
const SCANNED_AT_ONCE = 1_000;
const COMMAND_TIMEOUT_MS = 600;
/** Whoever puts garbage there faster than it is taken out gets a shorter list. */
const CLEANED_TIMES = 2;

function soon<Value>(command: Promise<Value>): Promise<Value> {
  return withDeadline(command, COMMAND_TIMEOUT_MS);
}

export interface DirectoryParts {
  readonly run: RunScript;
  readonly runInRoom: RunRoomScript;
  readonly client: Client;
  readonly keys: Keys;
  /** Of which the rooms are. */
  readonly home: string;
  readonly onMalformed: OnMalformed;
}

/** Whether an entry, as it is in Redis, is a room with its size. */
function isListed(name: Buffer | undefined, score: Buffer | undefined, home: string): boolean {
  const text = name?.toString('utf8') ?? '';
  const isText = name?.equals(Buffer.from(text)) ?? false;
  return (
    isText && readRoomId(text, home) !== undefined && Number.isSafeInteger(Number(score?.toString('latin1')))
  );
}
