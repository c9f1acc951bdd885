import { freePort, type NodeProcess, nodeEnvironment, pageUrl, startNodeProcess } from '@fenghuo/cluster';

/** A node in a process of its own, which a test may end as an accident or an operator does. */
export interface ProcessNode {
  readonly id: string;
  /** Where clients connect and the page is. */
  readonly url: string;
  readonly opsUrl: string;
  /** SIGSTOP: its connections stay open, and nothing answers. */
  pause(): void;
  /** SIGKILL: no goodbye to anyone. */
  kill(): Promise<void>;
  /** SIGTERM, once: the node drains. Resolves, when it has ended, to how it did. */
  drain(): Promise<string>;
  /** How it ended, whyever it did. */
  readonly ended: Promise<string>;
}

export interface ProcessCluster {
  readonly nodes: readonly [ProcessNode, ProcessNode];
  stop(): Promise<void>;
}

/** beijing-1 and shanghai-1 on one Redis. */
export async function startNodeProcesses(
  redisUrl: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<ProcessCluster> {
  const processes: NodeProcess[] = [];
  const start = async (region: string): Promise<ProcessNode> => {
    const ports = { port: await freePort(), opsPort: await freePort() };
    const plan = { nodeId: `${region}-1`, region, host: '127.0.0.1', opsHost: '127.0.0.1', ...ports };
    const env = {
      ...nodeEnvironment(plan, { REDIS_URL: redisUrl }, process.env),
      LOG_LEVEL: 'error',
      ...settings,
    };
    const node = startNodeProcess(plan, env, () => {});
    processes.push(node);
    await node.ready();
    const end = async (signal: NodeJS.Signals) => {
      process.kill(node.pid, signal);
      return node.ended;
    };
    return {
      id: plan.nodeId,
      url: pageUrl(plan),
      opsUrl: `http://127.0.0.1:${plan.opsPort}`,
      pause: () => void process.kill(node.pid, 'SIGSTOP'),
      kill: async () => void (await end('SIGKILL')),
      drain: () => end('SIGTERM'),
      ended: node.ended,
    };
  };
  const stop = async () => void (await Promise.all(processes.map((node) => node.stop(0))));
  try {
    return { nodes: [await start('beijing'), await start('shanghai')], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
