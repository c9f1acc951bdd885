/** What a REDIS_URL says. */
export interface RedisAddress {
  readonly kind: 'standalone' | 'sentinel' | 'cluster';
  /** One, but for sentinels and a Cluster. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** What stands behind the hosts: sentinels' name of the master, or a standalone Redis's database. */
  readonly path: string;
  readonly isTls: boolean;
  readonly credentials: { readonly username?: string; readonly password?: string };
}

export const REDIS_URL_RULE =
  'must be redis://h, rediss://h, redis+sentinel://h1,h2/master or redis+cluster://h1,h2, each host with :port where it needs one; %-encode what is special in a password';

const SENTINEL_PORT = 26_379;
const PORT = 6_379;

/** Undefined where it cannot be read. The standard URL parser knows one host alone. */
export function parseRedisUrl(url: string): RedisAddress | undefined {
  const [, secure, kind = 'standalone', authority = '', path = ''] =
    /^redis(s?)(?:\+(sentinel|cluster))?:\/\/([^/?#\s]+)(?:\/([^?#\s]*))?(?:\?\S*)?$/.exec(url) ?? [];
  const credentialsEnd = authority.lastIndexOf('@');
  const entries = authority.slice(credentialsEnd + 1).split(',');
  if (kind === 'standalone' && entries.length > 1) return undefined;
  const defaultPort = kind === 'sentinel' ? SENTINEL_PORT : PORT;
  try {
    return {
      kind: kind as RedisAddress['kind'],
      hosts: entries.map((entry) => hostOf(entry, defaultPort)),
      path,
      isTls: secure === 's',
      credentials: credentialsOf(authority.slice(0, Math.max(credentialsEnd, 0))),
    };
  } catch {
    return undefined;
  }
}

function hostOf(entry: string, defaultPort: number) {
  const { hostname, port } = new URL(`redis://${entry}`);
  if (hostname === '') throw new Error('no host');
  return { host: hostname.replace(/^\[(.+)\]$/, '$1'), port: port === '' ? defaultPort : Number(port) };
}

function credentialsOf(text: string): RedisAddress['credentials'] {
  const colon = text.indexOf(':');
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

/** Undefined where a part of it cannot be read. */
export function parseRedisUrls(text: string): readonly RedisHome[] | undefined {
  const homes: RedisHome[] = [];
  for (const part of text.split(/\s+/).filter((each) => each !== '')) {
    const [, home = '', url = ''] = /^([A-Za-z0-9_-]{1,64})=(.+)$/.exec(part) ?? [];
    if (parseRedisUrl(url) === undefined || homes.some((each) => each.home === home)) return undefined;
    homes.push({ home, url });
  }
  return homes.length === 0 ? undefined : homes;
}
