import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Poller } from '../../../../services/web/console/poller.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A poller whose looks end when the test says so. */
function openPoller() {
  const looks: { signal: AbortSignal; end: (worked: boolean) => void }[] = [];
  const failures: number[] = [];
  const poller = new Poller({
    everyMs: 2_000,
    everyMsMax: 16_000,
    look: (signal) => new Promise((end) => looks.push({ signal, end })),
    onFailure: (retryInMs) => failures.push(retryInMs),
  });
  const end = async (worked: boolean) => {
    looks.at(-1)?.end(worked);
    await vi.advanceTimersByTimeAsync(0);
  };
  return { poller, looks, failures, end };
}

test('the next look begins two seconds after the last has ended, however long that took', async () => {
  const { poller, looks, end } = openPoller();
  poller.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looks).toHaveLength(1);
  await end(true);
  await vi.advanceTimersByTimeAsync(1_999);
  expect(looks).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(looks).toHaveLength(2);
});

test('looks that fail come less and less often, and as before once one has worked', async () => {
  const { poller, looks, failures, end } = openPoller();
  poller.start();
  for (const waitMs of [4_000, 8_000, 16_000, 16_000]) {
    await end(false);
    await vi.advanceTimersByTimeAsync(waitMs);
  }
  expect(failures).toEqual([4_000, 8_000, 16_000, 16_000]);
  expect(looks).toHaveLength(5);
  await end(true);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(looks).toHaveLength(6);
});

test('who hurries drops the look that is under way, and what comes of it changes nothing', async () => {
  const { poller, looks, failures } = openPoller();
  poller.start();
  poller.hurry();
  expect(looks.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  looks[0]?.end(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(failures).toEqual([]);
  expect(looks).toHaveLength(2);
});

test('a paused poller neither looks nor can be hurried, until it is started again', async () => {
  const { poller, looks, end } = openPoller();
  poller.start();
  await end(true);
  poller.stop();
  poller.hurry();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looks).toHaveLength(1);
  poller.start();
  expect(looks).toHaveLength(2);
});

test('a look that ends the polling itself, as a sign-out does, is the last', async () => {
  const look = vi.fn(async () => {
    poller.stop();
    return true;
  });
  const poller = new Poller({ everyMs: 2_000, everyMsMax: 16_000, look });
  poller.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(look).toHaveBeenCalledTimes(1);
});
