import { startLink } from './link.ts';
import { type NodePlan, REGIONS, type RedisSettings } from './node-plan.ts';
import type { Options } from './options.ts';
import { requireRedis, withoutPassword } from './redis-check.ts';
import { findRedisServer, type RedisServer, startRedisServer } from './redis-server.ts';
import { StartFailure } from './start-failure.ts';

/** The Redis, or the one of each region, that the nodes share rooms through. */
export interface SharedRedis {
  /** How a node reaches it. */
  settingsOf(plan: NodePlan): RedisSettings;
  /** Each region has one. */
  readonly isRegional: boolean;
  /** "Redis at …", for people. */
  readonly text: string;
}

export interface SharedRedisEvents {
  /** Something was started that is to be stopped, before all that was started earlier. */
  started(stop: () => Promise<void>): void;
  /** A server that was started here is gone. */
  ended(name: string, server: RedisServer): void;
}

/** The Redis to use, checked; undefined where the nodes share memory. Throws a StartFailure where there is none. */
export async function sharedRedis(
  { backplane }: Options,
  on: SharedRedisEvents,
): Promise<SharedRedis | undefined> {
  if (backplane === 'memory') return undefined;
  if (backplane !== 'found' && 'redisUrl' in backplane) {
    const { redisUrl } = backplane;
    await requireRedis(redisUrl);
    return sharedByAll(redisUrl, `Redis at ${withoutPassword(redisUrl)}`);
  }
  const binary = findRedisServer();
  if (backplane !== 'found') return oneForEachRegion(binary, backplane.rttMs, on);
  if (binary === undefined) return undefined;
  const server = await start(binary, 'Redis', on);
  return sharedByAll(server.url, `Redis at ${whereIs(server)}`);
}

function sharedByAll(url: string, text: string): SharedRedis {
  return { settingsOf: () => ({ REDIS_URL: url }), isRegional: false, text };
}

/** Whoever is in one region reaches the other's Redis over a link that is as long as they are apart. */
async function oneForEachRegion(
  binary: string | undefined,
  rttMs: number,
  on: SharedRedisEvents,
): Promise<SharedRedis> {
  if (binary === undefined)
    throw new StartFailure(
      '--regions needs a redis-server or valkey-server on the PATH; install one (Debian: apt-get install redis-server).',
    );
  const servers = new Map<string, RedisServer>();
  const links = new Map<string, string>();
  for (const region of REGIONS) {
    const server = await start(binary, `The Redis of ${region}`, on);
    const link = await startLink(server.port, { delayMs: rttMs / 2 });
    on.started(() => link.stop());
    servers.set(region, server);
    links.set(region, `redis://127.0.0.1:${link.port}`);
  }
  const urlFrom = (region: string, home: string) =>
    region === home ? servers.get(home)?.url : links.get(home);
  const shown = [...servers].map(([region, server]) => `${region}'s at ${whereIs(server)}`).join(', ');
  return {
    settingsOf: ({ region }) => ({
      REDIS_URLS: REGIONS.map((home) => `${home}=${urlFrom(region, home)}`).join(' '),
    }),
    isRegional: true,
    text: `a Redis for each region, ${rttMs} ms apart: ${shown}`,
  };
}

async function start(binary: string, name: string, on: SharedRedisEvents): Promise<RedisServer> {
  const server = await startRedisServer(binary);
  on.started(() => server.stop());
  void server.ended.then(() => on.ended(name, server));
  return server;
}

function whereIs({ url, pid }: RedisServer): string {
  return `${url} (started here, pid ${pid})`;
}
