import {
  findRedisServer,
  freePort,
  type Link,
  type LinkTiming,
  type NodePlan,
  nodeEnvironment,
  operatorsUrl,
  pageUrl,
  StartFailure,
  startLink,
  startNodeProcess,
  startRedisServer,
} from '@fenghuo/cluster';

import type { MetricsSource } from './measures/scraper.ts';
import type { Target } from './plan.ts';

/** A cluster of two regions on this machine, and the way between them. */
export interface TwoRegions {
  readonly targets: readonly Target[];
  readonly metrics: readonly MetricsSource[];
  /** From each region to the other one's Redis, both alike. */
  readonly link: { set(timing: LinkTiming): void; cut(): void; mend(): void };
  stop(): Promise<void>;
}

const REGIONS = ['beijing', 'shanghai'] as const;
const STOP_MS = 2_000;

/** Throws a StartFailure where there is no redis-server, or a node does not start. */
export async function startTwoRegions(oneWayMs: number): Promise<TwoRegions> {
  const binary = findRedisServer();
  if (binary === undefined)
    throw new StartFailure(
      'no redis-server or valkey-server on the PATH; install one (apt-get install redis-server).',
    );
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const homes = await Promise.all(
      REGIONS.map(async (region) => {
        const redis = await startRedisServer(binary);
        closers.push(() => redis.stop());
        const link = await startLink(redis.port, { delayMs: oneWayMs });
        closers.push(() => link.stop());
        return { region, redis, link };
      }),
    );
    const plans = await Promise.all(REGIONS.map(planOf));
    const nodes = plans.map((plan) => {
      const urls = homes.map(({ region, redis, link }) =>
        region === plan.region ? `${region}=${redis.url}` : `${region}=redis://127.0.0.1:${link.port}`,
      );
      const settings = nodeEnvironment(plan, { REDIS_URLS: urls.join(' ') }, process.env);
      return startNodeProcess(plan, settings, () => {});
    });
    closers.push(async () => void (await Promise.all(nodes.map((node) => node.stop(STOP_MS)))));
    await Promise.all(nodes.map((node) => node.ready()));
    return { ...addressesOf(plans), link: together(homes.map(({ link }) => link)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function planOf(region: string): Promise<NodePlan> {
  const [port, opsPort] = [await freePort(), await freePort()];
  return { nodeId: `${region}-1`, region, host: '127.0.0.1', port, opsHost: '127.0.0.1', opsPort };
}

function addressesOf(plans: readonly NodePlan[]): Pick<TwoRegions, 'targets' | 'metrics'> {
  return {
    targets: plans.map((plan) => ({
      url: new URL(pageUrl(plan)).origin,
      region: plan.region,
      node: plan.nodeId,
    })),
    metrics: plans.map((plan) => ({ node: plan.nodeId, url: `${operatorsUrl(plan)}/metrics` })),
  };
}

function together(links: readonly Link[]): TwoRegions['link'] {
  return {
    set: (timing) => {
      for (const link of links) link.set(timing);
    },
    cut: () => {
      for (const link of links) link.cut();
    },
    mend: () => {
      for (const link of links) link.mend();
    },
  };
}
