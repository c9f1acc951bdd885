import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { Redis } from 'ioredis';

import { eventually } from './eventually.ts';
import { type LocalRedis, startLocalRedis } from './redis.ts';

const run = promisify(execFile);
/** Neither these ports nor the bus ports above them are given to outgoing connections. */
const PORT_MIN = 20_000;
const PORTS = 2_700;
const BUS_OFFSET = 10_000;
const PORT_TRIES = 100;

export interface RedisCluster {
  /** For REDIS_URL: `redis+cluster://127.0.0.1:p1,127.0.0.1:p2,127.0.0.1:p3`. */
  readonly url: string;
  readonly masters: readonly LocalRedis[];
  /** How many keys of this pattern lie on each master, in the order of `masters`. */
  keysPerMaster(pattern: string): Promise<number[]>;
  stop(): Promise<void>;
}

/** Three masters on loopback, made one by `redis-cli --cluster create`, each of them sure that the cluster is whole. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const masters: LocalRedis[] = [];
  const stop = async () => void (await Promise.all(masters.map((master) => master.stop())));
  try {
    for (let count = 0; count < 3; count += 1) masters.push(await startMaster());
    const hosts = masters.map((master) => `127.0.0.1:${master.port}`);
    await run('redis-cli', ['--cluster', 'create', ...hosts, '--cluster-replicas', '0', '--cluster-yes']);
    for (const master of masters) await untilWhole(master);
    return {
      url: `redis+cluster://${hosts.join(',')}`,
      masters,
      keysPerMaster: (pattern) => Promise.all(masters.map((master) => countKeys(master, pattern))),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The cluster's bus takes the port 10 000 higher, so both have to be free; a clash is tried again elsewhere. */
async function startMaster(): Promise<LocalRedis> {
  let failure: unknown;
  for (let count = 0; count < PORT_TRIES; count += 1) {
    const port = PORT_MIN + Math.floor(Math.random() * PORTS);
    try {
      const args = ['--cluster-enabled', 'yes', '--cluster-port', String(port + BUS_OFFSET)];
      return await startLocalRedis({ port, args: [...args, '--cluster-node-timeout', '5000'] });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function untilWhole(master: LocalRedis): Promise<void> {
  await withClient(master, async (redis) => {
    await eventually(
      async () => {
        const info = String(await redis.call('CLUSTER', 'INFO'));
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
      },
      { timeoutMs: 15_000, what: `the Redis Cluster is whole in the eyes of port ${master.port}` },
    );
  });
}

async function countKeys(master: LocalRedis, pattern: string): Promise<number> {
  return withClient(master, async (redis) => (await redis.keys(pattern)).length);
}

async function withClient<T>(master: LocalRedis, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(master.url);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}
