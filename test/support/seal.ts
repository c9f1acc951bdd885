import type { Backplane } from '../../services/signaling/backplane/backplane.ts';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { eventually } from './eventually.ts';

/** Rooms enough that each shard of a Cluster is met. */
const PROBES = Array.from({ length: 24 }, (_, n) => roomId(`sealed? ${n}`, 'main'));

/** Seals each life that the backplane meets, as a node with nothing to restore does; resolves once all of them are. */
export async function keepSealed(backplane: Backplane, incarnation: string): Promise<void> {
  const { rebuilds } = backplane;
  const sealing = new Set<string>();
  const load = { connections: 0, isAdmitting: true };
  const holder = { incarnation, nodeId: incarnation, load, order: undefined };
  const isSealed = async (life: string) => {
    const looked = await rebuilds.look(life, incarnation);
    return looked.ok && looked.value.isSealed;
  };
  rebuilds.onUnsealed = async (life) => {
    if (sealing.has(life)) return;
    sealing.add(life);
    await rebuilds.enter(life, { incarnation, nodeId: incarnation, hosts: false }, []);
    await rebuilds.done(life, incarnation);
    // What is closed meanwhile is never sealed.
    await eventually(() => isSealed(life)).then(
      () => rebuilds.seal(life),
      () => {},
    );
    sealing.delete(life);
  };
  await eventually(
    async () => {
      await Promise.all(PROBES.map((room) => backplane.rooms.snapshot(room)));
      return backplane.health().isSealed && (await backplane.leases.take(holder)).ok;
    },
    { timeoutMs: 10_000, what: 'a sealed home' },
  );
}
