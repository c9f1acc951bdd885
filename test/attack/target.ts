import {
  findRedisServer,
  freePort,
  type NodeProcess,
  nodeEnvironment,
  StartFailure,
  startNodeProcess,
  startRedisServer,
} from '@fenghuo/cluster';
import { askRedis } from '@fenghuo/loadtest';
import { cpuUs, rssBytes } from '../bench/processes.ts';
import { comeAsOthersDo } from './priority.ts';

/** A node under attack, in a process of its own. */
export interface TargetNode {
  readonly port: number;
  readonly opsUrl: string;
  readonly pid: number;
  /** How it ended by itself, with the last words of its log; undefined while it lives. */
  readonly death: string | undefined;
}

/** Two nodes as an operator would have them, and their Redis. */
export interface Target {
  readonly nodes: readonly TargetNode[];
  readonly redis: () => Promise<RedisState>;
  stop(): Promise<void>;
}

export interface RedisState {
  readonly bytes: number;
  readonly keys: number;
}

const NODES = ['beijing-1', 'shanghai-1'];
/** Of the drill's rows one says: this Redis is full. */
const REDIS_ARGS = ['--maxmemory', '512mb', '--maxmemory-policy', 'noeviction'];
const REDIS_ANSWER_MS = 10_000;
const STOP_MS = 1_000;
const LINES_KEPT = 40;

/** Throws a StartFailure where it does not start; nothing runs then. */
export async function startTarget(
  settings: Readonly<Record<string, string>>,
  filesMax: number | undefined,
): Promise<Target> {
  const binary = findRedisServer();
  if (binary === undefined)
    throw new StartFailure('no redis-server on the PATH; install one (apt-get install redis-server).');
  const redis = await startRedisServer(binary, { args: REDIS_ARGS });
  comeAsOthersDo(redis.pid);
  const nodes: NodeProcess[] = [];
  let isStopping = false;
  const stop = async () => {
    isStopping = true;
    await Promise.all(nodes.map((node) => node.stop(STOP_MS)));
    await redis.stop();
  };
  try {
    const started = await Promise.all(
      NODES.map(async (nodeId): Promise<TargetNode> => {
        const plan = {
          nodeId,
          region: nodeId.split('-')[0] ?? '',
          host: '127.0.0.1',
          port: await freePort(),
          opsHost: '127.0.0.1',
          opsPort: await freePort(),
        };
        const env = { ...nodeEnvironment(plan, { REDIS_URL: redis.url }, inherited()), ...settings };
        const lines: string[] = [];
        const print = (line: string) => {
          lines.push(line);
          if (lines.length > LINES_KEPT) lines.shift();
        };
        const node = startNodeProcess(plan, env, print, filesMax === undefined ? {} : { filesMax });
        nodes.push(node);
        comeAsOthersDo(node.pid);
        await node.ready();
        let death: string | undefined;
        void node.ended.then((how) => {
          if (!isStopping) death = `${nodeId} ended with ${how}${causeIn(lines)}`;
        });
        return {
          port: plan.port,
          opsUrl: `http://127.0.0.1:${plan.opsPort}`,
          pid: node.pid,
          get death() {
            return death;
          },
        };
      }),
    );
    return { nodes: started, redis: () => redisState(redis.port), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The caller's environment, without settings of its own: a drill is of the defaults. */
function inherited(): Record<string, string | undefined> {
  return { PATH: process.env.PATH, HOME: process.env.HOME };
}

function causeIn(lines: readonly string[]): string {
  const cause = lines.findLast((line) => /\b(\w*Error)( \[\w+\])?: |FATAL ERROR/.test(line));
  return cause === undefined ? '' : `: ${cause.replace(/^\S+ \| /, '').slice(0, 160)}`;
}

async function redisState(port: number): Promise<RedisState> {
  try {
    const info = await askRedis(port, ['INFO', 'memory'], REDIS_ANSWER_MS);
    return {
      bytes: Number(/^used_memory:(\d+)/m.exec(info)?.[1]),
      keys: Number(await askRedis(port, ['DBSIZE'], REDIS_ANSWER_MS)),
    };
  } catch {
    return { bytes: Number.NaN, keys: Number.NaN };
  }
}

/** What a node's process takes; undefined once it has ended. */
export function usage({ pid, death }: TargetNode): { cpuUs: number; rssBytes: number } | undefined {
  if (death !== undefined) return undefined;
  try {
    return { cpuUs: cpuUs(pid), rssBytes: rssBytes(pid) };
  } catch {
    return undefined;
  }
}
