import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { parseRedisUrl, REDIS_URL_RULE } from './redis-url.ts';

export type Client = Redis | Cluster;

/** What both kinds of client take. */
type ClientOptions = Omit<RedisOptions, 'replyMapping' | 'scripts'>;

/** The connections of one node to one Redis. */
export interface Clients {
  /** Scripts; answers or fails, never queues. */
  readonly commands: Client;
  /** Doorbells. */
  readonly subscriber: Client;
  /** The socket.io adapter's own pair. */
  readonly adapterPublisher: Client;
  readonly adapterSubscriber: Client;
}

export type ConnectionName = keyof Clients;
export const CONNECTIONS: readonly ConnectionName[] = [
  'commands',
  'subscriber',
  'adapterPublisher',
  'adapterSubscriber',
];

/** Reconnecting is the client's own business. */
export interface ConnectionObserver {
  connectionFailed(connection: ConnectionName, error: Error): void;
  /** It is there again. */
  reconnected(connection: ConnectionName): void;
}

/** Opens all connections; none of them is awaited. `url` as in REDIS_URL. Throws where it cannot be read. */
export function connectRedis(url: string, observer: ConnectionObserver): Clients {
  const open = (name: ConnectionName, options: ClientOptions): Client => {
    const client = openOne(url, { ...COMMON, connectionName: `fenghuo-${name}`, ...options });
    client.on('error', (error: Error) => {
      observer.connectionFailed(name, error);
      if (isOfSelect(error)) client.disconnect(true);
    });
    client.on('node error', (error: Error) => observer.connectionFailed(name, error));
    let wasReady = false;
    client.on('ready', () => {
      if (wasReady) observer.reconnected(name);
      wasReady = true;
    });
    return client;
  };
  return {
    commands: open('commands', {}),
    subscriber: open('subscriber', SUBSCRIBER),
    adapterPublisher: open('adapterPublisher', {}),
    adapterSubscriber: open('adapterSubscriber', SUBSCRIBER),
  };
}

/** Where the database could not be chosen, ioredis would go on in database 0, which is somebody else's. */
function isOfSelect(error: Error & { readonly command?: { readonly name: string } }): boolean {
  return error.command?.name === 'select';
}

/**
 * Nothing waits in a queue while Redis is away, nothing is sent twice by the client itself (rule Q3), and a
 * connection on which an answer is overdue is given up: a frozen Redis still looks connected.
 */
const COMMON: ClientOptions = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 3_000,
  socketTimeout: 5_000,
  keepAlive: 5_000,
  retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 6), 2_000) * (0.5 + Math.random() / 2),
  reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 1 : false),
};

const SUBSCRIBER: ClientOptions = { maxRetriesPerRequest: null };

function openOne(url: string, options: ClientOptions): Client {
  const address = parseRedisUrl(url);
  if (address === undefined) throw new Error(`the Redis URL ${REDIS_URL_RULE}`);
  const { kind, hosts, master, database, family, isTls, credentials } = address;
  const shared: ClientOptions = {
    ...options,
    ...credentials,
    db: database,
    ...(family === undefined ? {} : { family }),
    ...(isTls ? { tls: {} } : {}),
  };
  const [first] = hosts;
  if (kind === 'standalone') return new Redis({ ...shared, ...first });
  if (kind === 'sentinel') {
    return new Redis({
      ...shared,
      sentinels: [...hosts],
      name: master,
      ...(isTls ? { enableTLSForSentinelMode: true } : {}),
    });
  }
  return new Cluster([...hosts], {
    redisOptions: shared,
    shardedSubscribers: true,
    enableOfflineQueue: false,
    slotsRefreshTimeout: 2_000,
    slotsRefreshInterval: 5_000,
    maxRedirections: 4,
    retryDelayOnFailover: 100,
    clusterRetryStrategy: (tries) => Math.min(100 * tries, 2_000),
  });
}
