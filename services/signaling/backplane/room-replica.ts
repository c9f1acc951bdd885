import type { PeerId } from '@fenghuo/protocol';
import { DROPPED_AT_ONCE, type LogBounds } from '../domain/log-bounds.ts';
import type { RoomId } from '../domain/room-id.ts';
import { formatRecord, type RoomRecord } from '../domain/room-record.ts';
import { applyRecord, type RoomState, serializeState } from '../domain/room-state.ts';
import type { KeptRecords } from './kept-records.ts';
import { type Contribution, NOTHING_NEWER } from './rebuilds.ts';
import type { RoomLog } from './room-log.ts';
import { RoomTail } from './room-tail.ts';

/**
 * What a node that hosts a room knows of it, so that a backplane which lost the room can get it back (rules R2, R4
 * and R7): its full state, kept up by applying its records, and the newest of those records.
 */
export class RoomReplica {
  readonly #room: RoomId;
  readonly #rooms: RoomLog;
  readonly #bounds: LogBounds;
  #state: RoomState | undefined;
  /** What was applied while the state was being read. */
  #meanwhile: RoomRecord[] | undefined;
  readonly #tail: RoomTail;
  /** Whom the records concerned that were dropped from the tail, since this replica has seen them all. */
  #trimmed: Trimmed = { from: 0, everyone: 0, one: undefined };
  /** What this node's own sessions appended and no doorbell brought back yet, by seq. */
  #own: Map<number, RoomRecord> | undefined;

  constructor(room: RoomId, rooms: RoomLog, bounds: LogBounds, kept: KeptRecords) {
    this.#room = room;
    this.#rooms = rooms;
    this.#bounds = bounds;
    this.#tail = new RoomTail(kept);
  }

  /** Undefined until it was read. */
  get state(): RoomState | undefined {
    return this.#state;
  }

  /**
   * Reads the state anew; what is applied meanwhile comes on top. Where the room did not go on from what was applied here,
   * that is of no use any more (rule R6). False: the backplane did not answer.
   */
  async load(how: 'goes_on' | 'anew' = 'anew'): Promise<boolean> {
    const meanwhile: RoomRecord[] = [];
    this.#meanwhile = meanwhile;
    // It never rejects.
    const read = await this.#rooms.state(this.#room);
    if (this.#meanwhile !== meanwhile) return read.ok; // A later load has taken over.
    this.#meanwhile = undefined;
    if (!read.ok) return false;
    if (how === 'goes_on' || this.#state?.epoch !== read.value?.epoch) this.#own = undefined;
    if (how === 'anew' && this.#state?.epoch !== read.value?.epoch) {
      this.#tail.retain(new Set(meanwhile.map((record) => record.seq)));
    }
    this.#state = read.value;
    this.#trimmed = { from: this.#tail.reach(read.value?.seq ?? 0), everyone: 0, one: undefined };
    for (const record of meanwhile) this.#advance(record);
    return true;
  }

  /** The state came with the join that has this node host the room. */
  begin(state: RoomState): void {
    this.#state = state;
    this.#trimmed = { from: state.seq, everyone: 0, one: undefined };
  }

  /** Keeps nothing any more. */
  close(): void {
    this.#tail.retain(new Set());
  }

  /** The room's next record, and its text. */
  apply(record: RoomRecord, text: string): void {
    this.#meanwhile?.push(record);
    if (this.#meanwhile === undefined) this.#advance(record);
    this.#own?.delete(record.seq);
    const nowMs = performance.now();
    const bytesBefore = this.#tail.bytes;
    this.#tail.push(record.seq, text, nowMs);
    this.#dropOld(nowMs);
    this.#trim(bytesBefore);
  }

  /** Lets go what is too old to be asked for, some in each turn; to be called now and then, for rooms in which nothing is said. */
  letGoOld(): void {
    if (this.#dropOld(performance.now())) setImmediate(() => this.letGoOld());
  }

  /** Says whether there is more. */
  #dropOld(nowMs: number): boolean {
    const oldestMs = nowMs - this.#bounds.ageMs;
    for (let n = 0; (this.#tail.sinceMs ?? Infinity) < oldestMs; n++) {
      if (n === DROPPED_AT_ONCE) return true;
      this.#drop();
    }
    return false;
  }

  /** A session of this node knows that its record is in the log; it may not have rung here yet. */
  noteOwn(record: RoomRecord): void {
    this.#own ??= new Map();
    this.#own.set(record.seq, record);
    if (this.#own.size > OWN_MAX) this.#own.delete(this.#own.keys().next().value ?? 0);
  }

  /** Nothing where the state was not read yet, or there is none. */
  contribution(): string {
    if (this.#state === undefined) return NOTHING_NEWER;
    const own = [...(this.#own?.values() ?? [])].filter((record) => record.seq > (this.#state?.seq ?? 0));
    const records = [...this.#tail.texts, ...own.map(formatRecord)];
    const trimmed = { ...this.#trimmed, one: [...(this.#trimmed.one ?? [])] };
    const contribution: Contribution = { state: serializeState(this.#state), records, trimmed };
    return JSON.stringify(contribution);
  }

  /** How much of the newest part of the log this is, and since when its oldest record is here. */
  get tail(): { readonly records: number; readonly bytes: number; readonly sinceMs: number | undefined } {
    return { records: this.#tail.length, bytes: this.#tail.bytes, sinceMs: this.#tail.sinceMs };
  }

  /** How far this node's knowledge goes. */
  get head(): number {
    return Math.max(this.#state?.seq ?? 0, ...(this.#own?.keys() ?? []));
  }

  #advance(record: RoomRecord): void {
    if (this.#state !== undefined && record.seq === this.#state.seq + 1) applyRecord(this.#state, record);
  }

  #noteTrimmed(record: RoomRecord): void {
    if (record.type === 'fenced') return;
    if (record.to === undefined) this.#trimmed.everyone = record.seq;
    else
      for (const peer of record.echo ? [record.to, record.from] : [record.to])
        if (this.#state?.members.has(peer)) this.#trimmedOf.set(peer, record.seq);
    if (record.type === 'left') this.#trimmed.one?.delete(record.from);
  }

  get #trimmedOf(): Map<PeerId, number> {
    this.#trimmed.one ??= new Map();
    return this.#trimmed.one;
  }

  /** A few of what is over the cap; more only where it would else be larger than it was before its newest record. */
  #trim(bytesBefore: number): void {
    for (let n = 0; this.#tail.bytes > this.#bounds.bytesMax; n++) {
      if (n >= DROPPED_AT_ONCE && this.#tail.bytes <= bytesBefore) return;
      this.#drop();
    }
  }

  #drop(): void {
    const dropped = this.#tail.shift();
    if (dropped !== undefined) this.#noteTrimmed(dropped);
  }
}

/** Seqs. Of a room in which nothing is said yet there is nothing, and no map. */
interface Trimmed {
  readonly from: number;
  everyone: number;
  one: Map<PeerId, number> | undefined;
}

/** Records wait here only until their doorbell; more than a room's sessions may have unanswered they are not. */
const OWN_MAX = 4_096;
