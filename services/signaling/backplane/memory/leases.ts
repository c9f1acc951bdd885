import { ok, refuse } from '../../domain/result.ts';
import type { RoomId } from '../../domain/room-id.ts';
import type { Lease, Leases } from '../leases.ts';
import type { SharedMemory } from './shared-memory.ts';

/** The same in one process: its nodes die together, but one of them may be cut off by a test. */
export function memoryLeases(
  memory: SharedMemory,
  endSessions: (room: RoomId, incarnation: string) => number,
): Leases {
  const { leases, held } = memory;
  const beat = (incarnation: string, nodeId: string): Lease[] => {
    leases.set(incarnation, { incarnation, nodeId, count: (leases.get(incarnation)?.count ?? 0) + 1 });
    return [...leases.values()];
  };
  return {
    take: async (incarnation, nodeId) => ok(beat(incarnation, nodeId)),
    renew: async (incarnation, nodeId) =>
      leases.has(incarnation) ? ok(beat(incarnation, nodeId)) : refuse('swept'),
    async hold(incarnation, rooms) {
      held.set(incarnation, new Set([...(held.get(incarnation) ?? []), ...rooms]));
      return ok(undefined);
    },
    release: (incarnation, room) => void held.get(incarnation)?.delete(room),
    async sweep(incarnation) {
      let sessions = 0;
      for (const room of held.get(incarnation) ?? []) sessions += endSessions(room, incarnation);
      held.delete(incarnation);
      leases.delete(incarnation);
      return ok(sessions);
    },
  };
}
