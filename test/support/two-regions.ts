import { type Link, startLink } from '@fenghuo/cluster';
import { type ClusterOptions, startCluster, type TestCluster, type TestNode } from './cluster.ts';
import { type LocalRedis, startLocalRedis } from './redis.ts';

export interface TwoRegions extends TestCluster {
  /** Two nodes, one in each region, or four, two in each: beijing-1, shanghai-1, beijing-2, shanghai-2. */
  readonly beijing: TestNode;
  readonly shanghai: TestNode;
  readonly redis: { readonly beijing: LocalRedis; readonly shanghai: LocalRedis };
  /** The ways to the other region's Redis: by the region that the way begins in. */
  readonly links: { readonly beijing: Link; readonly shanghai: Link };
}

export interface TwoRegionsOptions {
  readonly nodes?: 2 | 4;
  /** Between the regions, one way. */
  readonly delayMs?: number;
  readonly settings?: Readonly<Record<string, string>>;
  readonly settingsOf?: NonNullable<ClusterOptions['settingsOf']>;
}

/** Two regions with a Redis each, whose nodes reach the other's over a long way that can be cut. */
export async function startTwoRegions(options: TwoRegionsOptions = {}): Promise<TwoRegions> {
  const [beijing, shanghai] = await Promise.all([
    startLocalRedis({ aof: true }),
    startLocalRedis({ aof: true }),
  ]);
  const timing = { delayMs: options.delayMs ?? 0 };
  const links = {
    beijing: await startLink(shanghai.port, timing),
    shanghai: await startLink(beijing.port, timing),
  };
  const urlOf = (port: number) => `redis://127.0.0.1:${port}`;
  const cluster = await startCluster({
    nodes: options.nodes ?? 2,
    redisUrls: (region) =>
      region === 'beijing'
        ? `beijing=${beijing.url} shanghai=${urlOf(links.beijing.port)}`
        : `beijing=${urlOf(links.shanghai.port)} shanghai=${shanghai.url}`,
    settings: options.settings ?? {},
    ...(options.settingsOf === undefined ? {} : { settingsOf: options.settingsOf }),
  });
  const [first, second] = cluster.nodes;
  return {
    ...cluster,
    beijing: first,
    shanghai: second,
    redis: { beijing, shanghai },
    links,
    async stop() {
      for (const link of Object.values(links)) link.mend();
      await cluster.stop();
      await Promise.all([...Object.values(links), beijing, shanghai].map((each) => each.stop()));
    },
  };
}
