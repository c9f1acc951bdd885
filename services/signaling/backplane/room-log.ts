import type { LeftReason, Peer, PeerId, Role, Room } from '@fenghuo/protocol';
import type { Answer } from '../domain/answer.ts';
import type { RequestRef } from '../domain/request-order.ts';
import type { Result } from '../domain/result.ts';
import type { RoomId } from '../domain/room-id.ts';

/** Why a call about a session may fail without its request being consumed. */
export type SessionRefusal = 'session_expired' | 'session_replaced' | 'invalid_request' | 'unavailable';

/** A session as the calls of its connection name it: a newer connection has a greater generation. */
export interface SessionRef {
  readonly room: RoomId;
  readonly peer: PeerId;
  readonly generation: number;
}

/** What a peer says of itself. */
export interface Profile {
  readonly name: string;
  readonly metadata: unknown;
}

/** Where a session's connection is. */
export interface Location {
  readonly node: string;
  readonly region: string;
}

export interface Newcomer extends SessionRef {
  readonly profile: Profile;
  readonly location: Location;
  /** The process that holds the connection: random at each start (rule C1). */
  readonly incarnation: string;
  /** The role where the room was empty, and elsewhere. */
  readonly roles: { readonly first: Role; readonly others: Role };
  /** How many peers the room may hold, should this join create it. */
  readonly peersMax: number;
  readonly tokenHash: string;
}

/** A room as its log had it at `seq`. */
export interface RoomSnapshot {
  readonly epoch: number;
  readonly seq: number;
  readonly room: Room;
  /** Everyone, in the order in which they joined. */
  readonly peers: readonly Peer[];
}

/** What one member sends to another, or to all the others. */
export interface Relay {
  readonly type: 'signal' | 'message';
  readonly to: PeerId | undefined;
  readonly echo: boolean;
  /** The JSON of the event without its seq. */
  readonly body: string;
}

/** A piece of a log. `first` is the oldest seq that is still kept. */
export interface LogPage {
  readonly epoch: number;
  readonly head: number;
  readonly first: number;
  /** In the log's order, from the seq after the one asked for. */
  readonly records: readonly string[];
}

/** How far a room is. Undefined: the backplane knows no such room. */
export type RoomHead = { readonly epoch: number; readonly head: number } | undefined;

/**
 * Rooms as the nodes share them. Each change is one atomic step: it checks, in the order of rule Q1, changes the
 * room, appends the event under the next seq, and rings the doorbell with it. Calls never reject: an
 * infrastructure that is away, slow or failing is `unavailable` within a second, and its outcome unknown.
 */
export interface RoomLog {
  /** Creates the peer, and the room where it is the first. A join repeated under the same peer id changes nothing. */
  join(newcomer: Newcomer): Promise<Result<RoomSnapshot, 'room_full' | 'room_locked' | 'unavailable'>>;

  /**
   * Ends a session, and the room with the last one. Without a request it is the node's own doing. A session that
   * is not there is fenced for a minute, so that a join still under way cannot create it afterwards.
   */
  leave(session: SessionRef, reason: LeftReason, request?: RequestRef): Promise<Result<void, SessionRefusal>>;

  /** Appends a signal or a message. An addressee that is not in the room is a final refusal. */
  relay(session: SessionRef, request: RequestRef, relay: Relay): Promise<Result<Answer, SessionRefusal>>;

  /** Replaces what is given of the peer's profile. */
  update(
    session: SessionRef,
    request: RequestRef,
    profile: Partial<Profile>,
  ): Promise<Result<Peer, SessionRefusal>>;

  /** Everything after a seq, at most `LOG_PAGE_RECORDS` at once. Undefined: no such room. */
  readAfter(room: RoomId, seq: number): Promise<Result<LogPage | undefined, 'unavailable'>>;

  snapshot(room: RoomId): Promise<Result<RoomSnapshot | undefined, 'unavailable'>>;

  /** The heads of rooms that this node hosts; keeps them from being taken for garbage. */
  attest(rooms: readonly RoomId[]): Promise<Result<readonly RoomHead[], 'unavailable'>>;
}

export const LOG_PAGE_RECORDS = 128;

/**
 * Tells a node at once what was appended to the rooms it asked for: zero, one or two copies of each record.
 * A doorbell promises nothing more; the log does.
 */
export interface Doorbell {
  /** Resolves once every later append rings here: true, or false where the backplane did not confirm in time. */
  subscribe(room: RoomId): Promise<boolean>;
  unsubscribe(room: RoomId): void;
  /** Set by the one who listens. `onReset`: rings may have been lost, and no subscription holds any more. */
  onRing: (room: RoomId, record: string) => void;
  onReset: () => void;
}
