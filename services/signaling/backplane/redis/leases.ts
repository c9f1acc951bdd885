import type { LogBounds } from '../../domain/log-bounds.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import type { RoomId } from '../../domain/room-id.ts';
import type { Lease, Leases } from '../leases.ts';
import { boundsArguments, type RunScript, withDeadline } from './commands.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';

const COMMAND_TIMEOUT_MS = 600;
const ROOMS_AT_ONCE = 64;
/** A sweeper that died is followed by another after this time. */
const SWEEPER_MS = 5_000;

/** Leases in one hash, and what each process holds in a set of its own: O(nodes) to watch, O(held) to sweep. */
export function redisLeases(run: RunScript, client: Client, keys: Keys, bounds: LogBounds): Leases {
  async function plain<Value>(command: Promise<Value>): Promise<Result<Value, 'unavailable'>> {
    try {
      return ok(await withDeadline(command, COMMAND_TIMEOUT_MS));
    } catch {
      return refuse('unavailable');
    }
  }

  async function sweepRooms(
    incarnation: string,
    rooms: readonly RoomId[],
  ): Promise<Result<number, 'unavailable'>> {
    const origin = `${incarnation} 0`;
    const swept = await Promise.all(
      rooms.map((room) =>
        run('sweep', [keys.state(room), keys.log(room)], incarnation, origin, ...boundsArguments(bounds)),
      ),
    );
    let sessions = 0;
    for (const each of swept) {
      if (!each.ok) return each;
      sessions += each.value as number;
    }
    return ok(sessions);
  }

  return {
    async take(incarnation, nodeId) {
      const reply = await run('lease', [keys.leases], incarnation, nodeId, '1');
      return reply.ok ? ok(parseLeases(reply.value as string[])) : reply;
    },

    async renew(incarnation, nodeId) {
      const reply = await run('lease', [keys.leases], incarnation, nodeId, '0');
      if (!reply.ok) return reply;
      return reply.value === null ? refuse('swept') : ok(parseLeases(reply.value as string[]));
    },

    async hold(incarnation, rooms) {
      const held = await plain(client.sadd(keys.held(incarnation), ...rooms));
      return held.ok ? ok(undefined) : held;
    },

    release: (incarnation, room) => void plain(client.srem(keys.held(incarnation), room)),

    async sweep(incarnation) {
      const claim = await plain(client.set(keys.sweeper(incarnation), '1', 'PX', SWEEPER_MS, 'NX'));
      if (!claim.ok || claim.value === null) return refuse('unavailable');
      const held = keys.held(incarnation);
      for (let sessions = 0; ; ) {
        const rooms = await plain(client.srandmember(held, ROOMS_AT_ONCE));
        if (!rooms.ok) return rooms;
        if (rooms.value.length === 0) {
          const ended = await plain(client.hdel(keys.leases, incarnation));
          return ended.ok ? ok(sessions) : ended;
        }
        const swept = await sweepRooms(incarnation, rooms.value as RoomId[]);
        if (!swept.ok) return swept;
        sessions += swept.value;
        const removed = await plain(client.srem(held, ...rooms.value));
        if (!removed.ok) return removed;
      }
    },
  };
}

function parseLeases(flat: readonly string[]): Lease[] {
  const leases: Lease[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [count = '', nodeId = ''] = (flat[at + 1] ?? '').split(' ');
    leases.push({ incarnation: flat[at] ?? '', nodeId, count: Number(count) });
  }
  return leases;
}
