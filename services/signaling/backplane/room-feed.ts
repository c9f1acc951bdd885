import { setTimeout as sleep } from 'node:timers/promises';
import type { LogBounds } from '../domain/log-bounds.ts';
import type { RoomId } from '../domain/room-id.ts';
import { type RoomRecord, readRecord } from '../domain/room-record.ts';
import { type RoomState, snapshotOf } from '../domain/room-state.ts';
import type { KeptRecords } from './kept-records.ts';
import type { OnMalformed } from './malformed.ts';
import type { Doorbell, LogPage, RoomLog, SessionRef } from './room-log.ts';
import { RoomReplica } from './room-replica.ts';
import {
  type Listener,
  type OwnRecord,
  type Seat,
  SeatCursor,
  type SeatKeeper,
  type SeatStart,
} from './room-seat.ts';
import { type OnFailed, unattended } from './tasks.ts';

/** What a feed saw, for the metrics. */
export interface FeedObserver {
  /** Each record once, from the one with which a session of this node came in. `state`: the room after it, where it is known. */
  applied(record: RoomRecord, hadListener: boolean, room: RoomId, state: RoomState | undefined): void;
  duplicate(): void;
  repaired(records: number): void;
  resynced(): void;
  readonly malformed: OnMalformed;
  readonly failed: OnFailed;
}

/** Records held back in one room, while a gap is read back; what goes over is read from the log. */
const HELD_MAX = 1_024;
const REPAIR_RETRY_MS = 250;
const TELL_RETRY_MS = 50;
const TELL_TRIES_MAX = 60;
/** A log that says more than it has is read no more often in a row. */
const FRUITLESS_PAGES_MAX = 3;
/** A gap that is not closed within this time is one. */
const GAP_GRACE_MS = 20;
/** A head that no doorbell announced within this time was missed. */
const RING_GRACE_MS = 150;

/** Notes in which rooms this process may hold sessions, so that they can be ended if it dies (rule C7). */
export interface Holds {
  hold(room: RoomId): Promise<boolean>;
  release(room: RoomId): void;
}

/** What a feed needs of its node. `drop`: it is of no use any more. */
export interface FeedParts {
  readonly rooms: RoomLog;
  readonly doorbell: Doorbell;
  readonly holds: Holds;
  readonly bounds: LogBounds;
  readonly kept: KeptRecords;
  readonly observer: FeedObserver;
  /** The process under which sessions are held here. */
  owner(): string;
  /** A session of this process that has no connection: nobody would ever end it. */
  onStray(session: SessionRef): void;
  drop(room: RoomId): void;
}

/**
 * One room, delivered in order and without gaps (rules D2 and D3), as long as it has a seat or is kept.
 * `#position` is the seq up to which everything was handed to the seats; none before the first join.
 */
export class RoomFeed implements SeatKeeper {
  readonly #room: RoomId;
  readonly #parts: FeedParts;
  readonly #replica: RoomReplica;
  readonly #seats = new Set<SeatCursor>();
  /** Records behind a gap, by seq; none, and no map, nearly always. */
  #held: Map<number, { readonly record: RoomRecord; readonly text: string }> | undefined;
  #keeps = 0;
  #epoch = 0;
  #position: number | undefined;
  /** Where this feed began; older records, such as the first join's own, ring without having been delivered. */
  #startedAt = 0;
  #opened: Promise<boolean> | undefined;
  #repairing = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(room: RoomId, parts: FeedParts) {
    this.#room = room;
    this.#parts = parts;
    this.#replica = new RoomReplica(room, parts.rooms, parts.bounds, parts.kept);
  }

  async collect(listener: Listener): Promise<Seat | undefined> {
    const seat = new SeatCursor(listener, this.#position, this);
    this.#seats.add(seat);
    if (await this.#open()) return seat;
    this.leaveSeat(seat);
    return undefined;
  }

  /** This node does not know the room's state yet. */
  get wantsState(): boolean {
    return this.#replica.state === undefined;
  }

  /** Stays, without a seat, until the returned function is called (rule R7). */
  keep(): () => void {
    this.#attend(async () => {
      if ((await this.#open()) && this.#position === undefined) await this.#startFromState();
    });
    return this.#stay();
  }

  /** Listens for a session that may come in next, until the returned function is called. */
  warm(): () => void {
    this.#attend(() => this.#open());
    return this.#stay();
  }

  #stay(): () => void {
    this.#keeps += 1;
    let isKept = true;
    return () => {
      if (!isKept) return;
      isKept = false;
      this.#keeps -= 1;
      this.#closeIfIdle();
    };
  }

  /** The seq up to which everything was delivered; undefined before the first join. */
  get position(): number | undefined {
    return this.#position;
  }

  /** For how many reasons this node hosts the room. */
  get uses(): number {
    return this.#seats.size + this.#keeps;
  }

  /** How many peers the room has; undefined until its state was read. */
  get size(): number | undefined {
    return this.#replica.state?.members.size;
  }

  /** How much of the room's log this node keeps. */
  get tail(): RoomReplica['tail'] {
    return this.#replica.tail;
  }

  /** What this node could restore of the room. */
  get knowledge(): { epoch: number; seq: number; contribution: () => string } {
    const { state, head } = this.#replica;
    return { epoch: state?.epoch ?? 0, seq: head, contribution: () => this.#replica.contribution() };
  }

  /** What the backplane says of this room, against what was delivered, now and before it was asked. */
  compare(epoch: number | undefined, head: number, positionBefore: number | undefined): void {
    if (this.#position === undefined || positionBefore === undefined || this.#closed) return;
    this.#replica.letGoOld();
    if (epoch !== this.#epoch) this.#attend(() => this.#repair());
    // It lost what had been delivered already.
    else if (head < positionBefore) this.#attend(() => this.#resync());
    else if (head > this.#position) this.#later(RING_GRACE_MS, () => this.#missed(head));
    else if (this.#replica.state === undefined) this.#attend(() => this.#replica.load());
  }

  /** Something may have been appended that does not ring here. */
  doubt(): void {
    if (!this.#closed) this.#later(RING_GRACE_MS, () => this.#repair());
  }

  async resubscribe(): Promise<void> {
    if (this.#closed) return;
    if (await this.#parts.doorbell.subscribe(this.#room)) await this.#repair();
    else this.#later(REPAIR_RETRY_MS, () => this.resubscribe());
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#seats.clear();
    this.#replica.close();
  }

  /** Both before any session of this room is created here: that it is heard, and that it would be swept. */
  async #open(): Promise<boolean> {
    const { doorbell, holds } = this.#parts;
    this.#opened ??= Promise.all([doorbell.beforeEntry(this.#room), holds.hold(this.#room)]).then((done) =>
      done.every((each) => each),
    );
    const opening = this.#opened;
    const isOpen = await opening;
    if (!isOpen && this.#opened === opening) {
      this.#opened = undefined;
      holds.release(this.#room);
    }
    return isOpen;
  }

  startSeat(seat: SeatCursor, { epoch, seq, record, state }: SeatStart): void {
    this.#start(seat, epoch, seq, state);
    this.noteEntry(record);
  }

  #start(seat: SeatCursor, epoch: number, seq: number, state: RoomState | undefined): void {
    if (this.#closed || !this.#seats.has(seat)) return;
    if (this.#position === undefined) {
      this.#begin(epoch, seq);
      if (state === undefined) this.#attend(() => this.#replica.load());
      else this.#replica.begin(state);
    }
    const { collected } = seat;
    seat.cursor = seq;
    seat.collected = [];
    if (epoch !== this.#epoch) {
      this.#attend(() => this.#repair());
      return;
    }
    // Collected less than the join needs: it overflowed, or another join's later reply came first.
    if (collected === 'overflow' || seq < (seat.from ?? seq)) {
      this.#attend(() => this.#catchUp(seat, seq));
      return;
    }
    for (const record of collected) this.#hand(seat, record);
    this.#settle();
  }

  #begin(epoch: number, seq: number): void {
    this.#position = seq;
    this.#startedAt = seq;
    this.#epoch = epoch;
    for (const each of this.#seats) each.from ??= seq;
  }

  /** A feed that is only kept begins where the room's state is. */
  async #startFromState(): Promise<void> {
    const isHeard = await this.#parts.doorbell.subscribe(this.#room);
    const isRead = isHeard && (await this.#replica.load());
    if (this.#closed || this.#position !== undefined) return;
    const { state } = this.#replica;
    if (state !== undefined) {
      this.#begin(state.epoch, state.seq);
      this.#settle();
    } else if (!isRead) this.#later(REPAIR_RETRY_MS, () => this.#startFromState());
  }

  noteOwn({ listener }: SeatCursor, own: OwnRecord): void {
    if (this.#position === undefined || own.seq <= this.#position) return;
    this.#replica.noteOwn({
      ...own,
      epoch: this.#epoch,
      from: listener.peer,
      origin: '-',
      originMs: 0,
      inner: '',
    });
  }

  noteEntry(text: string): void {
    const record = text === '' ? undefined : this.#read(text);
    if (record === undefined) return;
    // The feed began with it, or behind it: it is not applied any more.
    if (record.seq <= this.#startedAt) this.#observe(record, true);
    else if (record.seq > (this.#position ?? Infinity)) this.#replica.noteOwn(record);
  }

  #observe(record: RoomRecord, hadListener: boolean): void {
    const { observer } = this.#parts;
    unattended('feed', observer.failed, () =>
      observer.applied(record, hadListener, this.#room, this.#replica.state),
    );
  }

  /** A record as the backplane has it. */
  #read(text: string): RoomRecord | undefined {
    const record = readRecord(text);
    if (record === undefined) this.#parts.observer.malformed('record');
    return record;
  }

  /** Whatever becomes of one seat, the others are handed theirs; that one has lost the thread. */
  #hand(seat: SeatCursor, record: RoomRecord): boolean {
    try {
      return seat.hand(record);
    } catch (error) {
      this.#parts.observer.failed('feed', error);
      this.#attend(() => seat.listener.lost());
      return false;
    }
  }

  #attend(action: () => unknown): void {
    unattended('feed', this.#parts.observer.failed, action);
  }

  leaveSeat(seat: SeatCursor): void {
    if (this.#seats.delete(seat)) this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (!this.#closed && this.#seats.size === 0 && this.#keeps === 0) this.#end();
  }

  #end(): void {
    this.close();
    this.#parts.doorbell.unsubscribe(this.#room);
    if (this.#opened !== undefined) this.#parts.holds.release(this.#room);
    // Where it is still under way and fails, it lets nothing go any more.
    this.#opened = undefined;
    this.#parts.drop(this.#room);
  }

  ring(record: RoomRecord, text: string): void {
    const position = this.#position;
    if (position !== undefined && record.epoch === this.#epoch && record.seq <= position) {
      if (record.seq > this.#startedAt) this.#parts.observer.duplicate();
      return;
    }
    const isNext = record.seq === (position ?? Infinity) + 1 && record.epoch === this.#epoch;
    if (isNext && !this.#isHolding && !this.#repairing) {
      this.#apply(record, text);
    } else {
      this.#held ??= new Map();
      if (this.#held.size < HELD_MAX) this.#held.set(record.seq, { record, text });
      this.#settle();
    }
  }

  /**
   * Applies what is held as far as it is without a gap. A gap is read from the log, unless it closes: what members of this
   * node appended comes another way than what rings.
   */
  #settle(): void {
    if (this.#position === undefined || this.#repairing) return;
    this.#applyHeld();
    for (const [seq, { record }] of this.#held ?? []) {
      if (record.epoch < this.#epoch || (record.epoch === this.#epoch && seq <= this.#position))
        this.#held?.delete(seq);
    }
    if (this.#isHolding) this.#later(GAP_GRACE_MS, () => this.#isHolding && this.#repair());
  }

  get #isHolding(): boolean {
    return this.#held !== undefined && this.#held.size > 0;
  }

  #applyHeld(): void {
    for (;;) {
      const next = this.#held?.get((this.#position ?? 0) + 1);
      if (next === undefined || next.record.epoch !== this.#epoch) return;
      this.#held?.delete(next.record.seq);
      this.#apply(next.record, next.text);
    }
  }

  #apply(record: RoomRecord, text: string): void {
    this.#position = record.seq;
    this.#replica.apply(record, text);
    let hadListener = false;
    // Who is in the set and leaves meanwhile is passed over.
    for (const seat of this.#seats) hadListener = this.#hand(seat, record) || hadListener;
    this.#observe(record, hadListener);
    // The room has ended: there is nothing to keep.
    if (this.#replica.state?.members.size === 0 && this.#seats.size === 0) this.#end();
  }

  #missed(head: number): void {
    if (this.#position === undefined) return;
    if (head > this.#position || this.#isHolding) this.#attend(() => this.resubscribe());
  }

  async #repair(): Promise<void> {
    if (this.#repairing || this.#position === undefined || this.#closed) return;
    this.#repairing = true;
    let outcome: 'done' | 'unavailable' | 'out_of_reach' = 'unavailable';
    try {
      outcome = await this.#readBack();
    } finally {
      this.#repairing = false;
      if (outcome === 'unavailable' && !this.#closed) this.#later(REPAIR_RETRY_MS, () => this.#repair());
    }
    if (this.#closed || outcome === 'unavailable') return;
    if (outcome === 'out_of_reach') await this.#resync();
    else this.#settle();
  }

  async #readBack(): Promise<'done' | 'unavailable' | 'out_of_reach'> {
    const { rooms, observer } = this.#parts;
    let isContinued = false;
    for (let fruitless = 0; fruitless < FRUITLESS_PAGES_MAX; ) {
      const position = this.#position ?? 0;
      // A record is in the log before it rings.
      const rang = Math.max(position, ...(this.#held?.keys() ?? []));
      const page = await rooms.readAfter(this.#room, position);
      if (!page.ok) return 'unavailable';
      if (this.#closed) return 'done';
      const log = page.value;
      if (log === undefined) return 'out_of_reach';
      if (log.epoch !== this.#epoch) {
        if (!continues(log, this.#epoch, position)) return 'out_of_reach';
        // The room was restored, and nothing is missing: its state was changed besides, and is read anew.
        if (!(await this.#replica.load('goes_on'))) return 'unavailable';
        this.#epoch = log.epoch;
        isContinued = true;
      }
      if (log.first > position + 1 || (log.head < rang && !isContinued)) return 'out_of_reach';
      const repaired = this.#applyPage(log);
      if (repaired === undefined) return 'out_of_reach';
      if (repaired > 0) observer.repaired(repaired);
      this.#applyHeld();
      if ((this.#position ?? 0) >= Math.max(log.head, this.#replica.state?.seq ?? 0)) {
        if (isContinued) this.#tellAll(this.#replica.state, true);
        return 'done';
      }
      if (repaired === 0 && log.head > (this.#position ?? 0)) return 'out_of_reach';
      fruitless = repaired === 0 ? fruitless + 1 : 0;
    }
    return 'out_of_reach';
  }

  /** How many records the page brought; undefined where one of them is none. */
  #applyPage(log: LogPage): number | undefined {
    let applied = 0;
    for (const text of log.records) {
      const record = this.#read(text);
      if (record === undefined) return undefined;
      if (record.seq !== (this.#position ?? 0) + 1) continue;
      this.#apply(record, text);
      applied++;
    }
    return applied;
  }

  /** A seat behind the others is brought up to them from the log; meanwhile it takes nothing live. */
  async #catchUp(seat: SeatCursor, from: number): Promise<void> {
    seat.cursor = undefined;
    seat.collected = 'overflow';
    for (let after = from; ; ) {
      const page = await this.#parts.rooms.readAfter(this.#room, after);
      if (this.#closed || !this.#seats.has(seat)) return;
      const reachable = page.ok && page.value?.epoch === this.#epoch && page.value.first <= after + 1;
      if (!reachable) return seat.listener.lost();
      for (const text of page.value.records) {
        const record = this.#read(text);
        // One that does not come after what was read would be read for ever.
        if (record === undefined || record.seq <= after) return seat.listener.lost();
        seat.cursor = after;
        this.#hand(seat, record);
        after = record.seq;
      }
      if (after >= (this.#position ?? 0)) {
        seat.cursor = Math.max(seat.cursor ?? 0, after);
        seat.collected = [];
        return;
      }
      seat.cursor = undefined;
      if (page.value.records.length === 0) return seat.listener.lost();
    }
  }

  /** Replaces what every seat knows by the room as it is now; a seat that is not in it is lost. */
  async #resync(): Promise<void> {
    if (this.#repairing || this.#closed) return;
    this.#repairing = true;
    // What rang before is in the snapshot, or nowhere; what rings meanwhile comes after it.
    const rang = [...(this.#held?.keys() ?? [])];
    let isRead = false;
    try {
      isRead = await this.#replica.load();
    } finally {
      this.#repairing = false;
      if (!isRead && !this.#closed) this.#later(REPAIR_RETRY_MS, () => this.#resync());
    }
    if (this.#closed || !isRead) return;
    const { state } = this.#replica;
    this.#position = state?.seq ?? this.#position;
    this.#epoch = state?.epoch ?? this.#epoch;
    for (const seq of rang) this.#held?.delete(seq);
    this.#tellAll(state, false);
    this.#settle();
  }

  /** Gives every seat the room as it is. */
  #tellAll(state: RoomState | undefined, complete: boolean): void {
    for (const seat of [...this.#seats])
      if (seat.cursor !== undefined) this.#attend(() => this.#tell(seat, state, complete));
    if (state !== undefined) this.#detachStrays(state);
    else if (this.#seats.size === 0) this.#end();
  }

  /** Who is not in the room, or only under a newer generation than this connection's, is lost. */
  #tell(seat: SeatCursor, state: RoomState | undefined, complete: boolean): void {
    const generation = state?.members.get(seat.listener.peer)?.requests.generation;
    if (state === undefined || generation === undefined || generation > seat.generation) {
      seat.listener.lost();
      return;
    }
    // It resumed after the state was read: its own record is still to come.
    if (generation < seat.generation) {
      this.#attend(() => this.tellEpoch(seat));
      return;
    }
    seat.cursor = state.seq;
    if (!complete) this.#parts.observer.resynced();
    seat.listener.resync(snapshotOf(this.#room, state), complete);
  }

  /** Sessions that are said to be connected here, and are not: what ended them was lost before anybody had it. */
  #detachStrays(state: RoomState): void {
    const seated = new Set([...this.#seats].map((seat) => seat.listener.peer));
    for (const { peer, requests, incarnation } of state.members.values()) {
      if (!peer.connected || seated.has(peer.id) || incarnation !== this.#parts.owner()) continue;
      this.#parts.onStray({ room: this.#room, peer: peer.id, generation: requests.generation });
    }
  }

  async tellEpoch(seat: SeatCursor): Promise<void> {
    for (let tries = 0; !this.#closed && this.#seats.has(seat); tries++) {
      // The record of its own resume went with what the backplane lost: the client has to come back.
      if (tries > TELL_TRIES_MAX) return seat.listener.lost();
      const { state } = this.#replica;
      const generation = state?.members.get(seat.listener.peer)?.requests.generation ?? 0;
      const isUpToDate =
        state !== undefined &&
        state.epoch === this.#epoch &&
        state.epoch >= seat.epoch &&
        state.seq === this.#position &&
        generation >= seat.generation;
      if (isUpToDate && seat.cursor !== undefined) return this.#attend(() => this.#tell(seat, state, true));
      if (state === undefined) await this.#replica.load();
      await sleep(TELL_RETRY_MS, undefined, { ref: false });
    }
  }

  /** One thing at a time: whichever comes due, it finds out what else there is to do. */
  #later(delayMs: number, action: () => unknown): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#closed) this.#attend(action);
    }, delayMs);
  }
}

/** Whether who was at a seq of an epoch can go on in the log without a loss. */
function continues({ former }: LogPage, epoch: number, position: number): boolean {
  return former?.epoch === epoch && position >= former.completeFrom && position <= former.head;
}
