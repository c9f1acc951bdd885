import {
  type EventName,
  ID_PATTERN,
  KINDS,
  type Kind,
  LEFT_REASONS,
  type LeftReason,
  type Peer,
  type PeerId,
  peer as peerSchema,
  type RemovedReason,
  type Room,
  room as roomSchema,
} from '@fenghuo/protocol';
import type { Person } from './identity.ts';

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
  /** A member was changed by another one, or became host. */
  A: 'moderated',
  /** The room's settings were changed. */
  K: 'room_changed',
  /** The room was closed, which ends everyone's session. */
  C: 'closed',
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
  moderated: 'peer_updated',
  room_changed: 'room_updated',
  closed: undefined,
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
  const text = `${LETTERS[record.type]} ${record.epoch} ${record.seq} ${formatDraft(record)}`;
  return record.inner === '' ? text : `${text}\n${record.inner}`;
}

/** A record, but for its place in the log. */
export type RecordDraft = Omit<RoomRecord, 'epoch' | 'seq' | 'inner'>;

/** The record that a draft became. Written out, so that it is of the same shape as one that was parsed. */
export function placed(draft: RecordDraft, epoch: number, seq: number): RoomRecord {
  const { type, from, to, echo, id, origin, originMs, body } = draft;
  return { type, epoch, seq, from, to, echo, id, origin, originMs, body, inner: '' };
}

/** What follows the seq, of a record without an inner part. */
export function formatDraft({ from, to, echo, id, origin, originMs, body }: RecordDraft): string {
  return `${from} ${to ?? EVERYONE} ${echo ? 1 : 0} ${id} ${origin} ${originMs}\n${body}`;
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
  return isPlaced(record) ? record : undefined;
}

function isPlaced({ epoch, seq, id, from, to }: RoomRecord): boolean {
  const isCounted = Number.isSafeInteger(epoch) && Number.isSafeInteger(seq) && Number.isSafeInteger(id);
  return isCounted && ID_PATTERN.test(from) && (to === undefined || ID_PATTERN.test(to));
}

/**
 * A record that came from the backplane: the same, and its content is what its type says. What a newer version wrote is
 * not looked into.
 */
export function readRecord(text: string): RoomRecord | undefined {
  const record = parseRecord(text);
  return record !== undefined && hasItsContent(record) ? record : undefined;
}

function hasItsContent(record: RoomRecord): boolean {
  if (record.type === 'unknown') return true;
  const body = parseObject(record.body);
  if (body === undefined || (record.inner !== '' && !isInner(parseObject(record.inner)))) return false;
  switch (record.type) {
    case 'joined':
      return peerSchema.safeParse(body.peer).success && record.inner !== '';
    case 'updated':
    case 'detached':
    case 'resumed':
    case 'fenced':
    case 'moderated':
      return peerSchema.safeParse(body.peer).success;
    case 'left':
      return LEFT_REASONS.some((reason) => reason === body.reason) && isId(body.peer);
    case 'room_changed':
      return roomSchema.safeParse(body.room).success;
    case 'closed':
    case 'signal':
    case 'message':
      return true;
    default:
      return record.type satisfies never;
  }
}

/** Whether a member of the room is to see the record. Roster events reach their author where `echo` says so. */
export function concerns(record: RoomRecord, peer: PeerId): boolean {
  if (EVENT_OF[record.type] === undefined) return false;
  if (peer === record.from) return record.echo;
  return record.to === undefined || record.to === peer;
}

/** What a record means for a connection that serves a peer's session under a generation. */
export function fateOf(
  record: RoomRecord,
  peer: PeerId,
  generation: number,
): 'goes_on' | 'left' | 'removed' | 'replaced' | 'over' {
  if (record.type === 'closed') return 'removed';
  if (record.from !== peer) return 'goes_on';
  if (record.type === 'left') {
    if (record.id > 0) return 'left';
    return removalOf(record) === undefined ? 'over' : 'removed';
  }
  if (record.type !== 'detached' && record.type !== 'resumed' && record.type !== 'fenced') return 'goes_on';
  if ((innerOf(record)?.generation ?? 0) <= generation) return 'goes_on';
  return record.type === 'detached' ? 'over' : 'replaced';
}

/** What a peer is told whose session the record ends; undefined: it was its own doing, or its connection is gone. */
export function removalOf(record: RoomRecord): { reason: RemovedReason; by?: PeerId } | undefined {
  const reason = record.type === 'closed' ? 'closed' : REMOVED_BY[leftReasonOf(record) ?? 'left'];
  if (reason === undefined) return undefined;
  const by = innerOf(record)?.by;
  return { reason, ...(by === undefined ? {} : { by }) };
}

const REMOVED_BY = {
  left: undefined,
  expired: undefined,
  kicked: 'kicked',
  banned: 'banned',
  token_expired: 'token_expired',
} as const satisfies Record<LeftReason, RemovedReason | undefined>;

export function leftReasonOf(record: RoomRecord): LeftReason | undefined {
  return record.type === 'left' ? (parseObject(record.body)?.reason as LeftReason | undefined) : undefined;
}

/**
 * The event a client gets, by its name, and its payload as JSON, made of the body as it is; undefined where there is none.
 * Nodes and scripts alone write bodies, so that one which is cut off or no object is told by its ends.
 */
export function eventOf(record: RoomRecord): [EventName, string] | undefined {
  const name = EVENT_OF[record.type];
  const { seq, body } = record;
  if (name === undefined || !body.startsWith('{') || !body.endsWith('}')) return undefined;
  return [name, body === '{}' ? `{"seq":${seq}}` : `{"seq":${seq},${body.slice(1)}`];
}

/** The part of a change that its room's members must not know. */
export interface Inner {
  /** Of the session, from this record on. */
  readonly generation?: number | undefined;
  readonly incarnation?: string | undefined;
  readonly tokenHash?: string | undefined;
  readonly attempt?: number | undefined;
  /** The session was given a snapshot. */
  readonly isSnapshot?: boolean | undefined;
  /** Who joined; or who is banned; or for whom `kept` is kept. */
  readonly person?: Person | undefined;
  /** What the person is muted in who comes again. */
  readonly kept?: readonly Kind[] | undefined;
  /** What the member is muted in from here on, whatever its role mutes besides. */
  readonly mutes?: readonly Kind[] | undefined;
  /** The member who ordered it, and by which request, once all of what that orders has happened. */
  readonly by?: PeerId | undefined;
  readonly byRequest?: number | undefined;
}

/** One letter for each member, as in the room's hash. */
const INNER_LETTERS = {
  generation: 'g',
  incarnation: 'w',
  tokenHash: 't',
  attempt: 'x',
  isSnapshot: 's',
  person: 'u',
  kept: 'q',
  mutes: 'k',
  by: 'b',
  byRequest: 'i',
} as const satisfies Record<keyof Inner, string>;
const INNER_MEMBERS = Object.entries(INNER_LETTERS) as [keyof Inner, string][];

/** Scripts write the same. */
export function formatInner(inner: Inner): string {
  const written = INNER_MEMBERS.map(([member, letter]) => [letter, inner[member] || undefined]);
  return JSON.stringify(Object.fromEntries(written));
}

const INNER_CHECKS: Readonly<Record<keyof Inner, (value: unknown) => boolean>> = {
  generation: isCount,
  incarnation: isText,
  tokenHash: isText,
  attempt: isCount,
  isSnapshot: (value) => typeof value === 'boolean',
  person: isText,
  kept: areKinds,
  mutes: areKinds,
  by: isId,
  byRequest: isCount,
};

function isInner(inner: Record<string, unknown> | undefined): boolean {
  if (inner === undefined) return false;
  return INNER_MEMBERS.every(
    ([member, letter]) => inner[letter] === undefined || INNER_CHECKS[member](inner[letter]),
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && ID_PATTERN.test(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function areKinds(value: unknown): value is Kind[] {
  return Array.isArray(value) && value.every((each) => (KINDS as readonly unknown[]).includes(each));
}

export function innerOf(record: RoomRecord): Inner | undefined {
  const inner = parseObject(record.inner);
  if (inner === undefined) return undefined;
  const given = INNER_MEMBERS.filter(([, letter]) => inner[letter] !== undefined);
  return Object.fromEntries(given.map(([member, letter]) => [member, inner[letter]]));
}

/** The peer that a roster record tells of. */
export function peerOf(record: RoomRecord): Peer | undefined {
  return parseObject(record.body)?.peer as Peer | undefined;
}

/** The room that a record of its settings tells of. */
export function roomOf(record: RoomRecord): Room | undefined {
  return parseObject(record.body)?.room as Room | undefined;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export const bodies = {
  peer: (peer: Peer): string => JSON.stringify({ peer }),
  left: (peer: PeerId, reason: LeftReason): string => JSON.stringify({ peer, reason }),
  room: (room: Room): string => JSON.stringify({ room }),
};
