import { regionsReply } from '@fenghuo/protocol';
import { startCluster, type TestCluster } from './cluster.ts';
import { startDelayProxy } from './delay-proxy.ts';
import { eventually } from './eventually.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import type { TwoRegionsOptions } from './two-regions.ts';

/** Where clients enter a region: at its first node, so far from them. */
export interface Entrance extends TcpProxy {
  readonly url: string;
}

export interface TestRegions {
  readonly cluster: TestCluster;
  readonly beijing: Entrance;
  readonly shanghai: Entrance;
  stop(): Promise<void>;
}

/** Beijing is 2 ms from clients and Shanghai this much: each way in, what they send waits that long. */
export const SHANGHAI_MS = 50;
const BEIJING_MS = 2;

/**
 * Nodes in two regions, which tell where each region is entered. Resolves when all of them know both. `start`: by default
 * the regions share one Redis.
 */
export async function startRegions({
  nodes = 2,
  start = startCluster,
}: {
  readonly nodes?: 2 | 4;
  readonly start?: (options: Pick<TwoRegionsOptions, 'nodes' | 'settingsOf'>) => Promise<TestCluster>;
} = {}): Promise<TestRegions> {
  let cluster: TestCluster | undefined;
  const enter = async (index: number, delayMs: number): Promise<Entrance> => {
    const port = () => Number(new URL(cluster?.nodes[index]?.url ?? '').port);
    const proxy = await startDelayProxy(port, () => delayMs);
    return { ...proxy, url: `http://127.0.0.1:${proxy.port}` };
  };
  const beijing = await enter(0, BEIJING_MS);
  const shanghai = await enter(1, SHANGHAI_MS);
  const entrances = [beijing, shanghai];
  const started = await start({
    nodes,
    settingsOf: (index) => ({ PUBLIC_URL: entrances[index % 2]?.url ?? '' }),
  });
  cluster = started;
  for (const { id, url } of started.nodes) {
    const knowsAll = async () => {
      const { regions } = regionsReply.parse(await (await fetch(`${url}/regions`)).json());
      return regions.reduce((sum, { nodes }) => sum + nodes, 0) === started.nodes.length;
    };
    await eventually(knowsAll, { what: `${id} knows the nodes of both regions` });
  }
  return {
    cluster: started,
    beijing,
    shanghai,
    async stop() {
      await started.stop();
      await Promise.all(entrances.map((entrance) => entrance.stop().catch(() => {}))); // A test may have stopped it.
    },
  };
}
