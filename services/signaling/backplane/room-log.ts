import type { Kind, LeftReason, Moderation, Peer, PeerId } from '@fenghuo/protocol';
import type { Answer } from '../domain/answer.ts';
import type { Person } from '../domain/identity.ts';
import type { Pending } from '../domain/later.ts';
import type { RequestRef } from '../domain/request-order.ts';
import type { Result } from '../domain/result.ts';
import type { JoinRoles } from '../domain/roles.ts';
import type { RoomId } from '../domain/room-id.ts';
import type { RoomRecord } from '../domain/room-record.ts';
import type { RoomSnapshot, RoomState } from '../domain/room-state.ts';

export type { RoomSnapshot } from '../domain/room-state.ts';

/** Why a call about a session may fail without its request being consumed. `rate_limited`: its room's log is full for now. */
export type SessionRefusal =
  | 'session_expired'
  | 'session_replaced'
  | 'invalid_request'
  | 'rate_limited'
  | 'unavailable';

export type JoinRefusal =
  | 'banned'
  | 'room_full'
  | 'room_locked'
  | 'too_large'
  | 'rate_limited'
  | 'unavailable';

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
  readonly roles: JoinRoles;
  /** Whose ban keeps it out, and whose mutes it has. */
  readonly person: Person;
  /** How many peers the room may hold, should this join create it. */
  readonly peersMax: number;
  readonly tokenHash: string;
  /** Whether all of the room's state is to come back, for a node that hosts it from now on. */
  readonly wantsState: boolean;
}

export interface Entered {
  /** What was appended; empty for a repeat. */
  readonly record: string;
  readonly generation: number;
  readonly snapshot: RoomSnapshot;
  readonly state?: RoomState;
}

/** A client's try to continue its session on another connection. */
export interface Comeback {
  readonly room: RoomId;
  readonly peer: PeerId;
  readonly tokenHash: string;
  /** For whom the connection surely speaks: then the session must be of the same one. */
  readonly person?: Person | undefined;
  /** The client's position. */
  readonly seq: number;
  readonly epoch: number;
  /** 0: not given. */
  readonly attempt: number;
  readonly location: Location;
  readonly incarnation: string;
  /** Names this one try, so that it can be taken back where its outcome stays unknown. */
  readonly holder: string;
}

export interface Resumed {
  readonly generation: number;
  /** The greatest request id that has its final answer. */
  readonly lastId: number;
  readonly epoch: number;
  /** The seq of the fence that this resume appended, and its text. */
  readonly head: number;
  readonly record: string;
  /** From which seq on everything that concerns the session can be replayed; undefined: the snapshot must do. */
  readonly replayFrom: number | undefined;
  readonly snapshot: RoomSnapshot | undefined;
}

/** A part of what one session missed. */
export interface ReplayPage {
  /** How far the log was looked through. */
  readonly upTo: number;
  readonly records: readonly string[];
}

/** What an order came to. */
export interface Moderated {
  readonly answer: Answer;
  /** What was appended; empty for a repeat. */
  readonly records: readonly string[];
}

/** The author of what operators do to a room, in its records; and of their messages, as clients see it. */
export const OPERATOR = '-' as PeerId;
export const SERVER = 'server' as PeerId;

export interface Updated {
  readonly peer: Peer;
  /** Of the record. */
  readonly seq: number;
}

/** A session of a dead process that another one has taken over, and whose window it counts. */
export interface Adopted {
  readonly room: RoomId;
  readonly peer: PeerId;
  readonly generation: number;
}

/** What one member sends to another, or to all the others. */
export interface Relay {
  readonly type: 'signal' | 'message';
  readonly to: PeerId | undefined;
  readonly echo: boolean;
  /** What its author must not be muted in; none: whatever he is muted in. */
  readonly kinds?: readonly Kind[];
  /** The JSON of the event without its seq. */
  readonly body: string;
}

/** A piece of a log. `first` is the oldest seq that is still kept. */
export interface LogPage {
  readonly epoch: number;
  /** Set where the room was restored: what it continues. */
  readonly former: FormerLife | undefined;
  readonly head: number;
  readonly first: number;
  /** In the log's order, from the seq after the one asked for. */
  readonly records: readonly string[];
}

/**
 * The epoch that a restored room had before, and from which seq on nothing of it is missing: who was at or past that seq
 * goes on without a loss. `head` is where the former life ended.
 */
export interface FormerLife {
  readonly epoch: number;
  readonly completeFrom: number;
  readonly head: number;
}

/** How far a room is. Undefined: the backplane knows no such room; `unavailable`: it does not say. */
export type RoomHead = { readonly epoch: number; readonly head: number } | 'unavailable' | undefined;

/**
 * Rooms as the nodes share them. Each change is one atomic step: it checks, in the order of rule Q1, changes the
 * room, appends the event under the next seq, and rings the doorbell with it. Calls never reject: an
 * infrastructure that is away, slow or failing is `unavailable` within a second, and its outcome unknown.
 */
export interface RoomLog {
  /**
   * Creates the peer, and the room where it is the first. Repeated with the same token it changes nothing; under the
   * id of a living peer, which only its own client can name again (rule Q4), it continues that session, with the
   * new token and another generation. `too_large`: the metadata of all members together would be more than a room's may be.
   */
  join(newcomer: Newcomer): Promise<Result<Entered, JoinRefusal>>;

  /** Whether a resume could succeed. Changes nothing, so that nothing is done for a forged token (rule C6). */
  verify(
    session: Pick<Comeback, 'room' | 'peer' | 'tokenHash' | 'person'>,
  ): Promise<Result<void, 'session_expired' | 'unauthorized' | 'unavailable'>>;

  /**
   * Continues a session under a new generation and appends the fence that ends the older connection (rule C4). A
   * lower or equal attempt than one before is `session_replaced` (rule C5).
   */
  resume(
    comeback: Comeback,
  ): Promise<Result<Resumed, 'session_expired' | 'session_replaced' | 'unauthorized' | 'unavailable'>>;

  /**
   * Takes a resume of unknown outcome back: where that try holds the session, it is detached, and its generation
   * returned; where it did not happen yet, it cannot any more for a minute.
   */
  release(
    comeback: Pick<Comeback, 'room' | 'peer' | 'holder'>,
    owner: string,
  ): Promise<Result<number | undefined, 'unavailable'>>;

  /**
   * What concerns a peer in the log after a seq, up to another: a part at a time (rule D5). Undefined: it is
   * not there any more.
   */
  replay(
    room: RoomId,
    peer: PeerId,
    after: number,
    upTo: number,
  ): Promise<Result<ReplayPage | undefined, 'unavailable'>>;

  /**
   * The session has lost its connection: raises its generation, which it returns (rule C3). `owner` is the process
   * that counts its window. A repeat gets the same answer.
   */
  detach(session: SessionRef, owner: string): Promise<Result<number, SessionRefusal>>;

  /**
   * Ends a session, and the room with the last one. Without a request it is the node's own doing. Returns the
   * record's seq.
   */
  leave(
    session: SessionRef,
    reason: LeftReason,
    request?: RequestRef,
  ): Promise<Result<number, SessionRefusal>>;

  /**
   * Ends what a join of unknown outcome has made; if it made nothing yet, it cannot any more for a minute.
   */
  callOff(
    join: Pick<Newcomer, 'room' | 'peer' | 'tokenHash'>,
    reason: LeftReason,
  ): Promise<Result<void, 'unavailable'>>;

  /** Appends a signal or a message. An addressee that is not in the room, or a muted kind, is a final refusal. */
  relay(session: SessionRef, request: RequestRef, relay: Relay): Pending<Result<Answer, SessionRefusal>>;

  /**
   * Replaces what is given of the peer's profile. A repeat is `invalid_request` once its record is not kept any more.
   * `too_large`, which is final: the metadata of all members together would be more than a room's may be.
   */
  update(
    session: SessionRef,
    request: RequestRef,
    profile: Partial<Profile>,
  ): Promise<Result<Updated, SessionRefusal | 'too_large'>>;

  /**
   * Does to the room or its members what a member orders, by the rules of domain/moderation.ts: the answer's seq is the
   * one from which on the order is in force. What is against the rules is a final refusal.
   */
  moderate(
    session: SessionRef,
    request: RequestRef,
    order: Moderation,
  ): Promise<Result<Moderated, SessionRefusal>>;

  /** The same by an operator, who stands above every role. Done twice it changes nothing more. */
  intervene(
    room: RoomId,
    order: Moderation,
  ): Promise<Result<number, 'room_not_found' | 'peer_not_found' | 'unavailable'>>;

  /** Appends an operator's message, for one peer or for all. */
  send(
    room: RoomId,
    message: Pick<Relay, 'to' | 'body'>,
  ): Promise<Result<number, 'room_not_found' | 'peer_not_found' | 'unavailable'>>;

  /** Everything after a seq, at most `LOG_PAGE_RECORDS` at once. Undefined: no such room. */
  readAfter(room: RoomId, seq: number): Promise<Result<LogPage | undefined, 'unavailable'>>;

  snapshot(room: RoomId): Promise<Result<RoomSnapshot | undefined, 'unavailable'>>;

  /** All that the room's state holds, for a node that hosts it. */
  state(room: RoomId): Promise<Result<RoomState | undefined, 'unavailable'>>;

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
  /**
   * The same for a room that a join or resume of this node enters next. Where that subscribes by itself, in one step with
   * all that it does, this only waits until the node hears at all.
   */
  beforeEntry(room: RoomId): Promise<boolean>;
  unsubscribe(room: RoomId): void;
  /**
   * Set by the one who listens. `onDoubt`: one of the room's rings may have been lost. `onReset`: of any room, and no
   * subscription holds any more.
   */
  onRing: (room: RoomId, record: RoomRecord, text: string) => void;
  onDoubt: (room: RoomId) => void;
  onReset: () => void;
}
