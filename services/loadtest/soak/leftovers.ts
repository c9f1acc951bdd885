import { setTimeout as sleep } from 'node:timers/promises';

import type { RedisUnderTest } from '../redis-under-test.ts';

/** What is left in Redis, once all are gone and everything has had the time to expire. */
export interface Leftovers {
  readonly afterS: number;
  /** Keys that are neither leases nor anything else of the home itself. */
  readonly keys: readonly string[];
}

const POLL_MS = 5_000;
/** Nobody lists the keys of a Redis that is still full of them. */
const KEYS_LISTED_MAX = 1_000;
/** The home's own: leases, orders, marker, barriers, directory and journal. */
const HOME = '{home}';

/** Waits until nothing is left, or the time is over. */
export async function untilEmpty(
  redis: RedisUnderTest,
  withinMs: number,
  signal: AbortSignal,
): Promise<Leftovers> {
  const startMs = performance.now();
  for (;;) {
    const keys = await leftIn(redis);
    const tookMs = performance.now() - startMs;
    if (keys.length === 0 || tookMs > withinMs || signal.aborted)
      return { afterS: Math.round(tookMs / 1_000), keys };
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

async function leftIn(redis: RedisUnderTest): Promise<string[]> {
  const size = Number(await redis.ask('DBSIZE'));
  if (size > KEYS_LISTED_MAX) return [`${size} keys`];
  const keys = (await redis.ask('KEYS', '*')).split('\n');
  return keys.filter((key) => key !== '' && !key.includes(HOME));
}
