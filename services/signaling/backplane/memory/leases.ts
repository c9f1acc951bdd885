import { ok, refuse } from '../../domain/result.ts';
import type { Lease, Leases } from '../leases.ts';
import type { LifeView, MemoryRoomLog } from './room-log.ts';
import type { SharedMemory } from './shared-memory.ts';

/** The same in one process: its nodes die together, but one of them may be cut off by a test. */
export function memoryLeases(
  memory: SharedMemory,
  takeOver: MemoryRoomLog['takeOver'],
  view: LifeView,
): Leases {
  const { leases, held } = memory;
  const isSealed = () => {
    if (view.isSealed(memory.life) && memory.sealed.has(memory.life)) return true;
    view.unsealed(memory.life);
    return false;
  };
  const beat = (incarnation: string, nodeId: string): Lease[] => {
    const count = (leases.get(incarnation)?.count ?? 0) + 1;
    leases.set(incarnation, { incarnation, nodeId, count, isGivenUp: false });
    return [...leases.values()];
  };
  return {
    take: async (incarnation, nodeId) => (isSealed() ? ok(beat(incarnation, nodeId)) : refuse('unavailable')),
    async renew(incarnation, nodeId) {
      if (!isSealed()) return refuse('unavailable');
      return leases.has(incarnation) ? ok(beat(incarnation, nodeId)) : refuse('swept');
    },
    async hold(incarnation, rooms) {
      held.set(incarnation, new Set([...(held.get(incarnation) ?? []), ...rooms]));
      return ok(undefined);
    },
    release: (incarnation, room) => void held.get(incarnation)?.delete(room),
    async giveUp(incarnation) {
      const lease = leases.get(incarnation);
      if (lease !== undefined) leases.set(incarnation, { ...lease, isGivenUp: true });
    },
    async sweep(dead, adopter) {
      let sessions = 0;
      const rooms = [...(held.get(dead) ?? [])];
      if (!(await adopter.prepare(rooms))) return refuse('unavailable');
      for (const room of rooms) {
        const adopted = takeOver(room, dead, adopter.incarnation);
        if (!adopted.ok) return adopted;
        adopter.adopt(room, adopted.value);
        sessions += adopted.value.length;
      }
      held.delete(dead);
      leases.delete(dead);
      return ok(sessions);
    },
  };
}
