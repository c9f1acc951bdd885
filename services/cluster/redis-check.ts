import { Redis, type RedisOptions } from 'ioredis';

import { StartFailure } from './start-failure.ts';

const CONNECT_MS = 2_000;
const ASK_ONCE = {
  lazyConnect: true,
  connectTimeout: CONNECT_MS,
  commandTimeout: CONNECT_MS,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  maxRetriesPerRequest: 0,
} satisfies RedisOptions;

/** Throws a StartFailure unless the Redis at this address answers PING. */
export async function requireRedis(url: string): Promise<void> {
  const reasons: string[] = [];
  for (const redis of clientsFor(url)) {
    const reason = await silence(redis);
    if (reason === undefined) return;
    reasons.push(reason);
  }
  throw new StartFailure(
    `the Redis at ${withoutPassword(url)} does not answer (${reasons[0] ?? 'no host named'}); start it, name another with --redis URL, or try --memory.`,
  );
}

/** The address as it may be shown: who may read the screen need not know the password. */
export function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//…@');
}

/** One client for each way in: any master of a Redis Cluster will do, and a sentinel knows the master. */
function clientsFor(url: string): Redis[] {
  const [, kind, credentials = '', hosts = '', path = ''] =
    /^(redis\+cluster|redis\+sentinel):\/\/([^@/]*@)?([^/?]*)\/?(\w*)/.exec(url) ?? [];
  if (kind === undefined) return [new Redis(url, ASK_ONCE)];
  const each = hosts.split(',').filter(Boolean);
  if (kind === 'redis+cluster')
    return each.map((host) => new Redis(`redis://${credentials}${host}`, ASK_ONCE));
  const sentinels = each.map((host) => {
    const { hostname, port } = new URL(`redis://${host}`);
    return { host: hostname, port: Number(port || 26_379) };
  });
  const [username, password] = credentials.slice(0, -1).split(':').map(decodeURIComponent);
  const login = password === undefined ? {} : { password, ...(username ? { username } : {}) };
  return [new Redis({ ...ASK_ONCE, sentinels, name: path || 'master', ...login })];
}

/** Why this Redis does not answer; undefined where it does. */
async function silence(redis: Redis): Promise<string | undefined> {
  let cause: string | undefined;
  // ioredis reports the true reason (refused, unknown host, wrong password) as an event, the promise a general one.
  redis.on('error', (error: Error) => {
    cause ??= error.message || ('code' in error ? String(error.code) : undefined);
  });
  try {
    await redis.connect();
    await redis.ping();
    return undefined;
  } catch (error) {
    return cause ?? (error instanceof Error ? error.message : String(error));
  } finally {
    redis.disconnect();
  }
}
