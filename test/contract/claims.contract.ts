import { describe, expect, onTestFinished, test } from 'vitest';
import type { Backplane } from '../../services/signaling/backplane/backplane.ts';
import type { SharedBackplane } from './nodes.ts';

/** What every registrar must do so that two regions that create one name get one room. */
export function claimsContract(name: string, share: () => Promise<SharedBackplane>): void {
  async function openTwo(): Promise<[Backplane, Backplane]> {
    const shared = await share();
    const nodes: [Backplane, Backplane] = [await shared.open(), await shared.open()];
    onTestFinished(async () => {
      for (const node of nodes) await node.close();
      await shared.close();
    });
    return nodes;
  }

  describe(`claims on ${name}`, () => {
    test('H1: whoever is first has the name, and everybody is told the same home', async () => {
      const [ann, bob] = await openTwo();
      const both = await Promise.all([
        ann.claims.claim('blue', 'beijing'),
        bob.claims.claim('blue', 'shanghai'),
      ]);
      const homes = new Set(both.map((each) => each.ok && each.value.home));
      expect(homes.size).toBe(1);
      expect(both.filter((each) => each.ok && each.value.isNew)).toHaveLength(1);
      const [home] = homes;
      expect(await bob.claims.claim('blue', 'elsewhere')).toEqual({
        ok: true,
        value: { home, isNew: false },
      });
    });

    test('names are claimed each by itself, in any script', async () => {
      const [ann, bob] = await openTwo();
      expect(await ann.claims.claim('烽火', 'beijing')).toMatchObject({ ok: true, value: { isNew: true } });
      expect(await bob.claims.claim('烽 火', 'shanghai')).toMatchObject({ ok: true, value: { isNew: true } });
      expect(await bob.claims.claim('烽火', 'shanghai')).toMatchObject({
        ok: true,
        value: { home: 'beijing' },
      });
    });

    test('a claim is renewed and released by its own home alone', async () => {
      const [ann, bob] = await openTwo();
      expect(await ann.claims.renew('blue', 'beijing')).toEqual({ ok: true, value: false });
      await ann.claims.claim('blue', 'beijing');
      expect(await bob.claims.renew('blue', 'shanghai')).toEqual({ ok: true, value: false });
      expect(await bob.claims.renew('blue', 'beijing')).toEqual({ ok: true, value: true });
      expect(await bob.claims.release('blue', 'shanghai')).toMatchObject({ ok: true });
      expect(await bob.claims.claim('blue', 'shanghai')).toMatchObject({ value: { home: 'beijing' } });
    });

    test('one that was let go is its home’s for a moment still, for a join that was told so', async () => {
      const [ann, bob] = await openTwo();
      await ann.claims.claim('blue', 'beijing');
      await ann.claims.release('blue', 'beijing');
      expect(await bob.claims.claim('blue', 'shanghai')).toMatchObject({ value: { home: 'beijing' } });
    });
  });
}
