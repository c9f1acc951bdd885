import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { fakeTrack } from './fake-connection.ts';
import { pair, type Side } from './link-pair.ts';
import { randomFrom } from './random.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const RUNS = 200;
const SIDES: readonly Side[] = ['polite', 'impolite'];

/**
 * Both sides add and remove tracks and restart ICE, mostly at once; each signal takes its time, now and then seconds;
 * now and then a browser rejects a description, a path dies, or a node refuses what is sent.
 */
test(`whatever meets, stalls or fails: both sides come to an agreement and see all of each other (${RUNS} runs)`, async () => {
  let glares = 0;
  let faults = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = randomFrom(seed);
    let isTroubled = true;
    const patience = 330 * random();
    const scene = pair({
      offerPatienceMs: seed % 2 === 0 ? 2_000 : patience,
      refuses: () => (isTroubled && random() < 0.01 ? 'too_large' : undefined),
    });
    const added: Record<Side, MediaStreamTrack[]> = { polite: [], impolite: [] };
    const stalledUntilMs: Record<Side, number> = { polite: 0, impolite: 0 };
    const change = (side: Side, step: number) => {
      const { link } = scene[side];
      const track = added[side].pop();
      if (track !== undefined && random() < 0.5) link.removeTrack(track);
      else {
        if (track !== undefined) added[side].push(track);
        const next = fakeTrack('video');
        added[side].push(next);
        link.addTrack(next, { id: `${side} ${step}` } as MediaStream);
      }
    };
    for (let step = 0; step < 60; step++) {
      await vi.advanceTimersByTimeAsync(Math.floor(100 * random()));
      const chance = random();
      if (chance < 0.15) for (const side of SIDES) change(side, step);
      else if (chance < 0.2) scene[SIDES[step % 2] as Side].link.restartIce();
      else if (chance < 0.23) stalledUntilMs[SIDES[step % 2] as Side] = performance.now() + 2_500;
      else if (chance < 0.25) scene.polite.connection.setPath('failed');
      else if (chance < 0.28) scene.impolite.connection.spoilt.push(new DOMException('no', 'OperationError'));
      for (const side of SIDES) {
        const [first] = scene.wires[side];
        const { signalingState } = scene[side === 'polite' ? 'impolite' : 'polite'].connection;
        const isOffer = first !== undefined && 'description' in first && first.description.type === 'offer';
        if (isOffer && signalingState === 'have-local-offer') glares++;
        if (performance.now() >= stalledUntilMs[side] && random() < 0.7) scene.deliver(side);
      }
    }
    isTroubled = false;
    for (const side of SIDES) {
      scene[side].connection.hasPath = true;
      scene[side].connection.spoilt.length = 0;
    }
    await scene.run(60_000);
    faults += scene.faults.length;
    for (const [side, other] of [SIDES, SIDES.toReversed()] as [Side, Side][]) {
      const { connection, link } = scene[side];
      expect({ seed, side, state: connection.signalingState, phase: link.state.phase }).toEqual({
        seed,
        side,
        state: 'stable',
        phase: 'connected',
      });
      const heard = scene[other].heard.length;
      expect({ seed, side, heard }).toEqual({ seed, side, heard: added[side].length + 1 });
    }
    for (const side of SIDES) scene[side].link.close();
    expect({ seed, timers: vi.getTimerCount() }).toEqual({ seed, timers: 0 });
  }
  expect(glares).toBeGreaterThan(RUNS);
  expect(faults).toBeGreaterThan(RUNS / 2);
}, 120_000);
