import { randomBytes } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { type Clients, connectRedis, disconnect } from '../backplane/redis/connect.ts';
import { redisKeys } from '../backplane/redis/keys.ts';
import { parseRedisUrl, type RedisAddress } from '../backplane/redis/redis-url.ts';
import { type Finding, ok, within } from './finding.ts';
import type { NamedHome } from './homes.ts';
import { checkNamesakes } from './namesakes.ts';
import { checkLoop, checkRoundTrip } from './redis-loop.ts';
import { checkRights } from './redis-rights.ts';
import { factsOf, judgeServer, judgeShards } from './redis-server.ts';
import { unreachable } from './redis-unreachable.ts';

const READY_MS = 3_500;
const INFO_MS = 2_000;
/** What is said again and again while it is tried says nothing new. */
const ERRORS_MAX = 50;

/** That of all keys of a cluster. */
const PREFIX = 'fenghuo';

/** The node that the doctor was asked about. */
export interface Self {
  readonly nodeId: string;
  /** A node runs here now, likely this one. */
  readonly runsHere: boolean;
}

export interface Examined {
  readonly findings: readonly Finding[];
  /** Which servers they are, by whatever name they are reached, and which database of each. */
  readonly servers: readonly string[];
}

/** One home's Redis, with all its masters. */
export async function checkHome({ url, isLocal }: NamedHome, self: Self): Promise<Examined> {
  const address = parseRedisUrl(url);
  if (address === undefined) return { findings: [], servers: [] };
  const errors: Error[] = [];
  const clients = connectRedis(url, {
    connectionFailed: (_, error) => {
      if (errors.length < ERRORS_MAX) errors.push(error);
    },
    reconnected: () => {},
  });
  try {
    const isReady = await untilReady(clients, () => errors.length > 0 && address.kind === 'standalone');
    if (!isReady) {
      const isSilent = clients.commands.status === 'connect';
      return { findings: [unreachable(address, errors, { isSilent, isLocal })], servers: [] };
    }
    return await examine(clients, address, { isLocal, self });
  } finally {
    disconnect(clients);
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

async function examine(
  clients: Clients,
  address: RedisAddress,
  { isLocal, self }: { readonly isLocal: boolean; readonly self: Self },
): Promise<Examined> {
  const { commands } = clients;
  const id = randomBytes(6).toString('hex');
  const keys = redisKeys(`${PREFIX}:doctor-${id}`, address.database);
  const masters: Redis[] = commands.isCluster ? (commands as Cluster).nodes('master') : [commands as Redis];
  const where = (master: Redis) =>
    masters.length > 1 ? `${master.options.host}:${master.options.port} ` : '';
  const servers: string[] = [];
  let isGone = false;
  const judged = await Promise.all(
    masters.map(async (master) => {
      const rights = await checkRights(master, keys, {
        where: where(master),
        isInCluster: commands.isCluster,
      });
      try {
        const facts = factsOf(await within(INFO_MS, master.info()));
        const run = facts.get('run_id');
        if (run !== undefined) servers.push(`${run}/${address.database}`);
        return [...judgeServer(facts, address.kind, where(master)), ...rights];
      } catch (error) {
        // Where the right is missing, `rights` says so.
        if (rights.some(({ level }) => level === 'fault')) return rights;
        isGone = true;
        return [unreachable(address, [error as Error], { isSilent: true, isLocal })];
      }
    }),
  );
  const reached = ok('redis', `reached: ${address.kind}${address.isTls ? ', by TLS' : ''}`);
  const findings = [reached, ...judged.flat(), ...(commands.isCluster ? judgeShards(masters.length) : [])];
  // What is no Redis of ours answers other questions in ways that tell nothing.
  if (isGone || findings.some(({ level, check }) => level === 'fault' && check === 'redis'))
    return { findings, servers };
  findings.push(...(await checkRoundTrip(commands, isLocal)));
  const [loop, namesakes] = await Promise.all([
    checkLoop(clients, keys, id),
    // Where the right is missing, `rights` says so.
    isLocal ? checkNamesakes(commands, redisKeys(PREFIX, address.database), self).catch(() => []) : [],
  ]);
  findings.push(...loop, ...namesakes);
  return { findings, servers };
}
