import { beforeEach, describe, expect, test } from 'vitest';
import type { Claims } from '../../../services/signaling/backplane/claims.ts';
import { memoryHub } from '../../../services/signaling/backplane/memory/hub.ts';
import { type ClaimOutcome, RoomLocator } from '../../../services/signaling/backplane/room-locator.ts';
import { registrarOf } from '../../../services/signaling/domain/homes.ts';
import { defaultLogBounds } from '../../../services/signaling/domain/log-bounds.ts';
import { type RoomId, roomId } from '../../../services/signaling/domain/room-id.ts';
import { eventually } from '../../support/eventually.ts';
import { keepSealed } from '../../support/seal.ts';

const HOMES = ['beijing', 'shanghai'];
const nameAt = (registrar: string) =>
  ['a', 'b', 'c', 'd', 'e', 'f'].find((name) => registrarOf(name, HOMES) === registrar) ?? '';

/** A node in Beijing: what it asks registrars, what it listens to, and who is in its rooms. */
async function openNode() {
  const asked: string[] = [];
  const warm = new Set<RoomId>();
  const sizes = new Map<RoomId, number>();
  const outcomes: ClaimOutcome[] = [];
  const state = { isAway: false };
  const homes = await Promise.all(
    HOMES.map(async (home) => {
      const incarnation = `node in ${home}`;
      const hub = memoryHub(home);
      const backplane = hub.attach({ incarnation, bounds: defaultLogBounds(30_000) });
      await keepSealed(backplane, incarnation);
      const claims: Claims = {
        ...backplane.claims,
        async claim(name, wanted) {
          asked.push(`${name} at ${home}`);
          if (state.isAway) return { ok: false, code: 'unavailable' };
          return backplane.claims.claim(name, wanted);
        },
      };
      const feeds = {
        warm(room: RoomId) {
          warm.add(room);
          return () => warm.delete(room);
        },
        sizeOf: (room: RoomId) => sizes.get(room),
        *sizes(): Generator<[RoomId, number]> {
          for (const entry of sizes) if (entry[0].endsWith(`@${home}`)) yield entry;
        },
      };
      return { home, claims, feeds, answers: () => true, lose: () => hub.lose() };
    }),
  );
  const locator = new RoomLocator({ homes, local: 'beijing', onAsked: (outcome) => outcomes.push(outcome) });
  return { locator, asked, warm, sizes, outcomes, state, homes };
}

describe('H1: a node looks for a room', () => {
  let node: Awaited<ReturnType<typeof openNode>>;
  beforeEach(async () => {
    node = await openNode();
  });

  async function locate(name: string, home?: string) {
    const located = await node.locator.locate(home === undefined ? { name } : { name, home });
    if (located === undefined || !located.ok) return located?.code ?? 'no such home';
    located.value.letGo();
    return located.value.room;
  }

  test('with a suffix without asking anybody', async () => {
    expect(await locate('a', 'shanghai')).toBe('a@shanghai');
    expect(await locate('a', 'mars')).toBe('no such home');
    expect(node.asked).toEqual([]);
  });

  test('by its name at one registrar, once for all who ask at the same time', async () => {
    const name = nameAt('shanghai');
    expect(new Set(await Promise.all([locate(name), locate(name), locate(name)]))).toEqual(
      new Set([`${name}@beijing`]),
    );
    expect(node.asked).toEqual([`${name} at shanghai`]);
    expect(node.outcomes).toEqual(['taken']);
  });

  test('and asks nobody while somebody is in it here, and again when nobody is', async () => {
    const name = nameAt('shanghai');
    await locate(name);
    node.sizes.set(roomId(name, 'beijing'), 2);
    node.state.isAway = true;
    expect(await locate(name)).toBe(`${name}@beijing`);
    expect(node.asked).toHaveLength(1);
    node.sizes.clear();
    expect(await locate(name)).toBe('unavailable');
    expect(node.outcomes).toEqual(['taken', 'unavailable']);
  });

  test('listening wherever it may be while a far registrar is asked, and nowhere for a near one', async () => {
    const [far, near] = [nameAt('shanghai'), nameAt('beijing')];
    const asking = node.locator.locate({ name: far });
    expect(node.warm).toEqual(new Set([`${far}@beijing`, `${far}@shanghai`]));
    const located = await asking;
    if (located?.ok) located.value.letGo();
    expect(node.warm.size).toBe(0);
    const nearby = node.locator.locate({ name: near });
    expect(node.warm.size).toBe(0);
    await nearby;
  });

  test('of which it learns by looking after what it hosts, whoever claimed the name', async () => {
    const name = nameAt('beijing');
    const [beijing] = node.homes;
    await beijing?.claims.claim(name, 'shanghai');
    node.asked.length = 0;
    node.sizes.set(roomId(name, 'shanghai'), 1);
    expect(node.locator.isNamed(roomId(name, 'shanghai'))).toBe(false);
    await node.locator.tend();
    expect(node.locator.isNamed(roomId(name, 'shanghai'))).toBe(true);
    expect(await locate(name)).toBe(`${name}@shanghai`);
    expect(node.asked).toEqual([]);
  });

  test('whose name a registrar has lost, and has it claimed anew unless it is another’s by then', async () => {
    const name = nameAt('shanghai');
    const [, shanghai] = node.homes;
    for (const thief of [undefined, 'shanghai']) {
      const home = roomId(name, 'beijing');
      await locate(name);
      node.sizes.set(home, 1);
      shanghai?.lose();
      if (thief !== undefined) await eventually(async () => (await shanghai?.claims.claim(name, thief))?.ok);
      const isIts = async () => {
        await node.locator.tend();
        const renewed = await shanghai?.claims.renew(name, thief ?? 'beijing');
        return renewed?.ok && renewed.value && node.locator.isNamed(home) === (thief === undefined);
      };
      await eventually(isIts, { what: 'a name that is the room’s again' });
    }
  });

  test('and forgets names of rooms that it hosts no more, but not while a join may be under way', async () => {
    const name = nameAt('shanghai');
    await locate(name);
    await node.locator.tend();
    expect(node.locator.isNamed(roomId(name, 'beijing'))).toBe(true);
    await node.locator.tend();
    expect(node.locator.isNamed(roomId(name, 'beijing'))).toBe(false);
  });
});
