import { expect, test } from 'vitest';
import { LeaseKeeper } from '../../../services/signaling/backplane/lease-keeper.ts';
import {
  BEAT_MS,
  LEASE_MS,
  type Lease,
  type Leases,
  type Order,
} from '../../../services/signaling/backplane/leases.ts';
import { ok, refuse } from '../../../services/signaling/domain/result.ts';
import { roomId } from '../../../services/signaling/domain/room-id.ts';

/** A keeper on a backplane that answers as the scene says, with a clock that passes a beat at each beat. */
function openScene(others: () => readonly Lease[] = () => []) {
  let nowMs = 0;
  let incarnations = 0;
  const scene = {
    answer: 'ok' as 'ok' | 'unavailable' | 'swept',
    swept: [] as string[],
    held: [] as string[],
    failed: [] as string[],
    namesakes: [] as number[],
    fenced: 0,
    onBeat: (_: Order | undefined) => {},
    areNotedByEntry: false,
    order: undefined as Order | undefined,
  };
  const beat = () => ({ leases: others(), order: scene.order });
  const leases: Leases = {
    get areNotedByEntry() {
      return scene.areNotedByEntry;
    },
    order: async () => ok(undefined),
    take: async () => (scene.answer === 'ok' ? ok(beat()) : refuse('unavailable')),
    renew: async () => (scene.answer === 'ok' ? ok(beat()) : refuse(scene.answer)),
    hold: async (incarnation, rooms) => {
      scene.held.push(...rooms.map((room) => `${incarnation} ${room}`));
      return ok(undefined);
    },
    release: () => {},
    giveUp: async () => {},
    sweep: async (incarnation) => {
      scene.swept.push(incarnation);
      return ok(1);
    },
  };
  const keeper = new LeaseKeeper(leases, {
    nodeId: 'beijing-1',
    newIncarnation: () => `own-${++incarnations}`,
    nowMs: () => nowMs,
    load: () => ({ connections: 0, isAdmitting: true }),
    onBeat: (order) => scene.onBeat(order),
    onSwept: () => {
      scene.fenced += 1;
      scene.answer = 'ok';
    },
    onAdopted: () => {},
    onSweep: () => {},
    onNamesakes: (count) => void scene.namesakes.push(count),
    failed: (task) => void scene.failed.push(task),
  });
  const beats = async (count: number) => {
    for (let n = 0; n < count; n++) {
      await keeper.beat();
      nowMs += BEAT_MS;
    }
  };
  const sleep = (ms: number) => {
    nowMs += ms;
  };
  return { scene, keeper, beats, sleep };
}

const LEASE_BEATS = LEASE_MS / BEAT_MS;
const still: Lease = { incarnation: 'still', nodeId: 'shanghai-1', count: 7, isGivenUp: false };

test('C2: a process is dead when its lease stood unchanged for the lease time, and not before', async () => {
  const { scene, beats } = openScene(() => [still]);
  await beats(1 + LEASE_BEATS);
  expect(scene.swept).toEqual([]);
  await beats(1);
  expect(scene.swept).toEqual(['still']);
});

test('C2: a process whose counter rises lives, however slowly', async () => {
  let count = 0;
  const { scene, beats } = openScene(() => [{ ...still, count: Math.floor(count++ / LEASE_BEATS) }]);
  await beats(10 * LEASE_BEATS);
  expect(scene.swept).toEqual([]);
});

test('C2: time without the backplane counts for nobody: its pause does not look like the death of all', async () => {
  const { scene, beats } = openScene(() => [still]);
  await beats(LEASE_BEATS);
  scene.answer = 'unavailable';
  await beats(10 * LEASE_BEATS);
  scene.answer = 'ok';
  await beats(LEASE_BEATS);
  expect(scene.swept).toEqual([]);
  await beats(1);
  expect(scene.swept).toEqual(['still']);
});

test('C2: a process that slept judges nobody by the time in which it saw nothing', async () => {
  const { scene, beats, sleep } = openScene(() => [still]);
  await beats(3);
  // The whole machine was suspended: the others did not beat, either.
  sleep(10 * LEASE_MS);
  await beats(LEASE_BEATS);
  expect(scene.swept).toEqual([]);
  await beats(1);
  expect(scene.swept).toEqual(['still']);
});

const former: Lease = { ...still, incarnation: 'former', nodeId: 'beijing-1' };

test('C1: a former process of the same name is dead when its lease ended, and stands for nothing until then', async () => {
  const { scene, keeper, beats } = openScene(() => [
    { ...still, incarnation: 'own-1', nodeId: 'beijing-1' },
    former,
  ]);
  await beats(1 + LEASE_BEATS);
  expect(scene.swept).toEqual([]);
  expect(keeper.standing?.map(({ incarnation }) => incarnation)).toEqual(['own-1']);
  expect(keeper.namesakes).toBe(0);
  await beats(1);
  expect(scene.swept).toEqual(['former']);
});

test('C1: a living process of the same name is no dead one: it is counted, and both stand', async () => {
  let count = 0;
  const own = { ...still, incarnation: 'own-1', nodeId: 'beijing-1' };
  let others: readonly Lease[] = [];
  const { scene, keeper, beats } = openScene(() => {
    count += 1;
    return [{ ...own, count }, ...others.map((lease) => ({ ...lease, count }))];
  });
  others = [{ ...former, incarnation: 'twin' }];
  await beats(3 * LEASE_BEATS);
  expect(scene.swept).toEqual([]);
  expect(keeper.namesakes).toBe(1);
  expect(keeper.standing?.map(({ incarnation }) => incarnation)).toEqual(['own-1', 'twin']);
  others = [];
  await beats(1);
  expect(scene.namesakes).toEqual([1, 0]);
});

test('C3: a process that was taken for dead learns it, and goes on as another that holds the same rooms', async () => {
  const { scene, keeper, beats } = openScene();
  await beats(1);
  await keeper.hold(roomId('blue', 'main'));
  scene.answer = 'swept';
  await beats(1);
  expect(scene.fenced).toBe(1);
  expect(keeper.incarnation).toBe('own-2');
  expect(scene.held).toEqual(['own-1 blue@main', 'own-2 blue@main']);
});

test('C7: no room is held, so no session made, before the lease is taken', async () => {
  const { scene, keeper } = openScene();
  scene.answer = 'unavailable';
  expect(await keeper.hold(roomId('blue', 'main'))).toBe(false);
  scene.answer = 'ok';
  expect(await keeper.hold(roomId('blue', 'main'))).toBe(true);
});

test('C7: a room that each entry notes itself is counted, and noted by a lease that is taken anew', async () => {
  const { scene, keeper, beats } = openScene();
  scene.areNotedByEntry = true;
  await beats(1);
  expect(await keeper.hold(roomId('blue', 'main'))).toBe(true);
  expect(scene.held).toEqual([]);
  scene.answer = 'swept';
  await beats(1);
  expect(scene.held).toEqual(['own-2 blue@main']);
});

test('C7: a room that was let go before the lease was taken is not held after it', async () => {
  const { scene, keeper } = openScene();
  const holding = keeper.hold(roomId('blue', 'main'));
  keeper.release(roomId('blue', 'main'));
  expect(await holding).toBe(true);
  expect(scene.held).toEqual([]);
});

test('a process that has not beaten for three beats is no place to go, though its lease still stands', async () => {
  let count = 0;
  const beating = () => ({ ...still, incarnation: 'beats', count: count++ });
  const { keeper, beats } = openScene(() => [still, beating()]);
  await beats(3);
  expect(keeper.living.map((lease) => lease.incarnation)).toEqual(['still', 'beats']);
  await beats(3);
  expect(keeper.living.map((lease) => lease.incarnation)).toEqual(['beats']);
});

test('a backplane that is away does not make the others vanish', async () => {
  const { scene, keeper, beats } = openScene(() => [still]);
  await beats(2);
  scene.answer = 'unavailable';
  await beats(5);
  expect(keeper.living).toHaveLength(1);
});

test('a beat succeeds whatever comes of the order that it brought', async () => {
  const { scene, keeper, beats } = openScene();
  scene.onBeat = () => {
    throw new Error('an order that nobody can follow');
  };
  await beats(2);
  expect(keeper.isTaken).toBe(true);
  await beats(2 * LEASE_BEATS);
  expect(keeper.isOverdue).toBe(false);
  expect(new Set(scene.failed)).toEqual(new Set(['beat']));
});

test('a beat that throws is one that failed, and the next one is sent all the same', async () => {
  const { scene, keeper, beats } = openScene();
  await beats(1);
  Object.defineProperty(scene, 'answer', {
    get: () => {
      throw new Error('spoilt');
    },
    configurable: true,
  });
  await beats(1 + LEASE_BEATS);
  expect(keeper.isOverdue).toBe(true);
  Object.defineProperty(scene, 'answer', { value: 'ok', writable: true });
  await beats(1);
  expect(keeper.isOverdue).toBe(false);
});
