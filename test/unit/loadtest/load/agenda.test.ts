import { expect, onTestFinished, test } from 'vitest';

import { Agenda } from '../../../../services/loadtest/load/agenda.ts';
import { poissonTimes } from '../../../../services/loadtest/load/arrivals.ts';
import { LoopLag } from '../../../../services/loadtest/load/measures/loop-lag.ts';
import { seededRandom } from '../../../../services/loadtest/random.ts';
import { eventually } from '../../../support/eventually.ts';

const LATE_MS = 10;
const STALL_MS = 120;

/** Keeps this process from doing anything else. */
function stall(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

function agenda(): Agenda {
  const made = new Agenda(LATE_MS);
  onTestFinished(() => made.stop());
  return made;
}

test('things start in the order of their times, whatever order they were noted in', async () => {
  const starts: number[] = [];
  const made = agenda();
  const nowMs = performance.now();
  for (const after of [30, 10, 20, 0, 25]) made.at(nowMs + after, () => starts.push(after));
  await eventually(() => starts.length === 5);
  expect(starts).toEqual([0, 10, 20, 25, 30]);
});

test('a stall moves no time: what was due meanwhile is started late, and counted from when it was due', async () => {
  const made = agenda();
  const waits: number[] = [];
  const startMs = performance.now() + 20;
  const every10Ms = Array.from({ length: 20 }, (_, n) => 10 * n);
  made.follow(startMs, every10Ms.values(), (dueMs) => {
    waits.push(performance.now() - dueMs);
    if (waits.length === 2) stall(STALL_MS);
  });
  await eventually(() => waits.length === every10Ms.length);
  expect(made.started).toBe(20);
  // A closed loop would have told one long wait; ten were as long, or nearly.
  expect(waits.filter((ms) => ms > 20).length).toBeGreaterThanOrEqual(8);
  expect(made.lateStarts).toBeGreaterThanOrEqual(8);
});

test('while nobody judges it, starts are made and not counted', async () => {
  const made = agenda();
  let starts = 0;
  made.judge(false);
  made.at(performance.now() - 100, () => {
    starts += 1;
  });
  await eventually(() => starts === 1);
  made.judge(true);
  made.at(performance.now() - 100, () => {
    starts += 1;
  });
  await eventually(() => starts === 2);
  expect([made.started, made.lateStarts]).toEqual([1, 1]);
});

test("a stall is seen in the generator's own lag, as long as it was", async () => {
  const lag = new LoopLag();
  onTestFinished(() => lag.stop());
  lag.start();
  lag.judge(true);
  await eventually(() => lag.whole.count > 5);
  stall(STALL_MS);
  await eventually(() => lag.whole.maxMs > STALL_MS - 20);
  expect(lag.whole.percentile(99)).toBeGreaterThan(10);
  const { count } = lag.whole;
  lag.judge(false);
  await eventually(() => lag.recent.count > count + 5);
  expect(lag.whole.count).toBe(count);
});

test('a schedule is the same for the same seed, and as dense as was asked', () => {
  const times = (seed: number) => [...poissonTimes(seededRandom(seed), 200, 60_000)];
  expect(times(1)).toEqual(times(1));
  expect(times(1)).not.toEqual(times(2));
  expect(Math.abs(times(1).length - 12_000)).toBeLessThan(600);
  expect([...poissonTimes(seededRandom(1), 0, 60_000)]).toEqual([]);
});
