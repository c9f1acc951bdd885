import { ID_PATTERN, type PeerId } from '@fenghuo/protocol';
import type { LogBounds } from '../../domain/log-bounds.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import { type RoomId, readRoomId } from '../../domain/room-id.ts';
import {
  type Adopter,
  type Beat,
  type Lease,
  type LeaseHolder,
  type Leases,
  type Load,
  parseOrder,
  parseReport,
} from '../leases.ts';
import type { OnMalformed } from '../malformed.ts';
import type { Adopted } from '../room-log.ts';
import { boundsArguments, type RunRoomScript, type RunScript, withDeadline } from './commands.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';
import type { Mend } from './mend.ts';
import { countIn, reading, textIn, textsIn } from './replies.ts';

const COMMAND_TIMEOUT_MS = 600;
const ROOMS_AT_ONCE = 64;
/** One at a time is enough; a sweeper that died is followed by another after this time. */
const SWEEPER_MS = 5_000;
/** Stands in place of a lease's count once its process has given it up. */
const GIVEN_UP = '-';

const ADMITS = '+';
const REFUSES = '-';

/** Leases in one hash, and what each process holds in a set of its own: O(nodes) to watch, O(held) to sweep. */
export function redisLeases({
  run,
  runInRoom,
  client,
  keys,
  home,
  bounds,
  onMalformed,
  mend,
}: LeasesParts): Leases {
  const limits = boundsArguments(bounds);

  async function plain<Value>(key: string, command: Promise<Value>): Promise<Result<Value, 'unavailable'>> {
    try {
      return ok(await withDeadline(command, COMMAND_TIMEOUT_MS));
    } catch (error) {
      mend([key], error as Error);
      return refuse('unavailable');
    }
  }

  const parse = (reply: unknown) => reading('lease', onMalformed, () => parseBeat(reply, onMalformed));

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
    const adopted = reading('reply', onMalformed, () => adoptedIn(room, swept.value));
    if (adopted.ok) adopter.adopt(room, adopted.value);
    return adopted;
  }

  return {
    // No script reaches another slot than its room's.
    areNotedByEntry: !client.isCluster,

    async take(holder) {
      const reply = await beat(holder, '1');
      return reply.ok ? parse(reply.value) : reply;
    },

    async renew(holder) {
      const reply = await beat(holder, '0');
      if (!reply.ok) return reply;
      return reply.value === null ? refuse('swept') : parse(reply.value);
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
      const key = keys.held(incarnation);
      const held = await plain(key, client.sadd(key, ...rooms));
      return held.ok ? ok(undefined) : held;
    },

    release(incarnation, room) {
      const key = keys.held(incarnation);
      // `plain` never rejects.
      void plain(key, client.srem(key, room));
    },

    async giveUp(incarnation) {
      await plain(keys.leases, client.hset(keys.leases, incarnation, `${GIVEN_UP} given-up`));
    },

    async sweep(dead, adopter) {
      const sweeper = keys.sweeper(dead);
      const claim = await plain(sweeper, client.set(sweeper, '1', 'PX', SWEEPER_MS, 'NX'));
      if (!claim.ok || claim.value === null) return refuse('unavailable');
      const held = keys.held(dead);
      for (let sessions = 0; ; ) {
        const picked = await plain(held, client.srandmemberBuffer(held, ROOMS_AT_ONCE));
        if (!picked.ok) return picked;
        if (picked.value.length === 0) {
          const ended = await plain(keys.leases, client.hdel(keys.leases, dead));
          return ended.ok ? ok(sessions) : ended;
        }
        const { rooms, strays } = sortHeld(picked.value, home);
        for (const _ of strays) onMalformed('held');
        if (!(await adopter.prepare(rooms.map(({ room }) => room)))) return refuse('unavailable');
        const done = await Promise.all(
          rooms.map(async ({ room, name }) => ({ name, swept: await sweepRoom(room, dead, adopter) })),
        );
        for (const { swept } of done) if (swept.ok) sessions += swept.value.length;
        // One room that cannot be swept keeps the others from nothing.
        const over = [...strays, ...done.flatMap(({ name, swept }) => (swept.ok ? name : []))];
        const removed =
          over.length === 0 ? refuse('unavailable') : await plain(held, client.srem(held, ...over));
        if (!removed.ok) return removed;
      }
    },
  };
}

export interface LeasesParts {
  readonly run: RunScript;
  readonly runInRoom: RunRoomScript;
  readonly client: Client;
  readonly keys: Keys;
  /** Of which the rooms are. */
  readonly home: string;
  readonly bounds: LogBounds;
  readonly onMalformed: OnMalformed;
  readonly mend: Mend;
}

/** Throws where it is none. What one process left there takes nothing from the others. */
function parseBeat(reply: unknown, onMalformed: OnMalformed): Beat {
  if (!Array.isArray(reply)) throw new Error('not a beat');
  const order = textIn(reply[0]);
  const parsed = parseOrder(order);
  if (parsed === undefined && order !== '') onMalformed('order');
  return { leases: parseLeases(textsIn(reply[1]), onMalformed), order: parsed };
}

/** Of the hash of leases, its fields and values in turn. */
export function parseLeases(flat: readonly string[], onMalformed: OnMalformed): Lease[] {
  const leases: Lease[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const lease = parseLease(flat[at] ?? '', flat[at + 1] ?? '');
    if (lease === undefined) onMalformed('lease');
    else leases.push(lease);
  }
  return leases;
}

const INCARNATION = /^[A-Za-z0-9_-]{1,64}$/;

function parseLease(incarnation: string, text: string): Lease | undefined {
  const [count = '', nodeId = '', ...load] = text.split(' ');
  const isGivenUp = count === GIVEN_UP;
  const beats = isGivenUp ? 0 : Number(count || undefined);
  const isOurs = INCARNATION.test(incarnation) && ID_PATTERN.test(nodeId) && Number.isSafeInteger(beats);
  return isOurs ? { incarnation, nodeId, count: beats, isGivenUp, ...parseLoad(load) } : undefined;
}

/** A version before this one tells less; one after it, perhaps more. */
function parseLoad([connections, admits, ...more]: readonly string[]): { load?: Load } {
  const count = Number(connections || undefined);
  if (admits === undefined || !Number.isSafeInteger(count) || count < 0) return {};
  const report = parseReport(more.join(' '));
  const load = { connections: count, isAdmitting: admits === ADMITS };
  return { load: report === undefined ? load : { ...load, report } };
}

function adoptedIn(room: RoomId, reply: unknown): Adopted[] {
  const flat = textsIn(reply);
  const adopted: Adopted[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2)
    adopted.push({ room, peer: flat[at] as PeerId, generation: countIn(flat[at + 1]) });
  return adopted;
}

/** What is noted as held: rooms of the home, each with its name as Redis has it, and what is the name of none. */
function sortHeld(names: readonly Buffer[], home: string) {
  const rooms: { room: RoomId; name: Buffer }[] = [];
  const strays: Buffer[] = [];
  for (const name of names) {
    const room = readRoomId(name.toString('utf8'), home);
    if (room === undefined) strays.push(name);
    else rooms.push({ room, name });
  }
  return { rooms, strays };
}
