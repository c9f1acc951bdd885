import { EventEmitter } from 'node:events';
import { defaultLogBounds, type LogBounds } from '../../domain/log-bounds.ts';
import type { RoomId } from '../../domain/room-id.ts';
import type { Backplane, BackplaneOptions } from '../backplane.ts';
import type { Doorbell } from '../room-log.ts';
import { memoryAdapter } from './adapter.ts';
import { memoryLeases } from './leases.ts';
import { memoryRoomLog } from './room-log.ts';
import type { SharedMemory } from './shared-memory.ts';

/** What the nodes of one process share instead of a Redis: rooms live and die with the process. */
export interface MemoryHub {
  /** One node's view. */
  attach(
    options: BackplaneOptions & { readonly bounds?: LogBounds; readonly faults?: RingFaults },
  ): Backplane;
}

/** What a test does to one ring of a doorbell: the delays, in turns, of the copies that arrive; none: it is lost. */
export type RingFaults = (record: string) => readonly number[];

export function memoryHub(): MemoryHub {
  const bells = new Set<MemoryDoorbell>();
  const memory = sharedMemory(bells);
  return {
    attach(options) {
      const bell = memoryDoorbell(options.faults);
      bells.add(bell);
      memory.nodes++;
      const bounds = options.bounds ?? defaultLogBounds(options.resumeWindowMs);
      const { rooms, endSessions } = memoryRoomLog(memory, bounds, options.incarnation);
      return {
        kind: 'memory',
        homes: ['main'],
        rooms,
        leases: memoryLeases(memory, endSessions),
        doorbell: bell,
        adapter: memoryAdapter(memory),
        health: () => ({ answers: true, rings: true }),
        async close() {
          bells.delete(bell);
          memory.nodes--;
        },
      };
    },
  };
}

function sharedMemory(bells: ReadonlySet<MemoryDoorbell>): SharedMemory {
  let lastEpoch = 0;
  return {
    rooms: new Map(),
    voided: new Set(),
    leases: new Map(),
    held: new Map(),
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
  receive(room: RoomId, record: string): void;
}

function memoryDoorbell(faults: RingFaults = () => [0]): MemoryDoorbell {
  const subscribed = new Set<RoomId>();
  const bell: MemoryDoorbell = {
    subscribe: async (room) => {
      subscribed.add(room);
      return true;
    },
    unsubscribe: (room) => void subscribed.delete(room),
    onRing: () => {},
    onReset: () => {},
    receive(room, record) {
      if (!subscribed.has(room)) return;
      for (const turns of faults(record))
        afterTurns(turns, () => subscribed.has(room) && bell.onRing(room, record));
    },
  };
  return bell;
}

/** Runs the action in a later turn of the event loop, as a network would. */
function afterTurns(turns: number, action: () => void): void {
  setImmediate(() => (turns > 0 ? afterTurns(turns - 1, action) : action()));
}
