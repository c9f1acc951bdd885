import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { memoryHub, parseConfig, type RunningNode, startNode } from '../../services/signaling/index.ts';

export interface ClusterOptions {
  readonly nodes?: number;
  readonly backplane?: 'redis' | 'memory';
  /** Another Redis than the one all tests share; a list has one for each node's own way to it. */
  readonly redisUrl?: string | readonly string[];
  /** A Redis for each home, as this node reaches it; in place of the one. */
  readonly redisUrls?: (region: string, index: number) => string;
  /** The same as that of nodes before, to find what they left. */
  readonly keyPrefix?: string;
  /** Settings of every node, as environment variables. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Settings of each node's own, before those of all. */
  readonly settingsOf?: (index: number) => Readonly<Record<string, string>>;
  /** The wall clock of every node, by which tokens and TURN credentials tell the time. */
  readonly wallMs?: () => number;
}

export interface TestNode {
  readonly id: string;
  readonly region: string;
  /** Where clients connect and the page is. */
  readonly url: string;
  readonly opsUrl: string;
  /** As SIGTERM does: resolves once its clients are gone, and leaves the node running. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestCluster {
  readonly nodes: readonly [TestNode, TestNode, ...TestNode[]];
  readonly keyPrefix: string;
  stop(): Promise<void>;
}

const REGIONS = ['beijing', 'shanghai'];

/** Real nodes in this process, on free ports, with a key prefix of their own. */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const hub = memoryHub();
  const keyPrefix = options.keyPrefix ?? `test-${randomBytes(6).toString('hex')}`;
  const clock = options.wallMs === undefined ? {} : { wallMs: options.wallMs };
  const nodes: TestNode[] = [];
  for (let index = 0; index < (options.nodes ?? 2); index++) {
    const region = REGIONS[index % REGIONS.length] ?? 'beijing';
    const config = parseConfig({
      NODE_ID: `${region}-${Math.floor(index / REGIONS.length) + 1}`,
      REGION: region,
      HOST: '127.0.0.1',
      PORT: '0',
      OPS_PORT: '0',
      AUTH: 'open',
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
      ...redisSettings(options, region, index),
      ...options.settingsOf?.(index),
      ...options.settings,
    });
    nodes.push(describeNode(config.nodeId, region, await startNode(config, { hub, keyPrefix, ...clock })));
  }
  await Promise.all(nodes.map(untilReady));
  return {
    nodes: nodes as unknown as TestCluster['nodes'],
    keyPrefix,
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

function redisSettings(options: ClusterOptions, region: string, index: number) {
  if (options.backplane === 'memory') return {};
  if (options.redisUrls !== undefined) return { REDIS_URLS: options.redisUrls(region, index) };
  const redisUrl = options.redisUrl ?? inject('redisUrl');
  return { REDIS_URL: typeof redisUrl === 'string' ? redisUrl : redisUrl[index] };
}

function describeNode(id: string, region: string, node: RunningNode): TestNode {
  let stopped: Promise<void> | undefined;
  return {
    id,
    region,
    url: `http://127.0.0.1:${node.clientsPort}`,
    opsUrl: `http://127.0.0.1:${node.operatorsPort}`,
    drain: () => node.drain(),
    stop: () => {
      stopped ??= node.stop();
      return stopped;
    },
  };
}

async function untilReady(node: TestNode): Promise<void> {
  for (const endAt = Date.now() + 10_000; ; ) {
    const answer = await fetch(`${node.opsUrl}/readyz`);
    if (answer.ok) return;
    if (Date.now() > endAt) throw new Error(`${node.id} is not ready: ${await answer.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
