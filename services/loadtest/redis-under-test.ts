import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  afterOurDeath,
  findRedisServer,
  type RedisServer,
  StartFailure,
  startRedisServer,
} from '@fenghuo/cluster';

import { askRedis } from './redis-client.ts';

/** A Redis that a run may freeze, kill and bring back, with its data, without, or with older ones. */
export interface RedisUnderTest {
  readonly port: number;
  readonly pid: number;
  /** Sends one command. Rejects where it gets no answer in time, or an error. */
  ask(...command: readonly string[]): Promise<string>;
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
  /** After `kill`; on the same port. Throws where it does not come up. */
  start(data: 'kept' | 'none' | 'copy', args?: readonly string[]): Promise<void>;
  /** Writes the data to a file, from which `start('copy')` begins. */
  copy(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Appends every change to its file before it answers. Not synced to the disk each time: what a killed process has
 * written stays, and it is the process that dies here, not the machine.
 */
const KEEP_ALL = ['--appendonly', 'yes', '--appendfsync', 'no'];
const COPY = 'copy.rdb';
const DUMP = 'dump.rdb';

export async function startRedisUnderTest(args: readonly string[] = []): Promise<RedisUnderTest> {
  const binary = findRedisServer();
  if (binary === undefined)
    throw new StartFailure(
      'no redis-server or valkey-server on the PATH; install one (apt-get install redis-server).',
    );
  const dir = mkdtempSync(join(tmpdir(), 'fenghuo-chaos-redis-'));
  const guard = afterOurDeath('sleep 1; rm -rf "$0"', dir);
  const removeDir = () => {
    guard.disarm();
    rmSync(dir, { recursive: true, force: true });
  };
  const launch = (port: number | undefined, more: readonly string[]) =>
    startRedisServer(binary, { dir, args: more, ...(port === undefined ? {} : { port }) });
  let server: RedisServer;
  try {
    server = await launch(undefined, [...KEEP_ALL, ...args]);
  } catch (error) {
    removeDir();
    throw error;
  }
  const { port } = server;
  const ask = (...command: readonly string[]) => askRedis(port, command);
  const signal = (name: NodeJS.Signals) => void process.kill(server.pid, name);

  async function start(data: 'kept' | 'none' | 'copy', more: readonly string[] = []): Promise<void> {
    if (data !== 'kept') {
      for (const name of readdirSync(dir)) {
        if (name !== COPY) rmSync(join(dir, name), { recursive: true, force: true });
      }
    }
    if (data !== 'copy') {
      server = await launch(port, [...KEEP_ALL, ...args, ...more]);
      return;
    }
    // With its append-only file on, it would begin from that one, which is not there.
    copyFileSync(join(dir, COPY), join(dir, DUMP));
    server = await launch(port, [...args, ...more]);
    await ask('CONFIG', 'SET', 'appendfsync', 'no');
    await ask('CONFIG', 'SET', 'appendonly', 'yes');
  }

  return {
    port,
    get pid() {
      return server.pid;
    },
    ask,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    kill: async () => {
      signal('SIGKILL');
      await server.ended;
      await server.stop();
    },
    start,
    copy: async () => {
      await ask('SAVE');
      copyFileSync(join(dir, DUMP), join(dir, COPY));
    },
    stop: async () => {
      await server.stop();
      removeDir();
    },
  };
}
