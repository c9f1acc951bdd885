import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { ConnectionCauses, type ServerOptions } from './connection-cause.ts';
import { parseRedisUrl, REDIS_URL_RULE, type RedisAddress } from './redis-url.ts';

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
  /** `error` says why (certificate, password, DNS, refused), and holds no secret. */
  connectionFailed(connection: ConnectionName, error: Error): void;
  /** It is there again. */
  reconnected(connection: ConnectionName): void;
}

/** Opens all connections; none of them is awaited. `url` as in REDIS_URL. Throws where it cannot be read. */
export function connectRedis(url: string, observer: ConnectionObserver): Clients {
  const address = parseRedisUrl(url);
  if (address === undefined) throw new Error(`the Redis URL ${REDIS_URL_RULE}`);
  const causes = new ConnectionCauses(serversOf(address));
  const open = (name: ConnectionName, options: ClientOptions): Client => {
    const client = openOne(address, { ...COMMON, connectionName: `fenghuo-${name}`, ...options });
    const failed = (error: Error) => {
      if (isOfSelect(error)) client.disconnect(true);
      causes.explain(error, (cause) => observer.connectionFailed(name, cause));
    };
    client.on('error', failed);
    client.on('node error', failed);
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
 * Ends them for good, each at once or when its connecting has come to something: a TLS socket that is ended within its
 * handshake may emit a second error, which nobody hears any more, and which would end the process.
 */
export function disconnect(clients: Clients): void {
  for (const client of CONNECTIONS.map((name) => clients[name])) {
    if (client.isCluster || client.status !== 'connecting') client.disconnect();
    else for (const event of ['connect', 'close']) client.once(event, () => client.disconnect());
  }
}

const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Nothing waits in a queue while Redis is away, nothing is sent twice by the client itself (rule Q3), and a
 * connection on which an answer is overdue is given up: a frozen Redis still looks connected.
 */
const COMMON: ClientOptions = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_TIMEOUT_MS,
  socketTimeout: 5_000,
  keepAlive: 5_000,
  retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 6), 2_000) * (0.5 + Math.random() / 2),
  reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 1 : false),
};

const SUBSCRIBER: ClientOptions = { maxRetriesPerRequest: null };

function openOne(address: RedisAddress, options: ClientOptions): Client {
  const { kind, hosts, master, database, family, isTls, credentials } = address;
  const tlsTo = (host: string) => (isTls ? { tls: tlsOptions(host, address) } : {});
  const [first] = hosts;
  const shared: ClientOptions = {
    ...options,
    ...credentials,
    db: database,
    ...(family === undefined ? {} : { family }),
    ...tlsTo(''),
  };
  if (kind === 'standalone') return new Redis({ ...shared, ...first, ...tlsTo(first?.host ?? '') });
  if (kind === 'sentinel') {
    return new Redis({
      ...shared,
      sentinels: [...hosts],
      name: master,
      // What it maps to goes to tls.connect as it is.
      natMap: (key) => ({ ...serverAt(key), ...tlsTo(serverAt(key).host).tls }),
      ...(isTls ? { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions('', address) } : {}),
    });
  }
  return new Cluster(
    hosts.map((each) => ({ ...each, ...tlsTo(each.host) })),
    {
      redisOptions: shared,
      // What it maps to are options of the connection to that node.
      natMap: (key) => ({ ...serverAt(key), ...tlsTo(serverAt(key).host) }),
      // TLS asks for names, not for addresses; and a name that is not known fails a connection, which is told.
      dnsLookup: (name, then) => then(null, name),
      shardedSubscribers: true,
      enableOfflineQueue: false,
      slotsRefreshTimeout: 2_000,
      slotsRefreshInterval: 5_000,
      maxRedirections: 4,
      retryDelayOnFailover: 100,
      clusterRetryStrategy: (tries) => Math.min(100 * tries, 2_000),
    },
  );
}

/**
 * For a server as it was announced. Clusters and Sentinels announce addresses unless they are told to announce names: there
 * a certificate has to be for one of the names that the URL trusts.
 */
function tlsOptions(host: string, { hosts }: RedisAddress) {
  const names = hosts.map((each) => each.host).filter((name) => isIP(name) === 0);
  return {
    ...(host === '' || isIP(host) ? {} : { servername: host }),
    checkServerIdentity(...[server, certificate]: Parameters<typeof checkServerIdentity>) {
      const isTrusted = (name: string) => checkServerIdentity(name, certificate) === undefined;
      return isIP(server) && names.some(isTrusted) ? undefined : checkServerIdentity(server, certificate);
    },
  };
}

/** Those that the URL names, as they are reached alone: of a Sentinel that is no Redis, without the password of one. */
function serversOf(address: RedisAddress): ServerOptions[] {
  const { kind, hosts, credentials, isTls } = address;
  return hosts.map((server) => ({
    ...server,
    ...(kind === 'sentinel' ? {} : credentials),
    ...(isTls ? { tls: tlsOptions(server.host, address) } : {}),
    connectTimeout: CONNECT_TIMEOUT_MS,
  }));
}

/** Of `host:port`, as ioredis names servers. */
function serverAt(key: string): { host: string; port: number } {
  const colon = key.lastIndexOf(':');
  return { host: key.slice(0, colon), port: Number(key.slice(colon + 1)) };
}
