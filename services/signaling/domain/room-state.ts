import {
  ID_PATTERN,
  type Kind,
  type Peer,
  type PeerId,
  peer as peerSchema,
  type Room,
} from '@fenghuo/protocol';
import { type Answer, answerText, parseAnswer } from './answer.ts';
import type { Person } from './identity.ts';
import { RecentAnswers } from './recent-answers.ts';
import { type RequestMemory, remember } from './request-order.ts';
import { type RoomId, roomHome, roomName } from './room-id.ts';
import { areKinds, innerOf, peerOf, type RoomRecord, roomOf } from './room-record.ts';

/** All that there is to know of a room at a seq: what the backplane holds, and what a node that hosts it could restore. */
export interface RoomState {
  epoch: number;
  seq: number;
  readonly peersMax: number;
  locked: boolean;
  /** The longest-present peer becomes host when there is none any more. */
  readonly inherits: boolean;
  /** Who may not come in any more, and who is muted as soon as he does. */
  bans: ReadonlySet<Person>;
  mutes: ReadonlyMap<Person, readonly Kind[]>;
  /** In the order in which they joined. */
  readonly members: Map<PeerId, MemberState>;
}

export interface MemberState {
  peer: Peer;
  readonly person: Person;
  /** What it was muted in, whatever its role mutes besides. */
  mutes: readonly Kind[];
  readonly requests: RequestMemory;
  tokenHash: string;
  /** The process that holds the connection or, of a detached session, counts its window. */
  incarnation: string;
  /** The greatest `attempt` of a resume (rule C5). */
  attempt: number;
  /** No resume reaches back before it: the join, or the last snapshot (rule D6). */
  since: number;
}

/** A room in which nobody is yet. */
export function emptyRoom(epoch: number, peersMax: number, inherits: boolean): RoomState {
  return {
    epoch,
    seq: 0,
    peersMax,
    locked: false,
    inherits,
    bans: NO_BANS,
    mutes: NO_MUTES,
    members: new Map(),
  };
}

/** Of most rooms, so there is one of each. */
export const NO_BANS: ReadonlySet<Person> = new Set();
export const NO_MUTES: ReadonlyMap<Person, readonly Kind[]> = new Map();

/** Applies the next record: of equal states it makes equal states, wherever they are kept. */
export function applyRecord(state: RoomState, record: RoomRecord): void {
  state.seq = record.seq;
  const member = state.members.get(record.from);
  switch (record.type) {
    case 'joined':
      enter(state, record);
      break;
    case 'left':
      state.members.delete(record.from);
      ban(state, record);
      answerOrder(state, record);
      break;
    case 'closed':
      state.members.clear();
      break;
    case 'room_changed':
      state.locked = roomOf(record)?.locked ?? state.locked;
      answerOrder(state, record);
      break;
    case 'moderated':
      if (member !== undefined) changeMember(state, member, record);
      answerOrder(state, record);
      break;
    case 'updated':
      if (member === undefined) break;
      member.peer = peerOf(record) ?? member.peer;
      remember(member.requests, record.id, { type: 'updated', seq: record.seq });
      break;
    case 'detached':
    case 'resumed':
    case 'fenced':
      if (member !== undefined) changeConnection(member, record);
      break;
    case 'signal':
    case 'message':
      if (member !== undefined) remember(member.requests, record.id, relayAnswer(state, record));
      break;
    case 'unknown':
      break;
    default:
      record.type satisfies never;
  }
}

/** What the sender of a signal or a message is answered, once it is in the log. */
export function relayAnswer(state: RoomState, record: Pick<RoomRecord, 'type' | 'to' | 'seq'>): Answer {
  if (record.type === 'message') return { type: 'logged', seq: record.seq };
  const target = record.to === undefined ? undefined : state.members.get(record.to);
  return { type: target?.peer.connected === false ? 'held' : 'sent', seq: record.seq };
}

function enter(state: RoomState, record: RoomRecord): void {
  const peer = peerOf(record);
  const inner = innerOf(record);
  if (peer === undefined || inner === undefined) return;
  state.members.set(peer.id, {
    peer,
    person: inner.person ?? ('' as Person),
    mutes: inner.mutes ?? [],
    requests: { generation: inner.generation ?? 1, lastId: 1, answers: new RecentAnswers() },
    tokenHash: inner.tokenHash ?? '',
    incarnation: inner.incarnation ?? '',
    attempt: 0,
    since: record.seq,
  });
}

function ban(state: RoomState, record: RoomRecord): void {
  const person = innerOf(record)?.person;
  if (person !== undefined) state.bans = new Set([...state.bans, person]);
}

function changeMember(state: RoomState, member: MemberState, record: RoomRecord): void {
  const { person, kept, mutes = member.mutes } = innerOf(record) ?? {};
  member.peer = peerOf(record) ?? member.peer;
  member.mutes = mutes;
  if (person === undefined || kept === undefined) return;
  const others = [...state.mutes].filter(([each]) => each !== person);
  state.mutes = new Map(kept.length > 0 ? [...others, [person, kept]] : others);
}

/** The order that the record is the last effect of has its answer with it. */
function answerOrder(state: RoomState, record: RoomRecord): void {
  const { by, byRequest } = innerOf(record) ?? {};
  const author = by === undefined ? undefined : state.members.get(by);
  if (author !== undefined && byRequest !== undefined)
    remember(author.requests, byRequest, { type: 'moderated', seq: record.seq });
}

function changeConnection(member: MemberState, record: RoomRecord): void {
  const inner = innerOf(record);
  if (inner === undefined) return;
  member.peer = peerOf(record) ?? member.peer;
  member.requests.generation = inner.generation ?? member.requests.generation;
  member.incarnation = inner.incarnation ?? member.incarnation;
  member.attempt = inner.attempt ?? member.attempt;
  if (inner.isSnapshot) member.since = record.seq;
  if (inner.tokenHash === undefined) return;
  // Rule Q4: the client's join brought it back; it knows nothing of what came after that one.
  member.tokenHash = inner.tokenHash;
  member.requests.lastId = 1;
  member.requests.answers.clear();
  member.attempt = 0;
  member.since = record.seq;
}

/** A room as its log had it at `seq`. */
export interface RoomSnapshot {
  readonly epoch: number;
  readonly seq: number;
  readonly room: Room;
  /** Everyone, in the order in which they joined. */
  readonly peers: readonly Peer[];
}

/** What clients may know of it. Records replace peers, and never change them: these stay as they are. */
export function snapshotOf(id: RoomId, state: RoomState): RoomSnapshot {
  const { epoch, seq, locked, peersMax } = state;
  return {
    epoch,
    seq,
    room: { name: roomName(id), home: roomHome(id), locked, peers_max: peersMax },
    peers: Array.from(state.members.values(), (member) => member.peer),
  };
}

/** The bytes of all members' metadata, as compact JSON in UTF-8. */
export function metadataBytesOf(members: Iterable<Pick<MemberState, 'peer'>>): number {
  let bytes = 0;
  for (const { peer } of members) bytes += metadataBytes(peer.metadata);
  return bytes;
}

export function metadataBytes(metadata: unknown): number {
  return Buffer.byteLength(JSON.stringify(metadata));
}

/** As text between nodes. */
export function serializeState(state: RoomState): string {
  const members = [...state.members.values()].map((member) => ({
    ...member,
    requests: { ...member.requests, answers: [...member.requests.answers] },
  }));
  return JSON.stringify({ ...state, bans: [...state.bans], mutes: [...state.mutes], members });
}

export function parseState(text: string): RoomState {
  const { members, bans, mutes, ...state } = JSON.parse(text) as SerializedState;
  return {
    ...state,
    bans: new Set(bans),
    mutes: new Map(mutes),
    members: new Map(
      members.map((member) => [
        member.peer.id,
        { ...member, requests: { ...member.requests, answers: new RecentAnswers(member.requests.answers) } },
      ]),
    ),
  };
}

/** A state that came from the backplane, made by `build`; undefined where that throws, or made what is no state. */
export function readState(build: () => RoomState | undefined): RoomState | undefined {
  try {
    const state = build();
    return state !== undefined && isState(state) ? state : undefined;
  } catch {
    return undefined;
  }
}

function isState({ epoch, seq, peersMax, locked, inherits, bans, mutes, members }: RoomState): boolean {
  return (
    [epoch, seq, peersMax].every(isCount) &&
    [locked, inherits].every((each) => typeof each === 'boolean') &&
    [...bans].every((each) => typeof each === 'string') &&
    [...mutes].every(([person, kinds]) => typeof person === 'string' && areKinds(kinds)) &&
    [...members].every(([id, member]) => member.peer.id === id && isMember(member))
  );
}

function isMember({
  peer,
  person,
  mutes,
  requests,
  tokenHash,
  incarnation,
  attempt,
  since,
}: MemberState): boolean {
  return (
    peerSchema.safeParse(peer).success &&
    ID_PATTERN.test(peer.id) &&
    [requests.generation, requests.lastId, attempt, since].every(isCount) &&
    [person, tokenHash, incarnation].every((each) => typeof each === 'string') &&
    areKinds(mutes) &&
    [...requests.answers].every(
      ([id, answer]) => isCount(id) && parseAnswer(answerText(answer)) !== undefined,
    )
  );
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

type SerializedState = Omit<RoomState, 'members' | 'bans' | 'mutes'> & {
  readonly bans: Person[];
  readonly mutes: [Person, Kind[]][];
  readonly members: SerializedMember[];
};

type SerializedMember = Omit<MemberState, 'requests'> & {
  readonly requests: Omit<RequestMemory, 'answers'> & { answers: [number, Answer][] };
};
