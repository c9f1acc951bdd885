import type { LeftReason, Peer, PeerId } from '@fenghuo/protocol';

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
  /** The process that appended it, and when, on that process's own monotonic clock: others cannot use it. */
  readonly origin: string;
  readonly originMs: number;
  /** The JSON of the client's event without its seq. */
  readonly body: string;
}

/** The first byte of a record. */
export const RECORD_TYPES = {
  J: 'peer_joined',
  L: 'peer_left',
  U: 'peer_updated',
  S: 'signal',
  M: 'message',
} as const;
export type RecordType = (typeof RECORD_TYPES)[keyof typeof RECORD_TYPES];

const LETTERS = Object.fromEntries(
  Object.entries(RECORD_TYPES).map(([letter, type]) => [type, letter]),
) as Record<RecordType, keyof typeof RECORD_TYPES>;

const HEADER_MEMBERS = 8;

/** Stands for an absent `to`: no id contains it. */
const EVERYONE = '*';

/**
 * `<type> <epoch> <seq> <from> <to|*> <echo> <origin> <originMs>\n<body>`: the header's members come from
 * alphabets without blanks, and the body is what is left, so no content can be taken for a header.
 */
export function formatRecord(record: RoomRecord & { readonly type: RecordType }): string {
  const { epoch, seq, from, origin, originMs } = record;
  const to = record.to ?? EVERYONE;
  return `${LETTERS[record.type]} ${epoch} ${seq} ${from} ${to} ${record.echo ? 1 : 0} ${origin} ${originMs}\n${record.body}`;
}

/** Undefined where the text is no record: what another version wrote is passed over, never thrown at. */
export function parseRecord(text: string): RoomRecord | undefined {
  const end = text.indexOf('\n');
  const header = text.slice(0, Math.max(end, 0)).split(' ');
  if (header.length !== HEADER_MEMBERS) return undefined;
  const [letter = '', epoch, seq, from, to, echo, origin = '', originMs] = header;
  const record: RoomRecord = {
    type: RECORD_TYPES[letter as keyof typeof RECORD_TYPES] ?? 'unknown',
    epoch: Number(epoch),
    seq: Number(seq),
    from: from as PeerId,
    to: to === EVERYONE ? undefined : (to as PeerId),
    echo: echo === '1',
    origin,
    originMs: Number(originMs),
    body: text.slice(end + 1),
  };
  return Number.isSafeInteger(record.epoch) && Number.isSafeInteger(record.seq) ? record : undefined;
}

/** Whether a member of the room is to see the record. Roster events reach their author where `echo` says so. */
export function concerns(record: RoomRecord, peer: PeerId): boolean {
  if (record.type === 'unknown') return false;
  if (peer === record.from) return record.echo;
  return record.to === undefined || record.to === peer;
}

/** The event a client gets; undefined where the body is no JSON. */
export function eventOf(record: RoomRecord): Record<string, unknown> | undefined {
  try {
    return { seq: record.seq, ...(JSON.parse(record.body) as object) };
  } catch {
    return undefined;
  }
}

export const bodies = {
  peer: (peer: Peer): string => JSON.stringify({ peer }),
  left: (peer: PeerId, reason: LeftReason): string => JSON.stringify({ peer, reason }),
};
