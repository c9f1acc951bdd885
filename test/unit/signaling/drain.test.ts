import { describe, expect, test } from 'vitest';
import { DRAIN_STEP_MS, timesToGo, toTellNow } from '../../../services/signaling/domain/drain.ts';

/** How many are told in each step, until all are. */
function steps(clients: number, drainMs: number): number[] {
  const told: number[] = [];
  for (let left = clients, elapsedMs = DRAIN_STEP_MS; left > 0; elapsedMs += DRAIN_STEP_MS) {
    const now = toTellNow(left, elapsedMs, drainMs);
    told.push(now);
    left -= now;
  }
  return told;
}

describe('the pace of a drain', () => {
  test.each([
    [5_000, 25_000],
    [10_000, 25_000],
    [5_000, 60_000],
    [400, 2_000],
  ])('%i clients are told evenly within half of %i ms', (clients, drainMs) => {
    const told = steps(clients, drainMs);
    expect(told.length * DRAIN_STEP_MS).toBeLessThanOrEqual(drainMs / 2);
    expect(Math.max(...told) - Math.min(...told.slice(0, -1))).toBeLessThanOrEqual(1);
  });

  test('few clients do not wait for a pace that is meant for thousands', () => {
    expect(steps(100, 25_000).length * DRAIN_STEP_MS).toBe(1_000);
    expect(steps(1, 25_000)).toEqual([1]);
  });

  test('who comes late is told at once, and without time everybody is', () => {
    expect(toTellNow(30, 20_000, 25_000)).toBe(30);
    expect(toTellNow(30, 0, 0)).toBe(30);
    expect(toTellNow(0, 0, 25_000)).toBe(0);
  });

  test('a client is given a moment of its own, well before it must be gone', () => {
    expect(timesToGo(20_000.7, 0.5)).toEqual({ reconnectAfterMs: 500, deadlineMs: 20_000 });
    expect(timesToGo(400, 0.999)).toEqual({ reconnectAfterMs: 99, deadlineMs: 400 });
    expect(timesToGo(-3, 0.999)).toEqual({ reconnectAfterMs: 0, deadlineMs: 0 });
  });
});
