import { expect, test } from 'vitest';

import { seededRandom } from '../../../../services/loadtest/random.ts';
import { lowsOf, trendOf } from '../../../../services/loadtest/soak/trends.ts';

const ALLOWANCE = { share: 0.03, least: 1 };

/** An hour of readings, every five seconds, with noise of 2 %. */
function readings(value: (hour: number) => number) {
  const random = seededRandom(3);
  return Array.from({ length: 720 }, (_, n) => ({
    atS: 5 * n,
    value: value(n / 720) * (0.98 + random() / 25),
  }));
}

const trend = (value: (hour: number) => number) =>
  trendOf({ what: 'heap', unit: 'bytes', readings: readings(value) }, ALLOWANCE);

test('a tenth an hour is growth, and the slope says how much', () => {
  const { isFlat, perHour } = trend((hour) => 100 + 10 * hour);
  expect(isFlat).toBe(false);
  expect(perHour).toBeGreaterThan(8);
  expect(perHour).toBeLessThan(12);
});

test('what stays the same is flat, whatever it did in the first half', () => {
  expect(trend(() => 100).isFlat).toBe(true);
  expect(trend((hour) => (hour < 0.5 ? 200 * hour : 100)).isFlat).toBe(true);
});

test('what falls is flat', () => {
  expect(trend((hour) => 100 - 10 * hour).isFlat).toBe(true);
});

test('a few readings are no evidence', () => {
  const few = readings(() => 100).slice(0, 40);
  expect(trendOf({ what: 'heap', unit: 'bytes', readings: few }, ALLOWANCE)).toMatchObject({
    perHour: undefined,
    isFlat: false,
  });
});

test('of a saw only the lowest points count', () => {
  const saw = Array.from({ length: 12 }, (_, n) => ({ atS: n, value: 100 + (n % 6) }));
  expect(lowsOf(saw).map(({ value }) => value)).toEqual([100, 100]);
});
