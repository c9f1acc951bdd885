import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { loadScripts, type Scripts } from './scripts.ts';

export type Client = Redis | Cluster;

/** What both kinds of client take. */
type ClientOptions = Omit<RedisOptions, 'replyMapping' | 'scripts'> & { scripts?: Scripts };

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

/** What went wrong on a connection; reconnecting is the client's own business. */
export type OnConnectionError = (connection: keyof Clients, error: Error) => void;

/** Opens all connections; none of them is awaited. `url` as in REDIS_URL. Throws where it cannot be read. */
export function connectRedis(url: string, onError: OnConnectionError): Clients {
  const open = (name: keyof Clients, options: ClientOptions): Client => {
    const client = openOne(url, { ...COMMON, connectionName: `fenghuo-${name}`, ...options });
    client.on('error', (error: Error) => onError(name, error));
    client.on('node error', (error: Error) => onError(name, error));
    return client;
  };
  return {
    commands: open('commands', { scripts: loadScripts() }),
    subscriber: open('subscriber', SUBSCRIBER),
    adapterPublisher: open('adapterPublisher', {}),
    adapterSubscriber: open('adapterSubscriber', SUBSCRIBER),
  };
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
  const cluster = /^rediss?\+cluster:\/\//.test(url);
  const sentinel = /^rediss?\+sentinel:\/\//.test(url);
  if (!cluster && !sentinel) return new Redis(url, options);
  const { hosts, credentials, name, tls } = parseHosts(url);
  const shared: ClientOptions = { ...options, ...credentials, ...(tls ? { tls: {} } : {}) };
  if (sentinel) {
    return new Redis({
      ...shared,
      sentinels: hosts,
      name: name || 'mymaster',
      ...(tls ? { enableTLSForSentinelMode: true } : {}),
    });
  }
  const { scripts, ...redisOptions } = shared;
  return new Cluster(hosts, {
    ...(scripts === undefined ? {} : { scripts }),
    redisOptions,
    shardedSubscribers: true,
    enableOfflineQueue: false,
    slotsRefreshTimeout: 2_000,
    slotsRefreshInterval: 5_000,
    maxRedirections: 4,
    retryDelayOnFailover: 100,
    clusterRetryStrategy: (tries) => Math.min(100 * tries, 2_000),
  });
}

/** `redis+sentinel://user:password@h1:p1,h2:p2/name`: the standard URL parser knows one host alone. */
function parseHosts(url: string) {
  const match = /^redis(s?)\+\w+:\/\/(?:([^@/]*)@)?([^/]+)(?:\/(.*))?$/.exec(url);
  if (match === null)
    throw new Error('a Redis URL is redis+sentinel://h1:p1,h2:p2/master or redis+cluster://h1:p1,h2:p2');
  const [, secure, userinfo, hostList = '', name = ''] = match;
  const [username, password] = (userinfo ?? '').split(':').map(decodeURIComponent);
  const defaultPort = url.includes('+sentinel') ? 26_379 : 6_379;
  const hosts = hostList.split(',').map((entry) => {
    const { hostname, port } = new URL(`redis://${entry}`);
    return { host: hostname, port: port === '' ? defaultPort : Number(port) };
  });
  return {
    hosts,
    name,
    tls: secure === 's',
    credentials: { ...(username ? { username } : {}), ...(password ? { password } : {}) },
  };
}
