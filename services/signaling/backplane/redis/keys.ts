import type { RoomId } from '../../domain/room-id.ts';

/** Every key and channel of ours. All of one room share its hash tag, so one script may touch them on a Cluster. */
export interface Keys {
  /** The room's one hash: settings, members, their requests' answers. */
  state(room: RoomId): string;
  /** The room's one stream; on a Cluster its doorbell is the sharded channel of the same name. */
  log(room: RoomId): string;
  /** Undefined where it is no log's name. */
  roomOfLog(log: string): RoomId | undefined;
  /** Marks a join, by its token's hash, or a resume, by its holder, that must not happen any more. */
  voided(room: RoomId, attempt: string): string;
  /** The epoch of a room that ended not long ago. */
  closed(room: RoomId): string;
  /** The last of its log, for the nodes that have not heard. */
  last(room: RoomId): string;
  /** What nodes handed in of a room that a life of this Redis does not have. */
  restore(room: RoomId): string;
  /** The lives of this Redis in which its home was sealed. */
  readonly marker: string;
  /** Who is expected, and who is done, before a life's home is sealed. */
  barrier(life: string): string;
  /** The hash of all leases: incarnation to count, node id, connections, whether it takes more, and its report. */
  readonly leases: string;
  /** The hash of what operators want: incarnation to order. */
  readonly orders: string;
  /** The home's directory: its rooms by size and by name. */
  readonly roomsBySize: string;
  readonly roomsByName: string;
  /** The stream of what operators did and what became of nodes. */
  readonly journal: string;
  /** The set of rooms in which a process may hold sessions. */
  held(incarnation: string): string;
  /** The prefix of the counters of those who come in. */
  entries(entrant: string): string;
  /** Who sweeps a dead process now: one at a time is enough. */
  sweeper(incarnation: string): string;
  /** A node's own channel: on it ring the rooms that it hosts, and it rings itself. */
  channel(incarnation: string): string;
  /** Of a key that is not a room's: the type that it has in Redis. */
  typeOf(key: string): string | undefined;
  /** Whether it says what a process holds. */
  isHeld(key: string): boolean;
  /** The prefix of the channels of the socket.io adapter. */
  readonly adapterPrefix: string;
}

/** Redis keeps the keys of its databases apart, and not their channels: those of all but the first are marked. */
export function redisKeys(prefix: string, database = 0): Keys {
  const channels = database === 0 ? prefix : `${prefix}:${database}`;
  const logStart = `${prefix}:{`;
  const logEnd = '}:log';
  // A room's tag always holds an @.
  const home = `${prefix}:{home}`;
  const heldStart = `${prefix}:held:`;
  const isHeld = (key: string) => key.startsWith(heldStart);
  const types = new Map([
    [`${home}:marker`, 'hash'],
    [`${home}:leases`, 'hash'],
    [`${home}:orders`, 'hash'],
    [`${home}:rooms-by-size`, 'zset'],
    [`${home}:rooms-by-name`, 'zset'],
    [`${home}:journal`, 'stream'],
  ]);
  const typeOf = (key: string) => {
    if (key.startsWith(`${home}:barrier:`)) return 'hash';
    return isHeld(key) ? 'set' : types.get(key);
  };
  return {
    typeOf,
    isHeld,
    state: (room) => `${prefix}:{${room}}:state`,
    log: (room) => logStart + room + logEnd,
    roomOfLog: (log) =>
      log.startsWith(logStart) && log.endsWith(logEnd)
        ? (log.slice(logStart.length, -logEnd.length) as RoomId)
        : undefined,
    voided: (room, attempt) => `${prefix}:{${room}}:void:${attempt}`,
    closed: (room) => `${prefix}:{${room}}:closed`,
    last: (room) => `${prefix}:{${room}}:last`,
    restore: (room) => `${prefix}:{${room}}:restore`,
    marker: `${home}:marker`,
    barrier: (life) => `${home}:barrier:${life}`,
    leases: `${home}:leases`,
    orders: `${home}:orders`,
    roomsBySize: `${home}:rooms-by-size`,
    roomsByName: `${home}:rooms-by-name`,
    journal: `${home}:journal`,
    held: (incarnation) => heldStart + incarnation,
    entries: (entrant) => `${prefix}:entries:${entrant}`,
    sweeper: (incarnation) => `${prefix}:sweeper:${incarnation}`,
    channel: (incarnation) => `${channels}:node:${incarnation}`,
    adapterPrefix: `${channels}:io`,
  };
}
