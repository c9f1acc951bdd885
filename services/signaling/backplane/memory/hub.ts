import { EventEmitter } from 'node:events';
import type { PeerId } from '@fenghuo/protocol';
import { defaultLogBounds, type LogBounds } from '../../domain/log-bounds.ts';
import type { RoomId } from '../../domain/room-id.ts';
import type { Backplane, BackplaneOptions } from '../backplane.ts';
import type { Doorbell } from '../room-log.ts';
import { memoryAdapter } from './adapter.ts';
import { type MemoryRoom, memoryRoomLog } from './room-log.ts';

/** What the nodes of one process share instead of a Redis. */
export interface MemoryHub {
  readonly rooms: Map<RoomId, MemoryRoom>;
  /** Peers whose join may still be under way but must not happen any more. */
  readonly voided: Set<PeerId>;
  /** Rings every node that subscribed to the room, each in a later turn. */
  ring(room: RoomId, record: string): void;
  /** Greater than any before: microseconds, as the Redis adapter takes them from its server's clock. */
  nextEpoch(): number;
  /** Carries what the in-process socket.io adapters send each other. */
  readonly bus: EventEmitter;
  /** How many nodes are attached: what socket.io calls its server count. */
  nodes: number;
  attach(
    options: BackplaneOptions & { readonly bounds?: LogBounds; readonly faults?: RingFaults },
  ): Backplane;
}

/** What a test does to one ring of a doorbell: the delays, in turns, of the copies that arrive; none: it is lost. */
export type RingFaults = (record: string) => readonly number[];

/** The embedded backplane: rooms live and die with the process. */
export function memoryHub(): MemoryHub {
  const bells = new Set<MemoryDoorbell>();
  let lastEpoch = 0;
  const hub: MemoryHub = {
    rooms: new Map(),
    voided: new Set(),
    bus: new EventEmitter().setMaxListeners(0),
    nextEpoch: () => {
      lastEpoch = Math.max(lastEpoch + 1, Date.now() * 1_000);
      return lastEpoch;
    },
    nodes: 0,
    ring: (room, record) => {
      for (const bell of bells) bell.receive(room, record);
    },
    attach(options) {
      const bell = memoryDoorbell(options.faults);
      bells.add(bell);
      hub.nodes++;
      const bounds = options.bounds ?? defaultLogBounds(options.resumeWindowMs);
      return {
        kind: 'memory',
        homes: ['main'],
        rooms: memoryRoomLog(hub, bounds, options.incarnation),
        doorbell: bell,
        adapter: memoryAdapter(hub),
        health: () => ({ answers: true, rings: true }),
        async close() {
          bells.delete(bell);
          hub.nodes--;
        },
      };
    },
  };
  return hub;
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
