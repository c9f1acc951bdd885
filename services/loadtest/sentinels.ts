import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterOurDeath, answersPing, findRedisServer, freePort, StartFailure } from '@fenghuo/cluster';

import { askRedis } from './redis-client.ts';
import { type RedisUnderTest, startRedisUnderTest } from './redis-under-test.ts';

/** A master, its replica, and three sentinels that agree by two. */
export interface Sentinels {
  readonly url: string;
  /** The one that is master now, as the sentinels say. */
  master(): Promise<RedisUnderTest>;
  /** Kills the master, and resolves once the sentinels name another; throws where they don't within half a minute. */
  failOver(): Promise<{ former: RedisUnderTest; master: RedisUnderTest }>;
  stop(): Promise<void>;
}

const NAME = 'fire';
const SENTINELS = 3;
const QUORUM = 2;
const DOWN_AFTER_MS = 1_500;
const STARTING_MS = 20_000;
const FAILOVER_MS = 30_000;
const POLL_MS = 100;

export async function startSentinels(): Promise<Sentinels> {
  const closers: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const first = await startRedisUnderTest();
    closers.push(() => first.stop());
    const second = await startRedisUnderTest(['--repl-diskless-sync-delay', '0']);
    closers.push(() => second.stop());
    await second.ask('REPLICAOF', '127.0.0.1', String(first.port));
    const ports: number[] = [];
    for (let count = 0; count < SENTINELS; count++) {
      const sentinel = await startSentinel(first.port);
      closers.push(sentinel.stop);
      ports.push(sentinel.port);
    }
    const servers = [first, second];
    const masterPort = async () => {
      const [, port] = (
        await askRedis(ports[0] as number, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME])
      ).split('\n');
      return Number(port);
    };
    const master = async () => {
      const port = await masterPort();
      const found = servers.find((server) => server.port === port);
      if (found === undefined)
        throw new Error(`the sentinels name a master on port ${port}, which is none of ours`);
      return found;
    };
    await until(() => isWatched(ports), STARTING_MS, 'the sentinels see the replica and each other');
    return {
      url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
      master,
      failOver: async () => {
        const former = await master();
        // A replica that is not up to date yet cannot take over, or would without the newest writes.
        await until(
          async () =>
            (await isWatched(ports)) && /state=online/.test(await former.ask('INFO', 'replication')),
          STARTING_MS,
          'the replica follows the master',
        );
        await former.kill();
        await until(async () => (await masterPort()) !== former.port, FAILOVER_MS, 'another master is named');
        return { former, master: await master() };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Only a sentinel that knows replica and fellows can have the one promoted by agreement with the others. */
async function isWatched(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) {
    const facts = await askRedis(port, ['INFO', 'sentinel']);
    if (
      !facts.includes(`status=ok`) ||
      !facts.includes('slaves=1') ||
      !facts.includes(`sentinels=${SENTINELS}`)
    )
      return false;
  }
  return true;
}

async function startSentinel(masterPort: number): Promise<{ port: number; stop(): Promise<void> }> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'fenghuo-chaos-sentinel-'));
  const file = join(dir, 'sentinel.conf');
  writeFileSync(
    file,
    [
      'bind 127.0.0.1',
      `port ${port}`,
      `dir ${dir}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      // A failover whose leader was not elected is tried again after twice this time.
      `sentinel failover-timeout ${NAME} 5000`,
      `sentinel parallel-syncs ${NAME} 1`,
      '',
    ].join('\n'),
  );
  const binary = findRedisServer() ?? 'redis-server';
  const child = spawn(binary, [file, '--sentinel'], { detached: true, stdio: 'ignore' });
  const guard = afterOurDeath('kill -9 "$0"; sleep 1; rm -rf "$1"', String(child.pid), dir);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async () => {
    guard.disarm();
    child.kill('SIGKILL');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await until(() => answersPing(port), STARTING_MS, `a sentinel answers on port ${port}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, stop };
}

async function until(probe: () => Promise<boolean>, withinMs: number, what: string): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const isTrue = await probe().catch(() => false);
    if (isTrue) return;
    if (performance.now() > deadline) throw new StartFailure(`not within ${withinMs / 1_000} s: ${what}`);
    await sleep(POLL_MS);
  }
}
