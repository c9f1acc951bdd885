import { expect, test } from 'vitest';

import { TimeHistogram } from '../../../../services/loadtest/load/measures/histogram.ts';
import { Latencies } from '../../../../services/loadtest/load/measures/latencies.ts';
import { seededRandom } from '../../../../services/loadtest/random.ts';

const PRECISION = 0.001;

/** Mostly short times, now and then long ones: what a relay looks like. */
function times(count: number): number[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, () => 0.4 / (1 - random()) ** 0.8);
}

test("two workers' merged histogram says the same as one worker's of the whole stream", () => {
  const stream = times(50_000);
  const one = new Latencies();
  const workers = [new Latencies(), new Latencies()];
  for (const [index, ms] of stream.entries()) {
    one.record('relay', ms);
    workers[index % 3 === 0 ? 0 : 1]?.record('relay', ms);
  }
  const merged = new Latencies();
  for (const worker of workers) merged.add(worker.encode());
  const { hdr: _, ...expected } = one.figures().relay ?? { hdr: '' };
  for (const [name, value] of Object.entries(expected)) {
    const found = merged.figures().relay?.[name as 'p50Ms'] ?? Number.NaN;
    expect(Math.abs(found / value - 1), name).toBeLessThan(PRECISION);
  }
  expect(merged.figures().relay?.count).toBe(stream.length);
});

test('a percentile is told within 0.1 % of what it was', () => {
  const stream = times(20_000);
  const histogram = new TimeHistogram();
  for (const ms of stream) histogram.record(ms);
  const sorted = stream.toSorted((a, b) => a - b);
  for (const percent of [50, 90, 99, 99.9]) {
    const rank = Math.ceil((percent / 100) * sorted.length) - 1;
    const told = histogram.percentile(percent);
    // Which of two neighbours a percentile is, is a matter of taste; a microsecond is the least that is told.
    expect(told).toBeGreaterThan((sorted[rank - 1] as number) * (1 - PRECISION) - 0.001);
    expect(told).toBeLessThan((sorted[rank + 1] as number) * (1 + PRECISION) + 0.001);
  }
});

test('what takes longer than an hour counts as an hour, and is not forgotten', () => {
  const histogram = new TimeHistogram();
  histogram.record(10 * 3_600_000);
  expect(histogram.figures()).toMatchObject({ count: 1, maxMs: 3_600_000 });
});
