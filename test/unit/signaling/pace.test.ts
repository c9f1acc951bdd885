import { describe, expect, test } from 'vitest';
import {
  comeBackAfter,
  enter,
  mayWait,
  noteDelay,
  PACE_MAX,
  PACE_MIN,
  PACE_START,
  type Pace,
  startPace,
} from '../../../services/signaling/domain/pace.ts';

/** Lets the clock run in steps of 10 ms with so many newcomers in each; the event loop is late as told. */
function run(pace: Pace, fromMs: number, seconds: number, newcomers: number, delayMs: () => number): number {
  let entered = 0;
  for (let nowMs = fromMs; nowMs < fromMs + seconds * 1_000; nowMs += 10) {
    for (let n = 0; n < newcomers; n++) if (enter(pace, nowMs)) entered += 1;
    noteDelay(pace, delayMs(), nowMs);
  }
  return entered;
}

describe('the pace at which newcomers are let in', () => {
  test('few at a time are let in at once', () => {
    const pace = startPace(0);
    for (let second = 1; second <= 10; second++)
      for (let n = 0; n < 10; n++) expect(enter(pace, second * 1_000)).toBe(true);
  });

  test('a crowd is let in at the pace, whatever its size', () => {
    const entered = [10, 1_000].map((newcomers) => run(startPace(0), 0, 1, newcomers, () => 60));
    for (const each of entered) {
      expect(each).toBeGreaterThan(PACE_START * 0.9);
      expect(each).toBeLessThan(PACE_START * 1.2);
    }
  });

  test('falls while the event loop is late, but never to nothing', () => {
    const pace = startPace(0);
    run(pace, 0, 1, 10, () => 120);
    expect(pace.perSecond).toBeLessThan(PACE_START / 2);
    run(pace, 1_000, 20, 10, () => 1_000);
    expect(pace.perSecond).toBe(PACE_MIN);
  });

  test('rises while somebody waits and the event loop bears it, up to a bound', () => {
    const pace = startPace(0);
    run(pace, 0, 2, 100, () => 5);
    expect(pace.perSecond).toBeGreaterThan(3 * PACE_START);
    run(pace, 2_000, 20, 200, () => 5);
    expect(pace.perSecond).toBe(PACE_MAX);
  });

  test('is at ten times what it begins with within half a second, where the event loop is not late', () => {
    const pace = startPace(0);
    run(pace, 0, 0.5, 200, () => 5);
    expect(pace.perSecond).toBeGreaterThanOrEqual(10 * PACE_START);
  });

  test('does not fall for what it costs that many come at the same moment', () => {
    const pace = startPace(0);
    run(pace, 0, 0.04, 500, () => 150);
    expect(pace.perSecond).toBe(PACE_START);
    run(pace, 40, 0.3, 100, () => 5);
    expect(pace.perSecond).toBeGreaterThan(5 * PACE_START);
  });

  test('lets no more in at once than the event loop takes in a moment, however fast it is', () => {
    const pace = startPace(0);
    run(pace, 0, 2, 500, () => 5);
    expect(pace.perSecond).toBe(PACE_MAX);
    run(pace, 2_000, 0.01, 0, () => 5);
    expect(run(pace, 3_000, 0.01, 5_000, () => 5)).toBeLessThanOrEqual(200);
  });

  test('leaps as long as nothing says that it is too much, and then feels its way', () => {
    const pace = startPace(0);
    run(pace, 0, 0.6, 100, () => 5);
    expect(pace.perSecond).toBeGreaterThan(2.5 * PACE_START);
    run(pace, 600, 0.2, 100, () => 120);
    const fallenTo = pace.perSecond;
    run(pace, 800, 0.6, 100, () => 5);
    expect(pace.perSecond).toBeLessThan(2 * fallenTo);
  });

  test('settles where the event loop is late by what it bears', () => {
    const pace = startPace(0);
    // A node that is late in proportion to what it lets in beyond 400 a second.
    run(pace, 0, 30, 100, () => Math.max(0, pace.perSecond - 400));
    expect(pace.perSecond).toBeGreaterThan(350);
    expect(pace.perSecond).toBeLessThan(550);
  });

  test.each([() => 5, () => 1_000])('an old judgement fades once nobody comes', (delayMs) => {
    const pace = startPace(0);
    run(pace, 0, 5, 100, delayMs);
    run(pace, 5_000, 20, 0, () => 0);
    expect(pace.perSecond).toBe(PACE_START);
  });
});

describe('who may not wait', () => {
  test('is told to: a line is as long as clients wait for an answer', () => {
    const pace = startPace(0);
    expect(mayWait(pace, 0)).toBe(true);
    expect(mayWait(pace, PACE_START)).toBe(false);
  });

  test('comes back one after the other, over the time that all of them take', () => {
    const pace = startPace(0);
    const waits = Array.from({ length: 1_000 }, () => comeBackAfter(pace, 0, 0.5));
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits[0]).toBeGreaterThanOrEqual(500);
    const spreadMs = (waits.at(-1) ?? 0) - (waits[0] ?? 0);
    expect(spreadMs).toBeGreaterThan((1_000 / PACE_START) * 800);
    expect(spreadMs).toBeLessThan((1_000 / PACE_START) * 1_000);
  });

  test('is not sent away for longer than ten seconds, however many there are', () => {
    const pace = startPace(0);
    const waits = Array.from({ length: 20_000 }, (_, n) => comeBackAfter(pace, 0, (n % 100) / 100));
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_000);
    // And not all of them for the same time.
    expect(new Set(waits.slice(-100)).size).toBeGreaterThan(50);
  });

  test('does not wait for those who are long gone', () => {
    const pace = startPace(0);
    for (let n = 0; n < 1_000; n++) comeBackAfter(pace, 0, 0.5);
    expect(comeBackAfter(pace, 60_000, 0.5)).toBeLessThan(1_000);
  });
});
