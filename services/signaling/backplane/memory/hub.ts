import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { RoomId } from '../../domain/room-id.ts';
import { parseRecord } from '../../domain/room-record.ts';
import type { Backplane, BackplaneOptions } from '../backplane.ts';
import { memoryEntryLimits } from '../entry-limits.ts';
import type { Doorbell } from '../room-log.ts';
import { memoryAdapter } from './adapter.ts';
import { memoryClaims } from './claims.ts';
import { memoryDirectory } from './directory.ts';
import { memoryJournal } from './journal.ts';
import { memoryLeases } from './leases.ts';
import { memoryRebuilds } from './rebuilds.ts';
import { type LifeView, memoryRoomLog } from './room-log.ts';
import type { SharedMemory } from './shared-memory.ts';

/** What the nodes of one process share instead of a Redis: rooms live and die with the process. */
export interface MemoryHub {
  /** One node's view. */
  attach(options: BackplaneOptions & { readonly faults?: RingFaults }): Backplane;
  /** Loses everything, as a Redis that restarts without its data. */
  lose(): void;
}

/** What a test does to one ring of a doorbell: the delays, in turns, of the copies that arrive; none: it is lost. */
export type RingFaults = (record: string) => readonly number[];

export function memoryHub(home = 'main'): MemoryHub {
  const bells = new Set<MemoryDoorbell>();
  const memory = sharedMemory(bells);
  return {
    attach(options) {
      const bell = memoryDoorbell(options.faults);
      bells.add(bell);
      memory.nodes++;
      const sealed = new Set<string>();
      const rebuilds = memoryRebuilds(memory, (life) => sealed.add(life));
      const view: LifeView = {
        isSealed: (life) => sealed.has(life),
        unsealed: (life) => rebuilds.onUnsealed(life),
        unopened: (room, life) => rebuilds.onUnopened(room, life),
      };
      const { rooms, takeOver } = memoryRoomLog(memory, options.bounds, options.incarnation, view);
      return {
        kind: 'memory',
        home,
        rooms,
        claims: memoryClaims(memory, view),
        leases: memoryLeases(memory, takeOver, view),
        directory: memoryDirectory(memory),
        journal: memoryJournal(memory),
        entries: memoryEntryLimits(options.entriesPerMinute ?? {}),
        rebuilds,
        doorbell: bell,
        adapter: memoryAdapter(memory),
        health: () => ({ answers: true, isSealed: sealed.has(memory.life), rings: true }),
        async close() {
          bells.delete(bell);
          memory.nodes--;
        },
      };
    },
    lose() {
      memory.life = randomUUID();
      for (const lost of [
        memory.rooms,
        memory.ended,
        memory.closed,
        memory.leases,
        memory.orders,
        memory.held,
        memory.claims,
      ])
        lost.clear();
      for (const lost of [memory.sealed, memory.barriers, memory.contributions]) lost.clear();
      memory.directory.clear();
      memory.journal.length = 0;
    },
  };
}

function sharedMemory(bells: ReadonlySet<MemoryDoorbell>): SharedMemory {
  let lastEpoch = 0;
  return {
    life: randomUUID(),
    rooms: new Map(),
    voided: new Set(),
    closed: new Map(),
    ended: new Map(),
    leases: new Map(),
    orders: new Map(),
    held: new Map(),
    sealed: new Map(),
    barriers: new Map(),
    contributions: new Map(),
    directory: new Map(),
    claims: new Map(),
    journal: [],
    bus: new EventEmitter().setMaxListeners(0),
    nodes: 0,
    nextEpoch() {
      lastEpoch = Math.max(lastEpoch + 1, Date.now() * 1_000);
      return lastEpoch;
    },
    ring(room, record) {
      for (const bell of bells) bell.receive(room, record);
    },
  };
}

interface MemoryDoorbell extends Doorbell {
  receive(room: RoomId, text: string): void;
}

function memoryDoorbell(faults: RingFaults = () => [0]): MemoryDoorbell {
  const subscribed = new Set<RoomId>();
  const subscribe = async (room: RoomId) => {
    subscribed.add(room);
    return true;
  };
  const bell: MemoryDoorbell = {
    subscribe,
    beforeEntry: subscribe,
    unsubscribe: (room) => void subscribed.delete(room),
    onRing: () => {},
    onDoubt: () => {},
    onReset: () => {},
    receive(room, text) {
      const record = parseRecord(text);
      if (!subscribed.has(room) || record === undefined) return;
      for (const turns of faults(text))
        afterTurns(turns, () => subscribed.has(room) && bell.onRing(room, record, text));
    },
  };
  return bell;
}

/** Runs the action in a later turn of the event loop, as a network would. */
function afterTurns(turns: number, action: () => void): void {
  setImmediate(() => (turns > 0 ? afterTurns(turns - 1, action) : action()));
}
