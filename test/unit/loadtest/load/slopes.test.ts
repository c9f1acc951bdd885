import { expect, test } from 'vitest';

import { readExposition } from '../../../../services/loadtest/load/measures/exposition.ts';
import { slopeOf, slopesOf } from '../../../../services/loadtest/load/measures/slopes.ts';
import { seededRandom } from '../../../../services/loadtest/random.ts';

/** An hour of readings, every ten seconds, with noise of 5 %. */
function readings(value: (hour: number) => number) {
  const random = seededRandom(3);
  return Array.from({ length: 360 }, (_, n) => ({
    atS: 10 * n,
    value: value(n / 360) * (0.95 + random() / 10),
  }));
}

test('what leaks is found to grow, by as much as it does', () => {
  const slope = slopeOf(readings((hour) => 100 + 20 * hour));
  expect(slope?.isGrowing).toBe(true);
  expect(slope?.perHour).toBeGreaterThan(17);
  expect(slope?.perHour).toBeLessThan(23);
});

test('noise is no growth', () => {
  expect(slopeOf(readings(() => 100))?.isGrowing).toBe(false);
});

test('nor is what a process takes while it warms up', () => {
  expect(slopeOf(readings((hour) => (hour < 0.15 ? 50 + 300 * hour : 100)))?.isGrowing).toBe(false);
});

test('a few readings say nothing', () => {
  expect(slopeOf(readings(() => 1).slice(0, 20))).toBeUndefined();
});

test('only what can leak is looked at, node by node', () => {
  const points = readings((hour) => 100 + 20 * hour);
  const series = ['signaling_process_open_files', 'signaling_messages_per_second'].map((metric) => ({
    node: 'beijing-1',
    metric,
    points,
  }));
  expect(slopesOf(series)).toMatchObject([
    { what: 'open files of beijing-1', unit: 'files', isGrowing: true },
  ]);
});

test('series of one metric are added up, and others are left alone', () => {
  const text = '# HELP a b\na{type="x"} 1\na{type="y,z"} 2.5e1\nb 7\na_total 9\n';
  expect([...readExposition(text, new Set(['a', 'b']))]).toEqual([
    ['a', 26],
    ['b', 7],
  ]);
});
