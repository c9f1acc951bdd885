import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ok, refuse } from '../../../services/signaling/domain/result.ts';
import { departures } from '../../../services/signaling/requests/departures.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('sessions that the backplane never lets go hold up none behind them', async () => {
  const owed = departures(() => {});
  for (let n = 0; n < 200; n++) await owed.depart(async () => refuse('unavailable'));
  let isBack = false;
  await owed.depart(async () => (isBack ? ok(undefined) : refuse('unavailable')));
  isBack = true;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(owed.owed).toBe(200);
  owed.close();
});

test('one that throws is owed, and told to the one who counts', async () => {
  const failed: string[] = [];
  const owed = departures((task) => void failed.push(task));
  await owed.depart(async () => {
    throw new Error('what nobody can read');
  });
  await vi.advanceTimersByTimeAsync(600);
  expect(failed).toEqual(['departures', 'departures']);
  expect(owed.owed).toBe(1);
  owed.close();
});
