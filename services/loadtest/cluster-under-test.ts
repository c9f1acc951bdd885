import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { freePort, type NodePlan } from '@fenghuo/cluster';

import { type NodeUnderTest, nodeUnderTest } from './node-under-test.ts';
import { type RedisUnderTest, startRedisUnderTest } from './redis-under-test.ts';
import { type Sentinels, startSentinels } from './sentinels.ts';
import { type SilentProxy, startSilentProxy } from './silent-proxy.ts';

/** Nodes and their Redis, each a process of this machine on loopback. */
export interface ClusterUnderTest {
  readonly nodes: readonly NodeUnderTest[];
  /** The Redis that holds the data now. */
  redis(): Promise<RedisUnderTest>;
  readonly sentinels: Sentinels | undefined;
  /** Nodes that ended, or could not be brought back, without our doing. */
  readonly crashes: string[];
  /** Lines of the nodes' logs at level `error` or above, the first few. */
  readonly complaints: string[];
  /** Ends everything, and removes what it wrote but the logs. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly nodes: number;
  readonly redis: 'single' | 'sentinel';
  /** Puts a way that can go silent before each node, and between each node and Redis. */
  readonly hasSilentWays: boolean;
  readonly resumeWindowMs: number;
  /** Folder for the nodes' logs, kept afterwards. */
  readonly logsDir?: string;
  readonly logLevel: string;
  readonly settings?: Readonly<Record<string, string>>;
}

const COMPLAINTS_MAX = 50;
const REGIONS = ['beijing', 'shanghai', 'guangzhou'];

export async function startClusterUnderTest(options: ClusterOptions): Promise<ClusterUnderTest> {
  const closers: (() => Promise<void>)[] = [];
  const crashes: string[] = [];
  const complaints: string[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const { redisUrl, redis, sentinels } = await startBackplane(options, closers);
    if (options.logsDir !== undefined) mkdirSync(options.logsDir, { recursive: true });
    const proxied = async (port: number): Promise<SilentProxy> => {
      const proxy = await startSilentProxy(port);
      closers.push(() => proxy.stop());
      return proxy;
    };
    const ports = await distinctPorts(options.nodes * 2);
    const nodes: NodeUnderTest[] = [];
    for (let index = 0; index < options.nodes; index++) {
      const plan = planOf(index, ports);
      const toRedis = options.hasSilentWays ? await proxied((await redis()).port) : undefined;
      const fromClients = options.hasSilentWays ? await proxied(plan.port) : undefined;
      const node = nodeUnderTest({
        plan,
        redisUrl: toRedis === undefined ? redisUrl : `redis://127.0.0.1:${toRedis.port}`,
        settings: {
          RESUME_WINDOW_MS: String(options.resumeWindowMs),
          LOG_LEVEL: options.logLevel,
          ...options.settings,
        },
        ...(toRedis === undefined ? {} : { toRedis }),
        ...(fromClients === undefined ? {} : { fromClients }),
        ...(options.logsDir === undefined ? {} : { logFile: join(options.logsDir, `${plan.nodeId}.log`) }),
        crashed: (text) => void crashes.push(text),
        complained: (line) => void (complaints.length < COMPLAINTS_MAX && complaints.push(line)),
      });
      closers.push(() => node.stop());
      nodes.push(node);
    }
    await Promise.all(nodes.map((node) => node.start()));
    return { nodes, redis, sentinels, crashes, complaints, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBackplane(
  options: ClusterOptions,
  closers: (() => Promise<void>)[],
): Promise<{ redisUrl: string; redis: () => Promise<RedisUnderTest>; sentinels: Sentinels | undefined }> {
  if (options.redis === 'sentinel') {
    const sentinels = await startSentinels();
    closers.push(() => sentinels.stop());
    return { redisUrl: sentinels.url, redis: () => sentinels.master(), sentinels };
  }
  const redis = await startRedisUnderTest();
  closers.push(() => redis.stop());
  return { redisUrl: `redis://127.0.0.1:${redis.port}`, redis: async () => redis, sentinels: undefined };
}

function planOf(index: number, ports: readonly number[]): NodePlan {
  const region = REGIONS[index % REGIONS.length] as string;
  return {
    nodeId: `${region}-${Math.floor(index / REGIONS.length) + 1}`,
    region,
    host: '127.0.0.1',
    port: ports[2 * index] as number,
    opsHost: '127.0.0.1',
    opsPort: ports[2 * index + 1] as number,
  };
}

async function distinctPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}
