import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { MediaKind } from '../../../services/client/index.ts';
import { passMs } from './fake-cluster.ts';
import { fakeTrack } from './fake-connection.ts';
import { pair, type Side } from './link-pair.ts';
import { randomFrom } from './random.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const RUNS = 300;
const KINDS: readonly MediaKind[] = ['audio', 'video'];

/**
 * A node mutes at once; its author hears of it a little later, and of each description's fate too. Offers meet, are
 * refused, wait on the wire; tracks are added and ICE is restarted meanwhile.
 */
test(`whoever is muted, and whenever: both sides come to agree on what may be sent, and hear just that (${RUNS} runs)`, async () => {
  let refusals = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = randomFrom(seed);
    const scene = pair({ politeTracks: KINDS, impoliteTracks: KINDS, offerPatienceMs: 2_000 });
    const sides = ['polite', 'impolite'] as const;
    const added = { polite: [...KINDS], impolite: [...KINDS] };
    const learn = (side: Side) => scene[side].link.forbid(new Set(scene.muted[side]) as Set<MediaKind>);
    for (let step = 0; step < 40; step++) {
      await passMs(Math.floor(3 * random()));
      const side = sides[Math.floor(2 * random())] as Side;
      const kind = KINDS[Math.floor(2 * random())] as MediaKind;
      const chance = random();
      if (chance < 0.2) {
        if (!scene.muted[side].delete(kind)) scene.muted[side].add(kind);
        setTimeout(() => learn(side), 20 * random());
      } else if (chance < 0.25 && added[side].length < 5) {
        added[side].push(kind);
        scene[side].link.addTrack(fakeTrack(kind), { id: `${side} ${step}` } as MediaStream);
      } else if (chance < 0.3) scene[side].link.restartIce();
      else scene.deliver(side);
    }
    for (let ms = 0; ms < 90_000; ms += 500) {
      while (scene.deliver('polite') || scene.deliver('impolite')) await passMs(1);
      await passMs(500);
    }
    refusals += scene.refused.length;
    for (const [side, other] of [sides, sides.toReversed()] as [Side, Side][]) {
      const allowed = added[side].filter((each) => !scene.muted[side].has(each)).sort();
      expect({ seed, side, state: scene[side].connection.signalingState }).toMatchObject({ state: 'stable' });
      expect({ seed, side, sending: scene[side].connection.sending.sort() }).toEqual({
        seed,
        side,
        sending: allowed,
      });
      expect({ seed, other, heard: scene[other].heard }).toEqual({ seed, other, heard: allowed });
    }
    for (const side of sides) scene[side].link.close();
  }
  expect(refusals).toBeGreaterThan(RUNS);
});
