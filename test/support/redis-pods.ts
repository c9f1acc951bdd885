import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterOurDeath } from '@fenghuo/cluster';
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';
import { freePort } from './ports.ts';

const run = promisify(execFile);
const COMPONENT = fileURLToPath(new URL('../../k8s/components/redis-sentinel/', import.meta.url));
const USERS = fileURLToPath(new URL('../../deploy/redis/users.acl', import.meta.url));
/** A second, so that no test waits longer for a failover than it has to. */
const DOWN_AFTER_MS = '1000';

/** The password of each user in deploy/redis/users.acl, as tests know it. */
export const passwordOf = (user: string) => `password-of-${user}`;

/** deploy/redis/users.acl as deploy/init writes it: with the hashes of the users' passwords. */
export function usersAcl(): string {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  return readFileSync(USERS, 'utf8').replaceAll(/@([A-Z]+)@/g, (_, user) =>
    hash(passwordOf(user.toLowerCase())),
  );
}

/** The pods of components/redis-sentinel without Kubernetes: its scripts, on three addresses of this machine. */
export interface RedisPods {
  /** For REDIS_URL. */
  readonly url: string;
  readonly hosts: readonly string[];
  /** Whom the Sentinel of a pod takes for the master. */
  master(askedAt: string): Promise<string>;
  /** Resolves once a Redis is the master of so many replicas. */
  untilFollowed(host: string, replicas: number): Promise<void>;
  /** Somebody who may do everything, at one pod's Redis. Closed by `stop`. */
  administrator(host: string): Redis;
  start(host: string): Promise<void>;
  /** As a machine dies: Redis and Sentinel at once. */
  kill(host: string): Promise<void>;
  /** What runs before a pod's Redis is stopped in order. */
  handOver(host: string): Promise<void>;
  stop(): Promise<void>;
}

/** Linux alone has more than one loopback address without asking for it. */
export async function startRedisPods(): Promise<RedisPods> {
  const folder = mkdtempSync(join(tmpdir(), 'fenghuo-redis-pods-'));
  const third = 1 + Math.floor(Math.random() * 250);
  const hosts = [1, 2, 3].map((last) => `127.77.${third}.${last}`);
  const ports = { PORT: String(await freePort()), SENTINEL_PORT: String(await freePort()) };
  const secrets = join(folder, 'secrets');
  mkdirSync(secrets);
  writeFileSync(join(secrets, 'users.acl'), usersAcl());
  writeFileSync(
    join(secrets, 'replication.conf'),
    `masteruser replica\nmasterauth ${passwordOf('replica')}\n`,
  );
  writeFileSync(
    join(secrets, 'sentinel_auth.conf'),
    `sentinel auth-user mymaster sentinel\nsentinel auth-pass mymaster ${passwordOf('sentinel')}\n`,
  );
  const guard = afterOurDeath('sleep 1; rm -rf "$0"', folder);
  const running = new Map<string, ChildProcess[]>();
  const administrators = new Map<string, Redis>();

  async function script(name: string, host: string): Promise<void> {
    const env = {
      ...process.env,
      ...ports,
      DOWN_AFTER_MS,
      PEERS: hosts.join(' '),
      SELF: host,
      BIND: host,
      DATA: join(folder, host),
      SECRETS: secrets,
    };
    await run('sh', [join(COMPONENT, name)], { env });
  }

  async function startRedis(host: string): Promise<void> {
    mkdirSync(join(folder, host), { recursive: true });
    await script('configure.sh', host);
    running.set(host, [serve(join(folder, host, 'redis.conf'))]);
  }

  function startSentinel(host: string): void {
    running.get(host)?.push(serve(join(folder, host, 'sentinel.conf'), '--sentinel'));
  }

  async function askSentinel(host: string, question: string): Promise<unknown[]> {
    const sentinel = new Redis({ host, port: Number(ports.SENTINEL_PORT), lazyConnect: true });
    sentinel.on('error', () => {});
    try {
      return (await sentinel.call('sentinel', question, 'mymaster')) as unknown[];
    } finally {
      sentinel.disconnect();
    }
  }

  const pods: RedisPods = {
    url: `redis+sentinel://fenghuo:${passwordOf('fenghuo')}@${hosts.map((host) => `${host}:${ports.SENTINEL_PORT}`)}/mymaster`,
    hosts,
    // Not `sentinel master`, which names the former one until the failover has ended.
    master: async (askedAt) => String((await askSentinel(askedAt, 'get-master-addr-by-name'))[0]),
    untilFollowed: (host, replicas) =>
      eventually(
        async () => {
          const [role, , followers] = (await pods.administrator(host).role()) as [string, number, unknown[]];
          if (role !== 'master' || followers.length !== replicas) throw new Error(JSON.stringify(followers));
        },
        { what: `${replicas} replicas of ${host}`, timeoutMs: 15_000, everyMs: 50 },
      ),
    administrator(host) {
      const login = { username: 'admin', password: passwordOf('admin') };
      const known = administrators.get(host);
      if (known !== undefined) return known;
      const client = new Redis({ host, port: Number(ports.PORT), ...login });
      client.on('error', () => {});
      administrators.set(host, client);
      return client;
    },
    async start(host) {
      await startRedis(host);
      startSentinel(host);
    },
    async kill(host) {
      await Promise.all((running.get(host) ?? []).map(kill));
      running.delete(host);
    },
    handOver: (host) => script('hand-over.sh', host),
    async stop() {
      for (const client of administrators.values()) client.disconnect();
      await Promise.all(hosts.map((host) => pods.kill(host)));
      guard.disarm();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all(hosts.map(startRedis));
    await pods.untilFollowed(hosts[0] ?? '', 2);
    // A Sentinel looks for replicas when it starts, and then every ten seconds.
    for (const host of hosts) startSentinel(host);
    for (const host of hosts)
      await eventually(
        async () => {
          const [replicas, sentinels] = await Promise.all([
            askSentinel(host, 'replicas'),
            askSentinel(host, 'sentinels'),
          ]);
          const found = `${replicas.length} replicas, ${sentinels.length} Sentinels`;
          if (found !== '2 replicas, 2 Sentinels') throw new Error(found);
        },
        { what: `a Sentinel at ${host} that knows the others`, timeoutMs: 15_000, everyMs: 100 },
      );
  } catch (error) {
    await pods.stop();
    throw error;
  }
  return pods;
}

function serve(config: string, ...args: readonly string[]): ChildProcess {
  const child = spawn('redis-server', [config, ...args], { stdio: 'ignore' });
  const guard = afterOurDeath('kill -9 "$0"', String(child.pid));
  child.once('exit', () => guard.disarm());
  return child;
}

function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
