import type { LeftReason, Peer, PeerId } from '@fenghuo/protocol';

/** One entry of a room's log, as it travels between nodes. */
export interface RoomRecord {
  readonly type: RecordType;
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

/** Stands for an absent `to`: no id contains it. */
const EVERYONE = '*';

/**
 * `<type> <epoch> <seq> <from> <to|*> <echo> <origin> <originMs>\n<body>`: the header's members come from
 * alphabets without blanks, and the body is what is left, so no content can be taken for a header.
 */
export function formatRecord(record: RoomRecord): string {
  const { epoch, seq, from, origin, originMs } = record;
  const to = record.to ?? EVERYONE;
  return `${LETTERS[record.type]} ${epoch} ${seq} ${from} ${to} ${record.echo ? 1 : 0} ${origin} ${originMs}\n${record.body}`;
}

export function parseRecord(text: string): RoomRecord {
  const end = text.indexOf('\n');
  const header = text.slice(0, Math.max(end, 0)).split(' ');
  const [letter, epoch, seq, from, to, echo, origin, originMs] = header;
  const type = RECORD_TYPES[letter as keyof typeof RECORD_TYPES];
  if (type === undefined || header.length !== 8) throw new Error('not a record of a room');
  return {
    type,
    epoch: Number(epoch),
    seq: Number(seq),
    from: from as PeerId,
    to: to === EVERYONE ? undefined : (to as PeerId),
    echo: echo === '1',
    origin: origin ?? '',
    originMs: Number(originMs),
    body: text.slice(end + 1),
  };
}

/** Whether a member of the room is to see the record. Roster events reach their author where `echo` says so. */
export function concerns(record: RoomRecord, peer: PeerId): boolean {
  if (peer === record.from) return record.echo;
  return record.to === undefined || record.to === peer;
}

/** The event a client gets. */
export function eventOf(record: RoomRecord): Record<string, unknown> {
  return { seq: record.seq, ...(JSON.parse(record.body) as object) };
}

export const bodies = {
  peer: (peer: Peer): string => JSON.stringify({ peer }),
  left: (peer: PeerId, reason: LeftReason): string => JSON.stringify({ peer, reason }),
};
