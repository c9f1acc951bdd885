import type { Cluster } from 'ioredis';
import type { Backplane, BackplaneHealth, BackplaneOptions } from '../backplane.ts';
import type { OnMalformed } from '../malformed.ts';
import type { OnFailed } from '../tasks.ts';
import { redisAdapter } from './adapter.ts';
import { redisClaims } from './claims.ts';
import {
  type CommandObserver,
  roomScriptRunner,
  roomsScriptCaller,
  scriptRunner,
  withDeadline,
} from './commands.ts';
import {
  type Client,
  type Clients,
  CONNECTIONS,
  type ConnectionName,
  type ConnectionObserver,
  connectRedis,
  disconnect,
} from './connect.ts';
import { redisDirectory } from './directory.ts';
import { type DoorbellObserver, redisDoorbell } from './doorbell.ts';
import { redisEntryLimits } from './entry-limits.ts';
import { redisJournal } from './journal.ts';
import { type Keys, redisKeys } from './keys.ts';
import { redisLeases } from './leases.ts';
import { Lives } from './lives.ts';
import { mender } from './mend.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { redisRebuilds } from './rebuilds.ts';
import { parseRedisUrl } from './redis-url.ts';
import { redisRoomLog } from './room-log.ts';
import { scriptCalls } from './script-calls.ts';

export interface RedisBackplaneOptions extends BackplaneOptions {
  readonly url: string;
  /** The name of the one home that this Redis is. */
  readonly home: string;
  readonly keyPrefix?: string;
  readonly observer: RedisObserver;
}

export interface RedisObserver
  extends Omit<CommandObserver, 'unsealed' | 'restoring' | 'rejected'>,
    ConnectionObserver,
    DoorbellObserver {
  adapterFailed(error: Error): void;
  readonly malformed: OnMalformed;
  readonly failed: OnFailed;
}

const PING_EVERY_MS = 2_000;
const PING_TIMEOUT_MS = 1_000;
/** Health is told from what was seen lately. */
const SEEN_LATELY_MS = 5_000;

/** One Redis (standalone, Sentinel or Cluster) as the backplane. Connecting is not awaited: `health` tells. */
export function redisBackplane(options: RedisBackplaneOptions): Backplane {
  const { incarnation, observer, bounds } = options;
  const keys = redisKeys(options.keyPrefix ?? 'fenghuo', parseRedisUrl(options.url)?.database ?? 0);
  const failures = new Map<ConnectionName, string>();
  const clients = connectRedis(options.url, {
    ...observer,
    connectionFailed(connection, error) {
      if (clients[connection].status !== 'ready') failures.set(connection, error.message);
      observer.connectionFailed(connection, error);
    },
  });
  for (const connection of CONNECTIONS)
    clients[connection].on('ready', () => void failures.delete(connection));
  const pulse = takePulse(clients, keys, {
    meet(life, isMarked) {
      if (!isMarked) lives.unseal(life);
      if (!lives.isSealed(life)) rebuilds.onUnsealed(life);
    },
    failed: (error) => mend([keys.marker], error),
  });
  const lives = new Lives(keys, clients.commands.isCluster);
  const commandObserver: CommandObserver = {
    ...observer,
    unsealed: (life) => rebuilds.onUnsealed(life),
    restoring: (room, life) => rebuilds.onUnopened(room, life),
    rejected: (failed, error) => mend(failed, error),
  };
  const send = scriptCalls(clients.commands, commandObserver);
  const run = scriptRunner(send, commandObserver);
  const { isCluster } = clients.commands;
  const { malformed } = observer;
  const mend = mender(run, keys, isCluster, malformed);
  const rebuilds = redisRebuilds(run, keys, lives, malformed);
  const isReallySealed = async () =>
    !isCluster || ((await pulse.beat()) && healthFrom(pulse, lives, 0, failures).isSealed);
  const scripts = { send, keys, lives, observer: commandObserver, isReallySealed };
  const runInRoom = roomScriptRunner(run, scripts);
  const callInRooms = roomsScriptCaller(scripts);
  const doorbell = redisDoorbell({
    subscriber: clients.subscriber,
    publisher: clients.commands,
    keys,
    incarnation,
    observer,
    host: async (room, how) => (await runInRoom('host', room, [], keys.channel(incarnation), how)).ok,
  });
  const rooms = redisRoomLog({ runInRoom, callInRooms }, keys, {
    incarnation,
    bounds,
    isCluster,
    onAppended: (room, record, text) => doorbell.onRing(room, record, text),
    onUnknown: (room) => doorbell.onDoubt(room),
    onFailed: observer.failed,
    onMalformed: malformed,
  });
  const shared = {
    run,
    runInRoom,
    client: clients.commands,
    keys,
    home: options.home,
    onMalformed: malformed,
  };
  return {
    kind: 'redis',
    home: options.home,
    rooms,
    claims: redisClaims(run, runInRoom, keys, isCluster, malformed),
    leases: redisLeases({ ...shared, bounds, mend }),
    directory: redisDirectory(shared),
    journal: redisJournal(clients.commands, keys, malformed, mend),
    entries: redisEntryLimits(clients.commands, keys, options.entriesPerMinute ?? {}),
    rebuilds,
    doorbell,
    adapter: redisAdapter(clients, keys, observer),
    health: () => healthFrom(pulse, lives, doorbell.silentForMs(), failures),
    async close() {
      doorbell.close();
      pulse.stop();
      disconnect(clients);
    },
  };
}

interface Pulse {
  answers: boolean;
  /** Of all masters, as they were met last. */
  lives: readonly string[];
  problem: string | undefined;
  /** Resolves to whether all masters answered. */
  beat(): Promise<boolean>;
  stop(): void;
}

/** Asks every connection every two seconds: a frozen Redis looks connected until something is overdue. */
function takePulse(
  clients: Clients,
  keys: Keys,
  on: { meet(life: string, isMarked: boolean): void; failed(error: Error): void },
): Pulse {
  let evicts: string | undefined;
  const beat = oneAtATime(async () => {
    try {
      pulse.lives = await withDeadline(livesOf(clients.commands), PING_TIMEOUT_MS);
      // Each of them is to be met, so that its home is sealed before a client waits for it.
      const marks = await withDeadline(clients.commands.hmget(keys.marker, ...pulse.lives), PING_TIMEOUT_MS);
      pulse.lives.forEach((life, at) => {
        on.meet(life, typeof marks[at] === 'string');
      });
      pulse.problem = evicts;
      pulse.answers = evicts === undefined;
      return true;
    } catch (error) {
      pulse.answers = false;
      pulse.problem = (error as Error).message;
      on.failed(error as Error);
      return false;
    }
  });
  const pulse: Pulse = {
    answers: false,
    lives: [],
    problem: 'not yet connected',
    beat,
    stop: () => clearInterval(timer),
  };
  const timer = setInterval(() => {
    void beat();
    for (const client of [clients.adapterPublisher, clients.subscriber, clients.adapterSubscriber]) {
      if (client.status === 'ready') client.ping().catch(() => {});
    }
  }, PING_EVERY_MS);
  clients.commands.on('ready', async () => {
    evicts = await evictionProblem(clients.commands);
    await beat();
  });
  return pulse;
}

/** The replication ids of all masters: one, or those of a Cluster's shards. */
function livesOf(client: Client): Promise<string[]> {
  const masters = client.isCluster ? (client as Cluster).nodes('master') : [client];
  return Promise.all(
    masters.map(async (master) => /master_replid:(\w+)/.exec(await master.info('replication'))?.[1] ?? ''),
  );
}

/** An evicting Redis would lose rooms in silence (rule D7). Unknown where INFO is forbidden. */
async function evictionProblem(client: Client): Promise<string | undefined> {
  const info = await withDeadline(client.info('memory'), PING_TIMEOUT_MS).catch(() => '');
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return undefined;
  return `Redis evicts keys (maxmemory-policy ${policy}): set it to noeviction`;
}

function healthFrom(
  pulse: Pulse,
  lives: Lives,
  silentForMs: number,
  failures: ReadonlyMap<ConnectionName, string>,
): BackplaneHealth {
  const rings = silentForMs < SEEN_LATELY_MS;
  const isSealed = pulse.lives.length > 0 && pulse.lives.every((life) => lives.isSealed(life));
  const lost = (connection: ConnectionName) => {
    const why = failures.get(connection);
    return why && `Redis cannot be reached: ${why}`;
  };
  const deaf = rings ? undefined : (lost('subscriber') ?? 'subscribed, but nothing is heard');
  const problem = (pulse.answers ? undefined : lost('commands')) ?? pulse.problem ?? deaf;
  return {
    answers: pulse.answers,
    isSealed,
    rings,
    ...(problem === undefined ? {} : { problem }),
  };
}
