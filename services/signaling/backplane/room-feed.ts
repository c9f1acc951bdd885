import type { PeerId } from '@fenghuo/protocol';
import type { RoomId } from '../domain/room-id.ts';
import { concerns, parseRecord, type RoomRecord } from '../domain/room-record.ts';
import type { Doorbell, RoomLog, RoomSnapshot } from './room-log.ts';

/** A local session, as its room's feed knows it. */
export interface Listener {
  readonly peer: PeerId;
  /** The next record that concerns this peer: in the log's order, each once. */
  deliver(record: RoomRecord): void;
  /** The log no longer reaches back to what this node had: the snapshot replaces everything. */
  resync(snapshot: RoomSnapshot): void;
  /** The backplane no longer knows the session. */
  lost(): void;
}

/** A listener's place in a room. It collects from the moment it is taken (rule C9). */
export interface Seat {
  /** Hands on what came after `seq`, first what was collected meanwhile. Call it once the join is acknowledged. */
  start(epoch: number, seq: number): void;
  leave(): void;
}

/** What a feed saw, for the metrics. */
export interface FeedObserver {
  applied(record: RoomRecord, hadListener: boolean): void;
  duplicate(): void;
  repaired(records: number): void;
  resynced(): void;
}

/** Records held back in one room, while it starts or a gap is read back; what goes over is read from the log. */
const HELD_MAX = 1_024;
const REPAIR_RETRY_MS = 250;
/** A head that no doorbell announced within this time was missed. */
const RING_GRACE_MS = 150;

/** Notes in which rooms this process may hold sessions, so that they can be ended if it dies (rule C7). */
export interface Holds {
  hold(room: RoomId): Promise<boolean>;
  release(room: RoomId): void;
}

/** What a feed needs of its node. `drop`: it has no seat left. */
export interface FeedParts {
  readonly rooms: RoomLog;
  readonly doorbell: Doorbell;
  readonly holds: Holds;
  readonly observer: FeedObserver;
  drop(room: RoomId): void;
}

/**
 * One room, delivered in order and without gaps (rules D2 and D3). `#position` is the seq up to which everything was handed to the seats; none before the first
 * join.
 */
export class RoomFeed {
  readonly #room: RoomId;
  readonly #parts: FeedParts;
  readonly #seats = new Set<CollectingSeat>();
  readonly #held = new Map<number, RoomRecord>();
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
  }

  async collect(listener: Listener): Promise<Seat | undefined> {
    const seat: CollectingSeat = { listener, cursor: undefined, from: this.#position, collected: [] };
    this.#seats.add(seat);
    this.#opened ??= this.#open();
    if (!(await this.#opened)) {
      this.#opened = undefined;
      this.#leave(seat);
      return undefined;
    }
    return {
      start: (epoch, seq) => this.#start(seat, epoch, seq),
      leave: () => this.#leave(seat),
    };
  }

  ring(text: string): void {
    const record = parseRecord(text);
    // What cannot be read leaves a gap, and the log is asked.
    if (record !== undefined) this.#take(record);
  }

  /** The seq up to which everything was delivered; undefined before the first join. */
  get position(): number | undefined {
    return this.#position;
  }

  /** What the backplane says of this room, against what was delivered, now and before it was asked. */
  compare(epoch: number | undefined, head: number, positionBefore: number | undefined): void {
    if (this.#position === undefined || positionBefore === undefined || this.#closed) return;
    // Another life of the room, or one that lost what had been delivered already.
    if (epoch !== this.#epoch || head < positionBefore) void this.#resync();
    else if (head > this.#position) this.#later(RING_GRACE_MS, () => this.#missed(head));
  }

  async resubscribe(): Promise<void> {
    if (this.#closed) return;
    if (await this.#parts.doorbell.subscribe(this.#room)) await this.#repair();
    else this.#later(REPAIR_RETRY_MS, () => void this.resubscribe());
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#seats.clear();
  }

  /** Both before any session of this room is created here: that it is heard, and that it would be swept. */
  async #open(): Promise<boolean> {
    const { doorbell, holds } = this.#parts;
    const done = await Promise.all([doorbell.subscribe(this.#room), holds.hold(this.#room)]);
    return done.every((each) => each);
  }

  #start(seat: CollectingSeat, epoch: number, seq: number): void {
    if (this.#closed || !this.#seats.has(seat)) return;
    if (this.#position === undefined) {
      this.#position = seq;
      this.#startedAt = seq;
      this.#epoch = epoch;
      for (const each of this.#seats) each.from ??= seq;
    }
    const { collected } = seat;
    seat.cursor = seq;
    seat.collected = [];
    if (epoch !== this.#epoch) return void this.#resync();
    // Collected less than the join needs: it overflowed, or another join's later reply came first.
    if (collected === 'overflow' || seq < (seat.from ?? seq)) return void this.#catchUp(seat, seq);
    for (const record of collected) this.#hand(seat, record);
    this.#settle();
  }

  #leave(seat: CollectingSeat): void {
    if (!this.#seats.delete(seat) || this.#seats.size > 0) return;
    this.close();
    this.#parts.doorbell.unsubscribe(this.#room);
    this.#parts.holds.release(this.#room);
    this.#parts.drop(this.#room);
  }

  #take(record: RoomRecord): void {
    const position = this.#position;
    if (position !== undefined && record.epoch === this.#epoch && record.seq <= position) {
      if (record.seq > this.#startedAt) this.#parts.observer.duplicate();
      return;
    }
    if (this.#held.size < HELD_MAX) this.#held.set(record.seq, record);
    this.#settle();
  }

  /** Applies what is held as far as it is without a gap; a gap is read from the log. */
  #settle(): void {
    if (this.#position === undefined || this.#repairing) return;
    this.#applyHeld();
    for (const [seq, record] of this.#held) {
      if (record.epoch < this.#epoch || (record.epoch === this.#epoch && seq <= this.#position))
        this.#held.delete(seq);
    }
    if (this.#held.size > 0) void this.#repair();
  }

  #applyHeld(): void {
    for (;;) {
      const record = this.#held.get((this.#position ?? 0) + 1);
      if (record === undefined || record.epoch !== this.#epoch) return;
      this.#held.delete(record.seq);
      this.#apply(record);
    }
  }

  #apply(record: RoomRecord): void {
    this.#position = record.seq;
    let hadListener = false;
    for (const seat of this.#seats) hadListener = this.#hand(seat, record) || hadListener;
    this.#parts.observer.applied(record, hadListener);
  }

  /** Gives a seat its next record, once; a seat that still collects keeps it. */
  #hand(seat: CollectingSeat, record: RoomRecord): boolean {
    if (!concerns(record, seat.listener.peer)) return false;
    if (seat.cursor === undefined) {
      if (seat.collected === 'overflow') return true;
      if (seat.collected.length < HELD_MAX) seat.collected.push(record);
      else seat.collected = 'overflow';
      return true;
    }
    if (record.seq <= seat.cursor) return false;
    seat.cursor = record.seq;
    seat.listener.deliver(record);
    return true;
  }

  #missed(head: number): void {
    if (this.#position !== undefined && head > this.#position) void this.resubscribe();
  }

  async #repair(): Promise<void> {
    if (this.#repairing || this.#position === undefined || this.#closed) return;
    this.#repairing = true;
    const outcome = await this.#readBack();
    this.#repairing = false;
    if (this.#closed) return;
    if (outcome === 'unavailable') this.#later(REPAIR_RETRY_MS, () => void this.#repair());
    else if (outcome === 'out_of_reach') await this.#resync();
    else this.#settle();
  }

  async #readBack(): Promise<'done' | 'unavailable' | 'out_of_reach'> {
    for (;;) {
      const position = this.#position ?? 0;
      // A record is in the log before it rings.
      const rang = Math.max(position, ...this.#held.keys());
      const page = await this.#parts.rooms.readAfter(this.#room, position);
      if (!page.ok) return 'unavailable';
      if (this.#closed) return 'done';
      const log = page.value;
      if (log === undefined || log.epoch !== this.#epoch) return 'out_of_reach';
      if (log.first > position + 1 || log.head < rang) return 'out_of_reach';
      let repaired = 0;
      for (const text of log.records) {
        const record = parseRecord(text);
        if (record === undefined) return 'out_of_reach';
        if (record.seq !== (this.#position ?? 0) + 1) continue;
        this.#apply(record);
        repaired++;
      }
      if (repaired > 0) this.#parts.observer.repaired(repaired);
      this.#applyHeld();
      if ((this.#position ?? 0) >= log.head) return 'done';
      if (repaired === 0) return 'out_of_reach';
    }
  }

  /** A seat behind the others is brought up to them from the log; meanwhile it takes nothing live. */
  async #catchUp(seat: CollectingSeat, from: number): Promise<void> {
    seat.cursor = undefined;
    seat.collected = 'overflow';
    for (let after = from; ; ) {
      const page = await this.#parts.rooms.readAfter(this.#room, after);
      if (this.#closed || !this.#seats.has(seat)) return;
      const reachable = page.ok && page.value?.epoch === this.#epoch && page.value.first <= after + 1;
      if (!reachable) return seat.listener.lost();
      for (const text of page.value.records) {
        const record = parseRecord(text);
        if (record === undefined) return seat.listener.lost();
        if (concerns(record, seat.listener.peer)) seat.listener.deliver(record);
        after = record.seq;
      }
      if (after >= (this.#position ?? 0)) {
        seat.cursor = after;
        seat.collected = [];
        return;
      }
      if (page.value.records.length === 0) return seat.listener.lost();
    }
  }

  /** Replaces what every seat knows by the room as it is now; a seat that is not in it is lost. */
  async #resync(): Promise<void> {
    if (this.#repairing || this.#closed) return;
    this.#repairing = true;
    // What rang before is in the snapshot, or nowhere; what rings meanwhile comes after it.
    const rang = [...this.#held.keys()];
    const found = await this.#parts.rooms.snapshot(this.#room);
    this.#repairing = false;
    if (this.#closed) return;
    if (!found.ok) return this.#later(REPAIR_RETRY_MS, () => void this.#resync());
    const snapshot = found.value;
    const members = new Set(snapshot?.peers.map((peer) => peer.id));
    this.#position = snapshot?.seq ?? this.#position;
    this.#epoch = snapshot?.epoch ?? this.#epoch;
    for (const seq of rang) this.#held.delete(seq);
    for (const seat of [...this.#seats]) {
      if (seat.cursor === undefined) continue;
      if (snapshot === undefined || !members.has(seat.listener.peer)) {
        seat.listener.lost();
        continue;
      }
      seat.cursor = snapshot.seq;
      this.#parts.observer.resynced();
      seat.listener.resync(snapshot);
    }
    this.#settle();
  }

  /** One thing at a time: whichever comes due, it finds out what else there is to do. */
  #later(delayMs: number, action: () => void): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#closed) action();
    }, delayMs);
  }
}

interface CollectingSeat {
  readonly listener: Listener;
  /** The seq up to which this seat was served; undefined while its join is under way. */
  cursor: number | undefined;
  /** The room's position when it began to collect. */
  from: number | undefined;
  collected: RoomRecord[] | 'overflow';
}
