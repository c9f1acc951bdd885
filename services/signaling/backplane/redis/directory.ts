import { ok } from '../../domain/result.ts';
import type { RoomId } from '../../domain/room-id.ts';
import type { Directory, ListedRoom, RoomGlance } from '../directory.ts';
import type { RunRoomScript, RunScript } from './commands.ts';
import type { Keys } from './keys.ts';

/** Two sorted sets of the home, one by size and one by name; no script of a room may touch them on a Cluster. */
export function redisDirectory(run: RunScript, runInRoom: RunRoomScript, keys: Keys): Directory {
  const both = [keys.roomsBySize, keys.roomsByName];

  async function glance(room: RoomId) {
    const reply = await runInRoom('glance', room, []);
    if (!reply.ok || reply.value === null) return reply.ok ? ok(undefined) : reply;
    const [locked, peersMax, peers, connected] = reply.value as [string, string, number, number];
    return ok<RoomGlance>({ locked: locked === 'true', peersMax: Number(peersMax), peers, connected });
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
      const reply = await run('rooms', [key], after?.room ?? '', rank, limit);
      if (!reply.ok) return reply;
      const [total, flat] = reply.value as [number, string[]];
      const rooms: ListedRoom[] = [];
      for (let at = 0; at + 1 < flat.length; at += 2)
        rooms.push({ room: flat[at] as RoomId, size: Math.abs(Number(flat[at + 1])) });
      return ok({ total, rooms });
    },

    async glance(rooms) {
      const seen = await Promise.all(rooms.map(glance));
      const failed = seen.find((each) => !each.ok);
      return failed ?? ok(seen.map((each) => (each.ok ? each.value : undefined)));
    },
  };
}

const REPORTED_AT_ONCE = 512;
