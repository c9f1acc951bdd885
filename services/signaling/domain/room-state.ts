import type { Peer, PeerId } from '@fenghuo/protocol';
import type { Answer } from './answer.ts';
import { type RequestMemory, remember } from './request-order.ts';
import { innerOf, peerOf, type RoomRecord } from './room-record.ts';

/** All that there is to know of a room at a seq: what the backplane holds, and what a node that hosts it could restore. */
export interface RoomState {
  epoch: number;
  seq: number;
  readonly peersMax: number;
  readonly locked: boolean;
  /** In the order in which they joined. */
  readonly members: Map<PeerId, MemberState>;
}

export interface MemberState {
  peer: Peer;
  readonly requests: RequestMemory;
  tokenHash: string;
  /** The process that holds the connection or, of a detached session, counts its window. */
  incarnation: string;
  /** The greatest `attempt` of a resume (rule C5). */
  attempt: number;
  /** No resume reaches back before it: the join, or the last snapshot (rule D6). */
  since: number;
}

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
    requests: { generation: inner.generation, lastId: 1, answers: new Map() },
    tokenHash: inner.tokenHash ?? '',
    incarnation: inner.incarnation,
    attempt: 0,
    since: record.seq,
  });
}

function changeConnection(member: MemberState, record: RoomRecord): void {
  const inner = innerOf(record);
  if (inner === undefined) return;
  member.peer = peerOf(record) ?? member.peer;
  member.requests.generation = inner.generation;
  member.incarnation = inner.incarnation;
  member.attempt = inner.attempt ?? member.attempt;
  if (inner.isSnapshot === true) member.since = record.seq;
  if (inner.tokenHash === undefined) return;
  // Rule Q4: the client's join brought it back; it knows nothing of what came after that one.
  member.tokenHash = inner.tokenHash;
  member.requests.lastId = 1;
  member.requests.answers.clear();
  member.attempt = 0;
  member.since = record.seq;
}

/** As text between nodes. */
export function serializeState(state: RoomState): string {
  const members = [...state.members.values()].map((member) => ({
    ...member,
    requests: { ...member.requests, answers: [...member.requests.answers] },
  }));
  return JSON.stringify({ ...state, members });
}

export function parseState(text: string): RoomState {
  const { members, ...state } = JSON.parse(text) as Omit<RoomState, 'members'> & {
    members: SerializedMember[];
  };
  return {
    ...state,
    members: new Map(
      members.map((member) => [
        member.peer.id,
        {
          ...member,
          requests: { ...member.requests, answers: new Map(member.requests.answers) },
        },
      ]),
    ),
  };
}

type SerializedMember = Omit<MemberState, 'requests'> & {
  requests: Omit<RequestMemory, 'answers'> & { answers: [number, Answer][] };
};
