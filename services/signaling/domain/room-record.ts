import type { EventName, LeftReason, Peer, PeerId } from '@fenghuo/protocol';

/** One entry of a room's log, as it travels between nodes. */
export interface RoomRecord {
  /** `unknown`: written by a newer version; it has its place in the order and concerns nobody here. */
  readonly type: RecordType | 'unknown';
  readonly epoch: number;
  readonly seq: number;
  /** Whom it is from; for roster events, whom it is about. */
  readonly from: PeerId;
  /** Undefined: everyone in the room. */
  readonly to: PeerId | undefined;
  /** The author gets it, too. */
  readonly echo: boolean;
  /** The author's request that it answers; 0 where the node did it. */
  readonly id: number;
  /** The process that appended it, and when, on that process's own monotonic clock: others cannot use it. */
  readonly origin: string;
  readonly originMs: number;
  /** The JSON of the client's event without its seq. */
  readonly body: string;
  /** What nodes alone may know of the change; empty where it is nothing. */
  readonly inner: string;
}

/** The first byte of a record. */
export const RECORD_TYPES = {
  J: 'joined',
  L: 'left',
  U: 'updated',
  /** A session lost its connection. */
  D: 'detached',
  /** A session continues on another connection: a fence for the older one (rule C4). */
  R: 'resumed',
  /** The same where nothing changes that other members see. */
  F: 'fenced',
  S: 'signal',
  M: 'message',
} as const;
export type RecordType = (typeof RECORD_TYPES)[keyof typeof RECORD_TYPES];

/** The event that a client gets of it; none: nodes alone do. */
const EVENT_OF = {
  joined: 'peer_joined',
  left: 'peer_left',
  updated: 'peer_updated',
  detached: 'peer_updated',
  resumed: 'peer_updated',
  fenced: undefined,
  signal: 'signal',
  message: 'message',
  unknown: undefined,
} as const satisfies Record<RoomRecord['type'], EventName | undefined>;

/** `?` for a record that this version does not know. */
const LETTERS = {
  unknown: '?',
  ...Object.fromEntries(Object.entries(RECORD_TYPES).map(([letter, type]) => [type, letter])),
} as Record<RoomRecord['type'], string>;

const HEADER_MEMBERS = 9;

/** Stands for an absent `to`: no id contains it. */
const EVERYONE = '*';

/**
 * `<type> <epoch> <seq> <from> <to|*> <echo> <id> <origin> <originMs>\n<body>\n<inner>`: the header's members come from
 * alphabets without blanks, and JSON has no raw line feed, so no content can be taken for another part.
 */
export function formatRecord(record: RoomRecord): string {
  const { epoch, seq, from, id, origin, originMs } = record;
  const to = record.to ?? EVERYONE;
  const header = `${LETTERS[record.type]} ${epoch} ${seq} ${from} ${to} ${record.echo ? 1 : 0} ${id} ${origin} ${originMs}`;
  return record.inner === '' ? `${header}\n${record.body}` : `${header}\n${record.body}\n${record.inner}`;
}

/** Undefined where the text is no record: what another version wrote is passed over, never thrown at. */
export function parseRecord(text: string): RoomRecord | undefined {
  const headerEnd = text.indexOf('\n');
  const header = text.slice(0, Math.max(headerEnd, 0)).split(' ');
  if (header.length !== HEADER_MEMBERS) return undefined;
  const [letter = '', epoch, seq, from, to, echo, id, origin = '', originMs] = header;
  const bodyEnd = text.indexOf('\n', headerEnd + 1);
  const record: RoomRecord = {
    type: RECORD_TYPES[letter as keyof typeof RECORD_TYPES] ?? 'unknown',
    epoch: Number(epoch),
    seq: Number(seq),
    from: from as PeerId,
    to: to === EVERYONE ? undefined : (to as PeerId),
    echo: echo === '1',
    id: Number(id),
    origin,
    originMs: Number(originMs),
    body: text.slice(headerEnd + 1, bodyEnd < 0 ? undefined : bodyEnd),
    inner: bodyEnd < 0 ? '' : text.slice(bodyEnd + 1),
  };
  return Number.isSafeInteger(record.epoch) && Number.isSafeInteger(record.seq) ? record : undefined;
}

/** Whether a member of the room is to see the record. Roster events reach their author where `echo` says so. */
export function concerns(record: RoomRecord, peer: PeerId): boolean {
  if (EVENT_OF[record.type] === undefined) return false;
  if (peer === record.from) return record.echo;
  return record.to === undefined || record.to === peer;
}

/** What a record means for a connection that serves its author's session under a generation. */
export function fateOf(
  record: RoomRecord,
  peer: PeerId,
  generation: number,
): 'goes_on' | 'left' | 'replaced' | 'over' {
  if (record.from !== peer) return 'goes_on';
  if (record.type === 'left') return record.id > 0 ? 'left' : 'over';
  if (record.type !== 'detached' && record.type !== 'resumed' && record.type !== 'fenced') return 'goes_on';
  if ((innerOf(record)?.generation ?? 0) <= generation) return 'goes_on';
  return record.type === 'detached' ? 'over' : 'replaced';
}

/** The event a client gets, by its name; undefined where there is none, or the body is no JSON. */
export function eventOf(record: RoomRecord): [EventName, Record<string, unknown>] | undefined {
  const name = EVENT_OF[record.type];
  const body = parseObject(record.body);
  return name === undefined || body === undefined ? undefined : [name, { seq: record.seq, ...body }];
}

/** The part of a change of a session that its client's peers must not know. */
export interface Inner {
  readonly generation: number;
  readonly incarnation: string;
  readonly tokenHash?: string;
  readonly attempt?: number;
  /** The session was given a snapshot. */
  readonly isSnapshot?: boolean;
}

/** Scripts write the same: one letter for each member, as in the room's hash. */
export function formatInner(inner: Inner): string {
  const { generation: g, incarnation: w, tokenHash: t, attempt: x, isSnapshot } = inner;
  return JSON.stringify({ g, w, t, x, s: isSnapshot === true ? 1 : undefined });
}

export function innerOf(record: RoomRecord): Inner | undefined {
  const inner = parseObject(record.inner);
  if (inner === undefined) return undefined;
  const { g, w, t, x, s } = inner as { g: number; w: string; t?: string; x?: number; s?: 1 };
  return {
    generation: g,
    incarnation: w,
    ...(t === undefined ? {} : { tokenHash: t }),
    ...(x === undefined ? {} : { attempt: x }),
    ...(s === undefined ? {} : { isSnapshot: true }),
  };
}

/** The peer that a roster record tells of. */
export function peerOf(record: RoomRecord): Peer | undefined {
  return (parseObject(record.body) as { peer?: Peer } | undefined)?.peer;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

export const bodies = {
  peer: (peer: Peer): string => JSON.stringify({ peer }),
  left: (peer: PeerId, reason: LeftReason): string => JSON.stringify({ peer, reason }),
};
