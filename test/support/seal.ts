import type { Backplane } from '../../services/signaling/backplane/backplane.ts';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { eventually } from './eventually.ts';

/**
 * Seals each life that the backplane meets, as a node with nothing to restore does; resolves once the first is sealed.
 * On a Cluster other shards are sealed when a call first meets them, which is then `unavailable` once.
 */
export async function keepSealed(backplane: Backplane, incarnation: string): Promise<void> {
  const { rebuilds } = backplane;
  const sealing = new Set<string>();
  rebuilds.onUnsealed = async (life) => {
    if (sealing.has(life)) return;
    sealing.add(life);
    await rebuilds.enter(life, { incarnation, nodeId: incarnation }, []);
    await rebuilds.done(life, incarnation);
    await eventually(async () => {
      const looked = await rebuilds.look(life);
      return looked.ok && looked.value.isSealed;
    });
    rebuilds.seal(life);
    sealing.delete(life);
  };
  await eventually(async () => (await backplane.leases.take(incarnation, incarnation)).ok, {
    what: 'a sealed home',
  });
  await eventually(async () => (await backplane.rooms.snapshot(roomId('sealed?', 'main'))).ok, {
    what: 'a sealed home',
  });
}
