import type { RedisHome } from '../backplane/redis/redis-url.ts';
import { ONLY_HOME, redisHomes, type Settings } from '../config.ts';
import { localHome } from '../domain/homes.ts';

/** A home as the doctor looks at it. */
export interface NamedHome extends RedisHome {
  /** Of this node's region: without it the node is not ready. */
  readonly isLocal: boolean;
  /** Of several: then findings say of which they are. */
  readonly isOneOfSeveral: boolean;
}

export function homesToCheck(settings: Partial<Settings>): NamedHome[] {
  const homes = redisHomes(settings);
  const local = localHome(
    settings.REGION ?? '',
    homes.map(({ home }) => home),
  );
  return homes.map((each) => ({
    ...each,
    isLocal: each.home === local,
    isOneOfSeveral: homes.length > 1,
  }));
}

/** Every URL of a Redis as it was given, well or not: a fault in one is no reason to show what is secret in it. */
export function redisUrlsGiven({ REDIS_URL, REDIS_URLS }: Readonly<Record<string, string>>): RedisHome[] {
  const parts = REDIS_URLS?.split(/\s+/).filter((part) => part !== '') ?? [];
  return [
    ...(REDIS_URL === undefined ? [] : [{ home: ONLY_HOME, url: REDIS_URL }]),
    ...parts.map((part) => ({ home: part.split('=', 1).join(), url: part.slice(part.indexOf('=') + 1) })),
  ];
}
