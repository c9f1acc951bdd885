import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterOurDeath, findRedisServer, type RedisServer, startRedisServer } from '@fenghuo/cluster';
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';

/** A real redis-server on loopback that a test may freeze, kill and bring back. Nothing of it outlives the test process. */
export interface LocalRedis {
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now: another one after `restart`. */
  readonly pid: number;
  /** Freezes it: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Ends it in order where it still runs, and starts it on the same port and folder. With `aof` its data are kept. */
  restart(): Promise<void>;
  /** Takes all its data from under it while it runs. */
  flush(): Promise<void>;
  /** Writes its data to the file from which it comes back. */
  save(): Promise<void>;
  stop(): Promise<void>;
}

export interface LocalRedisOptions {
  /** Writes every change to disk before it answers, so that neither `kill` nor `restart` loses one. */
  readonly aof?: boolean;
  readonly port?: number;
  /** More of redis-server's arguments. */
  readonly args?: readonly string[];
}

export async function startLocalRedis(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  const binary = findRedisServer();
  if (binary === undefined)
    throw new Error('no redis-server on the PATH: skip this test by capabilities.redisServer');
  const dir = mkdtempSync(join(tmpdir(), 'fenghuo-test-redis-'));
  const args = [
    ...(options.aof ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []),
    ...(options.args ?? []),
  ];
  // A test process that is killed leaves nothing: the server has such a guard too, and ends first.
  const guard = afterOurDeath('sleep 1; rm -rf "$0"', dir);
  const removeDir = () => {
    guard.disarm();
    rmSync(dir, { recursive: true, force: true });
  };
  const start = (port: number | undefined) =>
    startRedisServer(binary, { dir, args, ...(port === undefined ? {} : { port }) });

  let server: RedisServer;
  try {
    server = await start(options.port);
  } catch (error) {
    removeDir();
    throw error;
  }
  const { url, port } = server;
  const command = async (run: (client: Redis) => Promise<unknown>) => {
    const client = new Redis(url);
    await run(client).finally(() => client.disconnect());
  };
  const signal = (name: NodeJS.Signals) => process.kill(server.pid, name);
  return {
    url,
    port,
    get pid() {
      return server.pid;
    },
    pause: () => void signal('SIGSTOP'),
    resume: () => void signal('SIGCONT'),
    kill: async () => {
      signal('SIGKILL');
      await server.ended;
      await server.stop();
    },
    restart: async () => {
      await server.stop();
      // Whoever looks for a free port tries this one for a moment, too.
      server = await eventually(() => start(port), { what: 'a server on the port it had' });
    },
    flush: () => command((client) => client.flushall()),
    save: () => command((client) => client.save()),
    stop: async () => {
      await server.stop();
      removeDir();
    },
  };
}
