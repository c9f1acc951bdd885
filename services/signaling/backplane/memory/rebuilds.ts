import { ok, type Result, refuse } from '../../domain/result.ts';
import type { RoomId } from '../../domain/room-id.ts';
import { formatRecord } from '../../domain/room-record.ts';
import { parseState, serializeState } from '../../domain/room-state.ts';
import { LEASE_MS } from '../leases.ts';
import { type Barrier, NOTHING_NEWER, type Rebuilds } from '../rebuilds.ts';
import { type MemoryRoom, nothingNoted, type SharedMemory } from './shared-memory.ts';

/** The same barriers in one process: a test may empty its memory. */
export function memoryRebuilds(memory: SharedMemory, seal: (life: string) => void): Rebuilds {
  const current = (life: string) => life === memory.life;

  function look(life: string): Result<Barrier, 'unavailable'> {
    const contributors = memory.sealed.get(life);
    if (contributors !== undefined) return ok({ isSealed: true, contributors });
    const barrier = memory.barriers.get(life);
    if (barrier === undefined || !current(life)) return refuse('unavailable');
    const isDone = [...barrier.expected].every((each) => barrier.done.has(each));
    if (!isDone && performance.now() - barrier.sinceMs < LEASE_MS)
      return ok({ isSealed: false, contributors: [] });
    memory.sealed.set(life, [...barrier.done]);
    return look(life);
  }

  return {
    onUnsealed: () => {},
    onUnopened: () => {},
    seal,
    async enter(life, { incarnation, nodeId }, known) {
      if (!current(life)) return refuse('unavailable');
      const barrier = memory.barriers.get(life) ?? {
        sinceMs: performance.now(),
        expected: new Set<string>(),
        done: new Set<string>(),
      };
      memory.barriers.set(life, barrier);
      for (const each of [incarnation, ...known]) barrier.expected.add(each);
      if (!memory.leases.has(incarnation))
        memory.leases.set(incarnation, { incarnation, nodeId, count: 1, isGivenUp: false });
      return look(life);
    },
    async done(life, incarnation) {
      memory.barriers.get(life)?.done.add(incarnation);
      return look(life);
    },
    look: async (life) => look(life),

    async contribute(room, life, incarnation, at, contribution) {
      if (!current(life)) return ok('elsewhere');
      const there = memory.rooms.get(room);
      if (there?.life === life) return ok('open');
      if ((memory.closed.get(room) ?? 0) >= at.epoch) return ok('closed');
      const isKnown = there?.state.epoch === at.epoch && there.state.seq >= at.seq;
      const handedIn = memory.contributions.get(keyOf(room, life)) ?? new Map<string, string>();
      handedIn.set(incarnation, isKnown ? NOTHING_NEWER : contribution());
      memory.contributions.set(keyOf(room, life), handedIn);
      return ok('taken');
    },

    async remains(room, life) {
      const there = memory.rooms.get(room);
      if (!current(life) || there?.life === life) return ok(undefined);
      const handedIn = [...(memory.contributions.get(keyOf(room, life)) ?? [])].map(([by, text]) => ({
        by,
        text,
      }));
      if (there === undefined) return ok({ left: undefined, handedIn });
      const records = there.log.map((entry) => entry.text);
      const { everyone, one } = there.trimmed;
      const trimmed = { from: there.former?.completeFrom ?? 0, everyone, one: [...one] };
      return ok({ left: { state: serializeState(there.state), records, trimmed }, handedIn });
    },

    async open(room, life, restored) {
      if (!current(life)) return ok(false);
      const there = memory.rooms.get(room);
      memory.contributions.delete(keyOf(room, life));
      if (there?.life === life) return ok(false);
      if (restored === undefined) {
        if (there !== undefined) there.life = life;
        return ok(true);
      }
      if (restored === 'ended') {
        memory.rooms.delete(room);
        return ok(true);
      }
      const log = restored.records.map((record) => {
        const text = formatRecord(record);
        return { text, bytes: Buffer.byteLength(text) };
      });
      const opened: MemoryRoom = {
        life,
        state: parseState(serializeState(restored.state)),
        former: restored.former,
        log,
        first: restored.records[0]?.seq ?? restored.state.seq + 1,
        bytes: log.reduce((sum, entry) => sum + entry.bytes, 0),
        trimmed: { ...restored.trimmed, by: undefined, other: 0, one: new Map(restored.trimmed.one) },
        holders: new Map(),
        ...nothingNoted(),
      };
      memory.rooms.set(room, opened);
      return ok(true);
    },
  };
}

export function keyOf(room: RoomId, life: string): string {
  return `${life} ${room}`;
}
