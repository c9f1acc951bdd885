import type { PeerId, RemovedReason } from '@fenghuo/protocol';
import { concerns, fateOf, type RoomRecord, removalOf } from '../domain/room-record.ts';
import type { RoomSnapshot, RoomState } from '../domain/room-state.ts';

/** A local session, as its room's feed knows it. */
export interface Listener {
  readonly peer: PeerId;
  /** The next record that concerns this peer: in the log's order, each once. */
  deliver(record: RoomRecord): void;
  /** The snapshot replaces everything; `complete`: nothing that came before it is missing. */
  resync(snapshot: RoomSnapshot, complete: boolean): void;
  /** The session has left by the request of that id. */
  left(id: number): void;
  /** The session was ended by somebody, or its token: the client is told why. */
  removed(reason: RemovedReason, by: PeerId | undefined): void;
  /** The session continues on another connection (rule C4). */
  replaced(): void;
  /** The session is over, or its thread lost: the client has to come back. */
  lost(): void;
}

/** A listener's place in a room. It collects from the moment it is taken (rule C9). */
export interface Seat {
  /** This node does not know the room's state yet: the join may bring it along. */
  readonly wantsState: boolean;
  /** How many peers the room has, as far as this node knows; at least 1. */
  readonly size: number;
  /** Hands on what came after `seq`, first what was collected meanwhile. Call it once the join is acknowledged. */
  start(at: SeatStart): void;
  /** Sends the room as it is, nothing being missing: the client counts in an epoch that is over. */
  tellEpoch(): Promise<void>;
  /** Its session has appended this; the doorbell may bring it later. */
  noteOwn(draft: OwnRecord): void;
  /** The same for records as the backplane returned them. */
  noteRecords(records: readonly string[]): void;
  leave(): void;
}

export interface SeatStart {
  readonly epoch: number;
  readonly seq: number;
  readonly generation: number;
  /** What the join or resume appended: the doorbell may bring it later, or never. Empty: nothing. */
  readonly record: string;
  /** As of `seq`, where the join brought it. */
  readonly state?: RoomState | undefined;
}

export type OwnRecord = Pick<RoomRecord, 'type' | 'seq' | 'to' | 'echo' | 'id' | 'body'>;

/** Records that a seat keeps until it starts; what goes over is read from the log. */
export const COLLECTED_MAX = 1_024;

/** What a seat asks of its feed. */
export interface SeatKeeper {
  readonly wantsState: boolean;
  /** Of the room; undefined until its state was read. */
  readonly size: number | undefined;
  startSeat(seat: SeatCursor, at: SeatStart): void;
  tellEpoch(seat: SeatCursor): Promise<void>;
  noteOwn(seat: SeatCursor, own: OwnRecord): void;
  noteEntry(record: string): void;
  leaveSeat(seat: SeatCursor): void;
}

/** A seat's own place in the room's log: each record reaches its listener once. */
export class SeatCursor implements Seat {
  readonly listener: Listener;
  /** Of the session as this connection holds it; a record with a greater one ends the connection. */
  generation = 0;
  /** In which it started. */
  epoch = 0;
  /** The seq up to which this seat was served; undefined while its join is under way. */
  cursor: number | undefined;
  /** The room's position when it began to collect. */
  from: number | undefined;
  collected: RoomRecord[] | 'overflow' = [];
  readonly #keeper: SeatKeeper;

  constructor(listener: Listener, from: number | undefined, keeper: SeatKeeper) {
    this.listener = listener;
    this.from = from;
    this.#keeper = keeper;
  }

  get wantsState(): boolean {
    return this.#keeper.wantsState;
  }

  get size(): number {
    return this.#keeper.size ?? 1;
  }

  start(at: SeatStart): void {
    this.generation = at.generation;
    this.epoch = at.epoch;
    this.#keeper.startSeat(this, at);
  }

  tellEpoch(): Promise<void> {
    return this.#keeper.tellEpoch(this);
  }

  noteOwn(own: OwnRecord): void {
    this.#keeper.noteOwn(this, own);
  }

  noteRecords(records: readonly string[]): void {
    for (const record of records) this.#keeper.noteEntry(record);
  }

  leave(): void {
    this.#keeper.leaveSeat(this);
  }

  /** Gives it the next record, once; while it collects it keeps it. Says whether the record is for it. */
  hand(record: RoomRecord): boolean {
    const { listener } = this;
    const isForIt = concerns(record, listener.peer);
    if (!isForIt && record.from !== listener.peer && record.type !== 'closed') return false;
    if (this.cursor === undefined) {
      this.#collect(record);
      return true;
    }
    if (record.seq <= this.cursor) return false;
    this.cursor = record.seq;
    const fate = fateOf(record, listener.peer, this.generation);
    if (fate === 'goes_on') {
      if (isForIt) listener.deliver(record);
      return isForIt;
    }
    this.cursor = Number.POSITIVE_INFINITY;
    if (fate === 'left') listener.left(record.id);
    else if (fate === 'replaced') listener.replaced();
    else if (fate === 'removed') this.#remove(record);
    else listener.lost();
    return true;
  }

  #collect(record: RoomRecord): void {
    if (this.collected === 'overflow') return;
    if (this.collected.length < COLLECTED_MAX) this.collected.push(record);
    else this.collected = 'overflow';
  }

  #remove(record: RoomRecord): void {
    const removal = removalOf(record);
    if (removal === undefined) this.listener.lost();
    else this.listener.removed(removal.reason, removal.by);
  }
}
