import type { Redis } from 'ioredis';
import type { Keys } from '../backplane/redis/keys.ts';
import type { RoomId } from '../domain/room-id.ts';
import { type Finding, fault, ok, within } from './finding.ts';

/**
 * Every command that a node sends, or has its scripts run, with arguments that change nothing: K is a string, and what is
 * for hashes, streams and sets is refused with WRONGTYPE, after the right to run it was looked at.
 */
export const NODE_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  ping: [],
  info: ['replication'],
  time: [],
  eval: ['return 1', '1', 'K'],
  evalsha: ['0'.repeat(40), '1', 'K'],
  get: ['K'],
  exists: ['K'],
  pttl: ['K'],
  pexpire: ['K', '60000'],
  hget: ['K', 'f'],
  hmget: ['K', 'f'],
  hgetall: ['K'],
  hkeys: ['K'],
  hexists: ['K', 'f'],
  hset: ['K', 'f', 'v'],
  hsetnx: ['K', 'f', 'v'],
  incrby: ['K', '0'],
  expire: ['K', '60'],
  hincrby: ['K', 'f', '1'],
  hdel: ['K', 'f'],
  sadd: ['K', 'm'],
  srem: ['K', 'm'],
  srandmember: ['K', '1'],
  zadd: ['K', '1', 'm'],
  zrem: ['K', 'm'],
  zcard: ['K'],
  zrange: ['K', '0', '0'],
  zrank: ['K', 'm'],
  zscore: ['K', 'm'],
  xadd: ['K', '*', 'f', 'v'],
  xrange: ['K', '-', '+', 'COUNT', '1'],
  xrevrange: ['K', '+', '-', 'COUNT', '1'],
  xtrim: ['K', 'MAXLEN', '1'],
  spublish: ['C', ''],
};
/** Sent otherwise: the first makes K, the second takes it away, the others turn a connection into a listener. */
const SET = 'set';
const UNLINK = 'unlink';
const LISTENING = ['ssubscribe', 'sunsubscribe'] as const;
/** Asked for by the client of a Cluster alone. */
const ON_A_CLUSTER = 'cluster|slots';

/** The commands as an ACL names them. */
export const ACL_COMMANDS: readonly string[] = [
  ...Object.keys(NODE_COMMANDS),
  SET,
  UNLINK,
  ...LISTENING,
  ON_A_CLUSTER,
].sort();

const KEY_MS = 60_000;
const PROBES_MS = 3_000;
const KEYS_RULE = "'~fenghuo:*'";
const CHANNELS_RULE = "'&fenghuo:*'";

/** Whether this user may do all that a node does, on this server: ACLs are each server's own. */
export async function checkRights(
  server: Redis,
  keys: Keys,
  { where, isInCluster }: { readonly where: string; readonly isInCluster: boolean },
): Promise<Finding[]> {
  const room = 'rights@main' as RoomId;
  const key = keys.state(room);
  const channel = keys.log(room);
  const missing = new Set<string>();
  const attempt = async (command: string, ...args: readonly string[]): Promise<unknown> => {
    try {
      return await server.call(command, ...args);
    } catch (error) {
      const rule = missingBy((error as Error).message, command);
      if (rule !== undefined) missing.add(rule);
      return undefined;
    }
  };
  const probe = async () => {
    const isSet = (await attempt(SET, key, '1', 'PX', String(KEY_MS), 'NX')) === 'OK';
    const isElsewhere = !isSet && missing.size === 0;
    // Without K, a command that writes would do so. All at once, since another region's Redis is far.
    const tried = Object.entries(NODE_COMMANDS).filter(([, args]) => isSet || isElsewhere || args[0] !== 'K');
    await Promise.all(
      tried.map(([command, args]) =>
        attempt(command, ...args.map((arg) => (arg === 'K' ? key : arg === 'C' ? channel : arg))),
      ),
    );
    const isGone = (await attempt(UNLINK, key)) !== undefined;
    if (isSet && !isGone) await attempt(SET, key, '', 'PX', '1');
    if (isInCluster) await attempt('cluster', 'slots');
    await listen(server, channel, missing);
  };
  await within(PROBES_MS, probe());
  return [finding(missing, server.options.username ?? 'default', where)];
}

/** On a connection of its own, which the listener's mode is not to spoil. */
async function listen(server: Redis, channel: string, missing: Set<string>): Promise<void> {
  const listener = server.duplicate({ lazyConnect: true, retryStrategy: () => null });
  listener.on('error', () => {});
  try {
    await listener.connect();
    for (const command of LISTENING) {
      const rule = await listener[command](channel).then(
        () => undefined,
        (error: Error) => missingBy(error.message, command),
      );
      if (rule !== undefined) missing.add(rule);
    }
  } finally {
    listener.disconnect();
  }
}

/** What an ACL has to be given, by what Redis says; undefined where it refuses for another reason, MOVED for one. */
function missingBy(message: string, command: string): string | undefined {
  if (!/NOPERM/.test(message)) return undefined;
  if (/channel/.test(message)) return CHANNELS_RULE;
  if (/\bkeys?\b/.test(message)) return KEYS_RULE;
  return command === 'cluster' ? `'+${ON_A_CLUSTER}'` : `+${command}`;
}

function finding(missing: ReadonlySet<string>, user: string, where: string): Finding {
  const check = 'redis rights';
  if (missing.size === 0) return ok(check, `${where}the user ${user} may do all that a node does`);
  const rules = [...missing];
  const commands = rules
    .map((rule) => /^'?\+([\w|]+)'?$/.exec(rule)?.[1]?.toUpperCase())
    .filter((command) => command !== undefined);
  const lacks = [
    ...(commands.length > 0 ? [`run ${commands.join(', ')}`] : []),
    ...(missing.has(KEYS_RULE) ? ['touch keys under fenghuo:'] : []),
    ...(missing.has(CHANNELS_RULE) ? ['use channels under fenghuo:'] : []),
  ];
  const again = missing.has(`+${SET}`)
    ? ', and run the doctor again: without SET it could not try what writes'
    : '';
  const cure = `redis-cli ACL SETUSER ${user} ${rules.join(' ')}, then ACL SAVE (or the same in the users file of each server)${again}`;
  return fault(check, `${where}the user ${user} may not ${lacks.join(', nor ')}`, cure);
}
