import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { type EntriesPerMinute, type EntryLimits, entryLimits } from '../entry-limits.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';

/** One counter with an expiry for each name that came within the minute. */
export function redisEntryLimits(client: Client, keys: Keys, perMinute: EntriesPerMinute): EntryLimits {
  return entryLimits(
    perMinute,
    (entrant, options) =>
      new RateLimiterRedis({
        ...options,
        storeClient: client,
        keyPrefix: keys.entries(entrant),
        rejectIfRedisNotReady: true,
        insuranceLimiter: new RateLimiterMemory(options),
      }),
  );
}
