import { ok, refuse } from '../../domain/result.ts';
import type { Beat, LeaseHolder, Leases } from '../leases.ts';
import type { LifeView, MemoryRoomLog } from './room-log.ts';
import type { SharedMemory } from './shared-memory.ts';

/** The same in one process: its nodes die together, but one of them may be cut off by a test. */
export function memoryLeases(
  memory: SharedMemory,
  takeOver: MemoryRoomLog['takeOver'],
  view: LifeView,
): Leases {
  const { leases, orders, held } = memory;
  const isSealed = () => {
    if (view.isSealed(memory.life) && memory.sealed.has(memory.life)) return true;
    view.unsealed(memory.life);
    return false;
  };
  const beat = ({ incarnation, nodeId, load, order: followed }: LeaseHolder): Beat => {
    if (!leases.has(incarnation)) forgetOrders();
    const count = (leases.get(incarnation)?.count ?? 0) + 1;
    leases.set(incarnation, { incarnation, nodeId, count, isGivenUp: false, load });
    // Who undoes an order says so: that there is none only means that it is not known here.
    const order = orders.get(incarnation) ?? followed;
    if (order !== undefined) orders.set(incarnation, order);
    return { leases: [...leases.values()], order };
  };
  const forgetOrders = () => {
    for (const incarnation of orders.keys()) if (!leases.has(incarnation)) orders.delete(incarnation);
  };
  return {
    areNotedByEntry: false,
    take: async (holder) => (isSealed() ? ok(beat(holder)) : refuse('unavailable')),
    async renew(holder) {
      if (!isSealed()) return refuse('unavailable');
      return leases.has(holder.incarnation) ? ok(beat(holder)) : refuse('swept');
    },
    async order(nodeId, order) {
      if (!isSealed()) return refuse('unavailable');
      const bearers = [...leases.values()].filter((lease) => lease.nodeId === nodeId && !lease.isGivenUp);
      for (const { incarnation } of bearers) orders.set(incarnation, order);
      return bearers.length === 0 ? refuse('node_not_found') : ok(undefined);
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
