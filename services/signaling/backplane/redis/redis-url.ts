/** A REDIS_URL, read. */
export interface RedisAddress {
  readonly kind: 'standalone' | 'sentinel' | 'cluster';
  /** One, but for sentinels and a Cluster. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** Under which sentinels know the master. */
  readonly master: string;
  /** A Cluster has 0 alone. */
  readonly database: number;
  /** Of the addresses that a host's name has: those of IPv4 or IPv6 alone; undefined: either. */
  readonly family: 4 | 6 | undefined;
  readonly isTls: boolean;
  readonly credentials: { readonly username?: string; readonly password?: string };
}

export const REDIS_URL_RULE =
  'must be redis://h/0, rediss://h/0, redis+sentinel://h1,h2/master/0 or redis+cluster://h1,h2, each host with :port where it needs one; %-encode what is special in a password';
const USER_RULE =
  'must hold a password with its user, as in redis://USER:PASSWORD@h or redis://:PASSWORD@h; %-encode what is special in them';
const DATABASE_RULE = 'must end with the number of a database, like redis://h/0, or with nothing';
const SENTINEL_RULE =
  'must end with the name of the master, like redis+sentinel://h1,h2/master, and the number of a database where it is not 0';
const CLUSTER_RULE = 'must end with the hosts: a Cluster has no databases';
const QUERY_RULE = 'knows two options, ?db=N for a database and ?family=4 or 6 for the addresses of a host';
const TWICE_RULE = 'must name one database, in its path or as ?db=N';

const SENTINEL_PORT = 26_379;
const PORT = 6_379;
/** The name that Redis's own examples give a master. */
const MASTER = 'mymaster';

/** A REDIS_URL cannot be read. The message says why, and holds no part of the URL. */
class UrlFault extends Error {}

/** Undefined where it cannot be read: `redisUrlFault` says why. */
export function parseRedisUrl(url: string): RedisAddress | undefined {
  try {
    return read(url);
  } catch {
    return undefined;
  }
}

/** Says why a URL cannot be read, without any part of it, which may be a secret. Undefined: it can. */
export function redisUrlFault(url: string): string | undefined {
  try {
    read(url);
    return undefined;
  } catch (error) {
    return error instanceof UrlFault ? error.message : REDIS_URL_RULE;
  }
}

/** The standard URL parser knows one host alone. Throws where it cannot be read. */
function read(url: string): RedisAddress {
  const [whole, secure, kind = 'standalone', authority = '', path = '', query = ''] =
    /^redis(s?)(?:\+(sentinel|cluster))?:\/\/([^/?#\s]+)(?:\/([^?#\s@]*))?(?:\?([^#\s@]*))?$/.exec(url) ?? [];
  if (whole === undefined) throw new UrlFault(REDIS_URL_RULE);
  const credentialsEnd = authority.lastIndexOf('@');
  const entries = authority.slice(credentialsEnd + 1).split(',');
  if (kind === 'standalone' && entries.length > 1) throw new UrlFault(REDIS_URL_RULE);
  const defaultPort = kind === 'sentinel' ? SENTINEL_PORT : PORT;
  const parts = path.split('/').map(decodeURIComponent);
  const options = readQuery(query);
  return {
    kind: kind as RedisAddress['kind'],
    hosts: entries.map((entry) => hostOf(entry, defaultPort)),
    ...WHERE[kind as RedisAddress['kind']](parts, options.get('db')),
    family: familyOf(options.get('family')),
    isTls: secure === 's',
    credentials: credentialsOf(authority.slice(0, Math.max(credentialsEnd, 0))),
  };
}

/** Each kind reads its path in its own way. */
const WHERE: Readonly<
  Record<
    RedisAddress['kind'],
    (path: readonly string[], db: string | undefined) => Pick<RedisAddress, 'master' | 'database'>
  >
> = {
  standalone: ([database, ...rest], db) => {
    if (rest.length > 0) throw new UrlFault(DATABASE_RULE);
    return { master: '', database: databaseOf(database, db, DATABASE_RULE) };
  },
  sentinel: ([master, database, ...rest], db) => {
    if (rest.length > 0) throw new UrlFault(SENTINEL_RULE);
    return { master: master || MASTER, database: databaseOf(database, db, SENTINEL_RULE) };
  },
  cluster: (path, db) => {
    if (path.length > 1 || databaseOf(path[0], db, CLUSTER_RULE) > 0) throw new UrlFault(CLUSTER_RULE);
    return { master: '', database: 0 };
  },
};

function databaseOf(inPath: string | undefined, db: string | undefined, rule: string): number {
  if (inPath && db !== undefined) throw new UrlFault(TWICE_RULE);
  const text = db ?? (inPath || '0');
  if (!/^\d{1,9}$/.test(text)) throw new UrlFault(db === undefined ? rule : QUERY_RULE);
  return Number(text);
}

function readQuery(query: string): ReadonlyMap<string, string> {
  const options = [...new URLSearchParams(query)];
  const byName = new Map(options);
  const isKnown = options.every(([name]) => name === 'db' || name === 'family');
  if (!isKnown || byName.size < options.length) throw new UrlFault(QUERY_RULE);
  return byName;
}

function familyOf(text: string | undefined): RedisAddress['family'] {
  if (text === undefined) return undefined;
  if (text !== '4' && text !== '6') throw new UrlFault(QUERY_RULE);
  return text === '4' ? 4 : 6;
}

function hostOf(entry: string, defaultPort: number) {
  const { hostname, port } = new URL(`redis://${entry}`);
  if (hostname === '' || port === '0') throw new UrlFault(REDIS_URL_RULE);
  return { host: hostname.replace(/^\[(.+)\]$/, '$1'), port: port === '' ? defaultPort : Number(port) };
}

function credentialsOf(text: string): RedisAddress['credentials'] {
  const colon = text.indexOf(':');
  if (text !== '' && (colon < 0 || colon === text.length - 1 || text.includes('@')))
    throw new UrlFault(USER_RULE);
  const username = decodeURIComponent(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? '' : decodeURIComponent(text.slice(colon + 1));
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

/** One home of rooms, and the Redis that it is. */
export interface RedisHome {
  readonly home: string;
  readonly url: string;
}

export const REDIS_URLS_RULE =
  'must be one or several of name=URL, separated by blanks; each name once, of 1 to 64 of A-Z a-z 0-9 _ -, best that of its region; each URL as in REDIS_URL';

/** Says what is wrong with the list, or with one of its URLs. Undefined: nothing is. */
export function redisUrlsFault(text: string): string | undefined {
  if (parseRedisUrls(text) !== undefined) return undefined;
  const urls = text.split(/\s+/).map((part) => part.slice(part.indexOf('=') + 1));
  const fault = urls
    .map((url) => redisUrlFault(url))
    .find((each) => each !== undefined && each !== REDIS_URL_RULE);
  return fault === undefined ? REDIS_URLS_RULE : `holds a URL that ${fault}`;
}

/** Undefined where a part of it cannot be read: `redisUrlsFault` says why. */
export function parseRedisUrls(text: string): readonly RedisHome[] | undefined {
  const homes: RedisHome[] = [];
  for (const part of text.split(/\s+/).filter((each) => each !== '')) {
    const [, home = '', url = ''] = /^([A-Za-z0-9_-]{1,64})=(.+)$/.exec(part) ?? [];
    if (parseRedisUrl(url) === undefined || homes.some((each) => each.home === home)) return undefined;
    homes.push({ home, url });
  }
  return homes.length === 0 ? undefined : homes;
}
