import { randomBytes } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { type Clients, connectRedis } from '../backplane/redis/connect.ts';
import { redisKeys } from '../backplane/redis/keys.ts';
import { parseRedisUrl, type RedisAddress } from '../backplane/redis/redis-url.ts';
import { type Finding, ok, within } from './finding.ts';
import type { NamedHome } from './homes.ts';
import { checkLoop, checkRoundTrip } from './redis-loop.ts';
import { checkRights } from './redis-rights.ts';
import { factsOf, judgeServer, judgeShards } from './redis-server.ts';
import { unreachable } from './redis-unreachable.ts';

const READY_MS = 3_500;
const INFO_MS = 2_000;
/** What is said again and again while it is tried says nothing new. */
const ERRORS_MAX = 50;

/** What a node needs of each home's Redis. All that is written lies under a prefix of its own for a minute at most. */
export async function checkRedis(homes: readonly NamedHome[]): Promise<Finding[]> {
  const findings = await Promise.all(
    homes.map(async (home) => (await checkHome(home)).map((finding) => ofHome(finding, home))),
  );
  return findings.flat();
}

/** What is found in one of several homes says in which, and where its URL stands. */
function ofHome(finding: Finding, { home, isOneOfSeveral }: NamedHome): Finding {
  if (!isOneOfSeveral) return finding;
  const put = (text: string) =>
    text
      .replace(/REDIS_URL=(\S+)/, (_, url: string) => `${home}=${url} in REDIS_URLS`)
      .replaceAll(/\bREDIS_URL\b/g, 'REDIS_URLS');
  return {
    ...finding,
    text: `${home}: ${put(finding.text)}`,
    ...(finding.cure === undefined ? {} : { cure: put(finding.cure) }),
  };
}

async function checkHome({ url, isLocal }: NamedHome): Promise<Finding[]> {
  const address = parseRedisUrl(url);
  if (address === undefined) return [];
  const errors: Error[] = [];
  const clients = connectRedis(url, {
    connectionFailed: (_, error) => {
      if (errors.length < ERRORS_MAX) errors.push(error);
    },
    reconnected: () => {},
  });
  try {
    const isReady = await untilReady(clients, () => errors.length > 0 && address.kind === 'standalone');
    if (!isReady)
      return [unreachable(address, errors, { isSilent: clients.commands.status === 'connect', isLocal })];
    return await examine(clients, address, isLocal);
  } finally {
    for (const client of [
      clients.commands,
      clients.subscriber,
      clients.adapterPublisher,
      clients.adapterSubscriber,
    ])
      client.disconnect();
  }
}

/** Waits for the connections that scripts and doorbells go over, unless it is clear that they will not come. */
async function untilReady(clients: Clients, isHopeless: () => boolean): Promise<boolean> {
  const needed = [clients.commands, clients.subscriber];
  const isReady = () => needed.every((client) => client.status === 'ready');
  return new Promise((resolve) => {
    const decide = (isOver: boolean) => {
      if (!isReady() && !isOver) return;
      clearTimeout(timer);
      resolve(isReady());
    };
    const timer = setTimeout(() => decide(true), READY_MS);
    for (const client of needed) {
      client.on('ready', () => decide(false));
      client.on('error', () => decide(isHopeless()));
    }
    decide(false);
  });
}

async function examine(clients: Clients, address: RedisAddress, isLocal: boolean): Promise<Finding[]> {
  const { commands } = clients;
  const id = randomBytes(6).toString('hex');
  const keys = redisKeys(`fenghuo:doctor-${id}`);
  const masters: Redis[] = commands.isCluster ? (commands as Cluster).nodes('master') : [commands as Redis];
  const where = (master: Redis) =>
    masters.length > 1 ? `${master.options.host}:${master.options.port} ` : '';
  const judged = await Promise.all(
    masters.map(async (master) => {
      const rights = await checkRights(master, keys, {
        where: where(master),
        isInCluster: commands.isCluster,
      });
      try {
        const facts = factsOf(await within(INFO_MS, master.info()));
        return [...judgeServer(facts, address.kind, where(master)), ...rights];
      } catch (error) {
        // Where the right is missing, `rights` says so.
        return rights.some(({ level }) => level === 'fault')
          ? rights
          : [unreachable(address, [error as Error], { isSilent: true, isLocal })];
      }
    }),
  );
  const reached = ok('redis', `reached: ${address.kind}${address.isTls ? ', by TLS' : ''}`);
  const findings = [reached, ...judged.flat(), ...(commands.isCluster ? judgeShards(masters.length) : [])];
  // What is no Redis of ours answers other questions in ways that tell nothing.
  if (findings.some(({ level, check }) => level === 'fault' && check === 'redis')) return findings;
  return [...findings, ...(await checkRoundTrip(commands, isLocal)), ...(await checkLoop(clients, keys, id))];
}
