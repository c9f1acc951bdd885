import { wordsOf } from '../backplane/redis/connection-cause.ts';
import type { RedisAddress } from '../backplane/redis/redis-url.ts';
import { type Finding, fault, warning } from './finding.ts';

type Cause = readonly [
  pattern: RegExp,
  cause: string,
  cure: (where: string, address: RedisAddress) => string,
];

/** What an error says, in whose words, and what to do: what stays wrong until somebody corrects it. */
const MISTAKES: readonly Cause[] = [
  [
    /WRONGPASS|invalid.*password/i,
    'it refuses the user or the password',
    (_, { credentials }) =>
      `correct REDIS_URL (%-encode what is special in the password), or: redis-cli ACL SETUSER ${credentials.username ?? 'default'} on '>PASSWORD'`,
  ],
  [/NOAUTH/, 'it asks for a password', () => 'REDIS_URL=redis://USER:PASSWORD@host:port'],
  [
    /DB index|invalid DB/i,
    'it has no such database',
    () => 'end REDIS_URL with the number of a database that it has, like /0 (redis-cli CONFIG GET databases)',
  ],
  [/cluster support disabled/i, 'it is no Cluster', (where) => `REDIS_URL=redis://${where}`],
  [
    /wrong version number|SSL|certificate|ERR_TLS|altname|self.signed/i,
    'TLS fails',
    () =>
      'rediss:// wants tls-port in redis.conf, and a certificate that this host trusts for that name: NODE_EXTRA_CA_CERTS=/path/ca.pem',
  ],
];

/** And what may pass, in another region for instance. */
const OUTAGES: readonly Cause[] = [
  [
    /ECONNREFUSED/,
    'nothing listens there',
    (where) => `start Redis on ${where}, or correct REDIS_URL; in a container, bind 0.0.0.0 in redis.conf`,
  ],
  [
    /ENOTFOUND|EAI_AGAIN/,
    'the name of the host is not known here',
    (where) => `correct the host in REDIS_URL: getent hosts ${where.replace(/:\d+$/, '')}`,
  ],
  [
    /ECONNRESET|EPIPE/,
    'it closes the connection',
    () => 'a TLS port needs rediss://; else its log says why, or that of a proxy between',
  ],
  [
    /sentinels are unreachable/i,
    'no sentinel names a master',
    (_, { master }) =>
      `redis-cli -p 26379 SENTINEL get-master-addr-by-name ${master}: it must answer with the master's address; the name is the end of REDIS_URL`,
  ],
  [
    /LOADING/,
    'it is still reading its data',
    () => 'wait: redis-cli INFO persistence says how long (loading_eta_seconds)',
  ],
  [
    /MASTERDOWN|CLUSTERDOWN/,
    'a master is down',
    () => 'redis-cli CLUSTER INFO, or SENTINEL masters, says which',
  ],
  [
    /max number of clients/i,
    'it has as many clients as it may',
    () => 'redis-cli CONFIG SET maxclients 10000',
  ],
];

const TRY = 'is a firewall between? Try: redis-cli -h HOST -p PORT PING';
const TRY_TLS =
  'does it speak TLS there, and is no firewall between? Try: redis-cli --tls -h HOST -p PORT PING';

/** What a node does without another region's Redis. */
const WITHOUT_FAR_HOME =
  'rooms whose home it is are unavailable from here, and so are new names that it registers; all else goes on';

/**
 * Why Redis cannot be used at all, by what was heard. `isSilent`: it took the connection. A fault; but only a warning
 * where it is another region's and may come back by itself.
 */
export function unreachable(
  address: RedisAddress,
  errors: readonly Error[],
  { isSilent, isLocal }: { readonly isSilent: boolean; readonly isLocal: boolean },
): Finding {
  const where = address.hosts.map(({ host, port }) => `${host}:${port}`).join(', ');
  const said = errors.map(wordsOf);
  const fits = ([pattern]: Cause) => said.some((words) => pattern.test(words));
  const told = (known: Cause) => {
    const [pattern, cause, cure] = known;
    const words = said.find((each) => pattern.test(each)) ?? '';
    return [`${where} cannot be used: ${cause} (${shortened(words)})`, cure(where, address)] as const;
  };
  const mistake = MISTAKES.find(fits);
  if (mistake !== undefined) return fault('redis', ...told(mistake));
  const outage = OUTAGES.find(fits);
  const [text, cure] = outage === undefined ? unknown(address, where, said, isSilent) : told(outage);
  if (isLocal) return fault('redis', text, cure);
  return warning('redis', `${text}. Until then ${WITHOUT_FAR_HOME}`, cure);
}

function unknown(address: RedisAddress, where: string, said: readonly string[], isSilent: boolean) {
  if (isSilent)
    return [
      `${where} takes connections and does not answer`,
      'is it frozen, or swapping? Look at its log; redis-cli --latency -h HOST. A TLS port needs rediss://',
    ] as const;
  const why = said.at(-1) ? shortened(said.at(-1) ?? '') : 'no connection in time';
  return [`${where} cannot be reached: ${why}`, address.isTls ? TRY_TLS : TRY] as const;
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
