import type { PeerId } from '@fenghuo/protocol';
import type { LogBounds } from '../../domain/log-bounds.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import type { RoomId } from '../../domain/room-id.ts';
import {
  type Adopter,
  type Beat,
  type Lease,
  type LeaseHolder,
  type Leases,
  type Load,
  type Order,
  parseReport,
} from '../leases.ts';
import type { Adopted } from '../room-log.ts';
import { boundsArguments, type RunRoomScript, type RunScript, withDeadline } from './commands.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';

const COMMAND_TIMEOUT_MS = 600;
const ROOMS_AT_ONCE = 64;
/** One at a time is enough; a sweeper that died is followed by another after this time. */
const SWEEPER_MS = 5_000;
/** Stands in place of a lease's count once its process has given it up. */
const GIVEN_UP = '-';

const ADMITS = '+';
const REFUSES = '-';

/** Leases in one hash, and what each process holds in a set of its own: O(nodes) to watch, O(held) to sweep. */
export function redisLeases(
  run: RunScript,
  runInRoom: RunRoomScript,
  client: Client,
  keys: Keys,
  bounds: LogBounds,
): Leases {
  const limits = boundsArguments(bounds);

  async function plain<Value>(command: Promise<Value>): Promise<Result<Value, 'unavailable'>> {
    try {
      return ok(await withDeadline(command, COMMAND_TIMEOUT_MS));
    } catch {
      return refuse('unavailable');
    }
  }

  function beat({ incarnation, nodeId, load, order }: LeaseHolder, take: '0' | '1') {
    return run(
      'lease',
      [keys.leases, keys.marker, keys.orders],
      incarnation,
      nodeId,
      take,
      load.connections,
      load.isAdmitting ? ADMITS : REFUSES,
      order === undefined ? '' : JSON.stringify(order),
      load.report === undefined ? '' : ` ${JSON.stringify(load.report)}`,
    );
  }

  async function sweepRoom(
    room: RoomId,
    dead: string,
    adopter: Adopter,
  ): Promise<Result<Adopted[], 'unavailable'>> {
    const swept = await runInRoom(
      'sweep',
      room,
      [],
      dead,
      adopter.incarnation,
      `${adopter.incarnation} 0`,
      ...limits,
    );
    if (!swept.ok) return swept;
    const flat = swept.value as string[];
    const adopted: Adopted[] = [];
    for (let at = 0; at + 1 < flat.length; at += 2)
      adopted.push({ room, peer: flat[at] as PeerId, generation: Number(flat[at + 1]) });
    adopter.adopt(room, adopted);
    return ok(adopted);
  }

  return {
    // No script reaches another slot than its room's.
    areNotedByEntry: !client.isCluster,

    async take(holder) {
      const reply = await beat(holder, '1');
      return reply.ok ? ok(parseBeat(reply.value)) : reply;
    },

    async renew(holder) {
      const reply = await beat(holder, '0');
      if (!reply.ok) return reply;
      return reply.value === null ? refuse('swept') : ok(parseBeat(reply.value));
    },

    async order(nodeId, order) {
      const reply = await run(
        'order',
        [keys.leases, keys.marker, keys.orders],
        nodeId,
        JSON.stringify(order),
      );
      if (!reply.ok) return reply;
      return reply.value === 0 ? refuse('node_not_found') : ok(undefined);
    },

    async hold(incarnation, rooms) {
      const held = await plain(client.sadd(keys.held(incarnation), ...rooms));
      return held.ok ? ok(undefined) : held;
    },

    release: (incarnation, room) => void plain(client.srem(keys.held(incarnation), room)),

    async giveUp(incarnation) {
      await plain(client.hset(keys.leases, incarnation, `${GIVEN_UP} given-up`));
    },

    async sweep(dead, adopter) {
      const claim = await plain(client.set(keys.sweeper(dead), '1', 'PX', SWEEPER_MS, 'NX'));
      if (!claim.ok || claim.value === null) return refuse('unavailable');
      const held = keys.held(dead);
      for (let sessions = 0; ; ) {
        const picked = await plain(client.srandmember(held, ROOMS_AT_ONCE));
        if (!picked.ok) return picked;
        const rooms = picked.value as RoomId[];
        if (rooms.length === 0) {
          const ended = await plain(client.hdel(keys.leases, dead));
          return ended.ok ? ok(sessions) : ended;
        }
        if (!(await adopter.prepare(rooms))) return refuse('unavailable');
        for (const swept of await Promise.all(rooms.map((room) => sweepRoom(room, dead, adopter)))) {
          if (!swept.ok) return swept;
          sessions += swept.value.length;
        }
        const removed = await plain(client.srem(held, ...rooms));
        if (!removed.ok) return removed;
      }
    },
  };
}

function parseBeat(reply: unknown): Beat {
  const [order, leases] = reply as [string, string[]];
  return {
    leases: parseLeases(leases),
    order: order === '' ? undefined : (JSON.parse(order) as Order),
  };
}

function parseLeases(flat: readonly string[]): Lease[] {
  const leases: Lease[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [count = '', nodeId = '', ...load] = (flat[at + 1] ?? '').split(' ');
    leases.push({
      incarnation: flat[at] ?? '',
      nodeId,
      count: count === GIVEN_UP ? 0 : Number(count),
      isGivenUp: count === GIVEN_UP,
      ...parseLoad(load),
    });
  }
  return leases;
}

/** A version before this one tells less; one after it, perhaps more. */
function parseLoad([connections, admits, ...more]: readonly string[]): { load?: Load } {
  if (admits === undefined) return {};
  const report = parseReport(more.join(' '));
  const load = { connections: Number(connections), isAdmitting: admits === ADMITS };
  return { load: report === undefined ? load : { ...load, report } };
}
