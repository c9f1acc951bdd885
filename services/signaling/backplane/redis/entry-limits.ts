import { RateLimiterRedis } from 'rate-limiter-flexible';
import { type EntriesPerMinute, type EntryLimits, entryLimits, MINUTE_S } from '../entry-limits.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';

/** One counter with an expiry for each name that came within the minute. */
export function redisEntryLimits(client: Client, keys: Keys, perMinute: EntriesPerMinute): EntryLimits {
  return entryLimits(
    perMinute,
    (entrant, points, alone) =>
      new RateLimiterRedis({
        storeClient: client,
        keyPrefix: keys.entries(entrant),
        points,
        duration: MINUTE_S,
        // Who is over it is not asked about again until the minute is over.
        inMemoryBlockOnConsumed: points + 1,
        rejectIfRedisNotReady: true,
        insuranceLimiter: alone,
      }),
  );
}
