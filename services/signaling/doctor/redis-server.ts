import type { RedisAddress } from '../backplane/redis/redis-url.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** What INFO says, by name. */
export type RedisFacts = ReadonlyMap<string, string>;

/** Sharded pub/sub came with it. */
const VERSION_MIN = 7;
/**
 * The first release of each maintained line in which no Lua script runs code of its author in the server (CVE-2025-49844).
 * Other lines below the last have no such release.
 */
const SAFE_FROM = {
  Redis: ['7.2.11', '7.4.6', '8.0.4', '8.2.2'],
  Valkey: ['7.2.11', '8.0.6', '8.1.4', '9.0.0'],
} as const;
/** Of maxmemory, from which on it is to be told of. */
const MEMORY_NEARLY_FULL = 0.8;
/** What a node opens. */
const CONNECTIONS_PER_NODE = 4;

export function factsOf(info: string): RedisFacts {
  const pairs = info.split('\r\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Whether a server is one that nodes may rely on. `where` names it among several. */
export function judgeServer(facts: RedisFacts, kind: RedisAddress['kind'], where = ''): Finding[] {
  const judged = [version, security, mode, role, memory, persistence, clients].flatMap((judge) =>
    judge(facts, kind),
  );
  return judged.map((finding) => ({ ...finding, text: where + finding.text }));
}

/** A Cluster of one or two masters has no majority to take over with. */
export function judgeShards(masters: number): Finding[] {
  if (masters >= 3) return [ok('redis', `${masters} masters`)];
  return [
    warning(
      'redis',
      `${masters} masters: without three no majority promotes a replica`,
      'redis-cli --cluster create with three masters, each with a replica',
    ),
  ];
}

function version(facts: RedisFacts): Finding[] {
  const name = `${productOf(facts)} ${versionOf(facts)}`;
  if (hasShardedPubSub(facts)) return [ok('redis', name)];
  return [fault('redis', `${name} has no sharded pub/sub`, 'run Redis 7.2 or later, or Valkey 8')];
}

/** Nothing of a Redis that is too old for nodes: that is a fault already. */
function security(facts: RedisFacts): Finding[] {
  const [product, version] = [productOf(facts), versionOf(facts)];
  if (!hasShardedPubSub(facts) || isSafe(version, SAFE_FROM[product])) return [];
  return [
    warning(
      'redis security',
      `${product} ${version} has CVE-2025-49844, unless who built it has mended it: a client that may run scripts in it can run any program on its machine`,
      `update ${product} to ${SAFE_FROM[product].join(', ')} or later of these lines. On Debian this tells of a mended build: apt-get changelog redis-server | grep CVE-2025-49844`,
    ),
  ];
}

function productOf(facts: RedisFacts): keyof typeof SAFE_FROM {
  return facts.has('valkey_version') ? 'Valkey' : 'Redis';
}

function versionOf(facts: RedisFacts): string {
  return facts.get('valkey_version') ?? facts.get('redis_version') ?? '0';
}

/** Valkey also names the Redis that it is compatible with. */
function hasShardedPubSub(facts: RedisFacts): boolean {
  return Number.parseInt(facts.get('redis_version') ?? '0', 10) >= VERSION_MIN;
}

function isSafe(version: string, safeFrom: readonly string[]): boolean {
  const [major = 0, minor = 0, patch = 0] = numbersOf(version);
  const sameLine = safeFrom.map(numbersOf).find(([own, line]) => own === major && line === minor);
  if (sameLine !== undefined) return patch >= (sameLine[2] ?? 0);
  const [lastMajor = 0, lastMinor = 0] = numbersOf(safeFrom.at(-1) ?? '');
  return major > lastMajor || (major === lastMajor && minor > lastMinor);
}

function numbersOf(version: string): number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10));
}

function mode(facts: RedisFacts, kind: RedisAddress['kind']): Finding[] {
  const actual = facts.get('redis_mode');
  if (actual === 'cluster' && kind !== 'cluster')
    return [
      fault(
        'redis',
        'it is a part of a Cluster, and REDIS_URL says it is not: most rooms lie elsewhere',
        'REDIS_URL=redis+cluster://h1:p1,h2:p2,h3:p3',
      ),
    ];
  if (actual === 'sentinel')
    return [
      fault(
        'redis',
        'REDIS_URL names a sentinel as if it were Redis',
        'REDIS_URL=redis+sentinel://h1:26379,h2:26379,h3:26379/mymaster',
      ),
    ];
  return [];
}

function role(facts: RedisFacts, kind: RedisAddress['kind']): Finding[] {
  const check = 'replication';
  const replicas = Number(facts.get('connected_slaves') ?? 0);
  if (facts.get('role') === 'slave')
    return [
      fault(
        check,
        `it is a replica of ${facts.get('master_host')}: it takes no writes`,
        'REDIS_URL must name the master; with Sentinel: redis+sentinel://h1,h2,h3/mymaster',
      ),
    ];
  const good = facts.get('min_slaves_good_slaves');
  const cure =
    'redis-cli CONFIG SET min-replicas-to-write 1 and CONFIG SET min-replicas-max-lag 10, on master and replicas, and in redis.conf';
  if (good === '0')
    return [
      fault(
        check,
        'min-replicas-to-write is set, and no replica is near enough: every write is refused',
        'bring a replica back (redis-cli INFO replication), or CONFIG SET min-replicas-to-write 0',
      ),
    ];
  if (replicas > 0 && good === undefined)
    return [
      warning(
        check,
        `${replicas} replicas, and min-replicas-to-write is 0: a master that is cut off goes on taking writes, which are lost when it comes back`,
        cure,
      ),
    ];
  if (replicas > 0) return [ok(check, `${replicas} replicas, and a master that is cut off from them stops`)];
  if (kind === 'standalone')
    return [ok(check, 'no replica: while this Redis is away there are no joins, and calls go on')];
  return [
    warning(check, 'no replica: nobody takes over from this master', 'start one with: replicaof HOST PORT'),
  ];
}

function memory(facts: RedisFacts): Finding[] {
  const check = 'redis memory';
  const policy = facts.get('maxmemory_policy');
  const max = Number(facts.get('maxmemory') ?? 0);
  const used = Number(facts.get('used_memory') ?? 0);
  if (policy !== undefined && policy !== 'noeviction')
    return [
      fault(
        check,
        `maxmemory-policy is ${policy}: it would drop rooms in silence, so nodes stay unready`,
        'redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf',
      ),
    ];
  if (max > 0 && used > max * MEMORY_NEARLY_FULL)
    return [
      warning(
        check,
        `${megabytes(used)} of ${megabytes(max)} used: when it is full, nothing new is taken`,
        `redis-cli CONFIG SET maxmemory ${Math.ceil((max * 2) / 1_048_576)}mb`,
      ),
    ];
  return [
    ok(check, `noeviction, ${megabytes(used)} used${max > 0 ? ` of ${megabytes(max)}` : ', no maxmemory'}`),
  ];
}

function persistence(facts: RedisFacts): Finding[] {
  const check = 'persistence';
  if (facts.get('aof_enabled') === '1' && facts.get('aof_last_write_status') === 'err')
    return [
      fault(
        check,
        'the append-only file cannot be written, so every write is refused',
        "make room on Redis's disk: df -h",
      ),
    ];
  if (facts.get('rdb_last_bgsave_status') === 'err')
    return [
      warning(
        check,
        'the last snapshot failed: by default (stop-writes-on-bgsave-error) every write is refused then',
        "make room on Redis's disk, then: redis-cli BGSAVE",
      ),
    ];
  if (facts.get('aof_enabled') === '1')
    return [ok(check, 'append-only file: a restart loses nothing that was synced')];
  return [
    warning(
      check,
      'no append-only file: after a restart the nodes restore their rooms, which takes about 2 s; with a node lost in the same moment, its rooms are gone',
      'redis-cli CONFIG SET appendonly yes, and in redis.conf',
    ),
  ];
}

function clients(facts: RedisFacts): Finding[] {
  const max = Number(facts.get('maxclients') ?? 0);
  const left = max - Number(facts.get('connected_clients') ?? 0);
  if (max === 0 || left >= CONNECTIONS_PER_NODE) return [];
  const text = `${left} of ${max} connections left, and a node opens ${CONNECTIONS_PER_NODE}`;
  return [fault('redis', text, `redis-cli CONFIG SET maxclients ${max * 2}`)];
}

function megabytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / 1_048_576))} MB`;
}
