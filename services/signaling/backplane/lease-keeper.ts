import { setImmediate as turnsEnd } from 'node:timers/promises';
import type { RoomId } from '../domain/room-id.ts';
import {
  type Adopter,
  BEAT_MS,
  LEASE_MS,
  type Lease,
  type LeaseHolder,
  type Leases,
  type Load,
  type Order,
} from './leases.ts';
import type { Adopted } from './room-log.ts';
import { type OnFailed, unattended } from './tasks.ts';

/** Beats this far apart were not kept: this process slept, or was starved, and saw nothing of the others. */
const GAP_MS = 3 * BEAT_MS;

/** What was last seen of a lease. */
interface Seen {
  readonly count: number;
  readonly sinceMs: number;
  /** Its count rose while this process watched: its process lives, or did then. */
  readonly hasBeaten: boolean;
}

export interface LeaseKeeperOptions {
  readonly nodeId: string;
  readonly newIncarnation: () => string;
  readonly nowMs: () => number;
  /** How this process stands, for the others. */
  readonly load: () => Load;
  /** What operators want of this process now; called after each beat that succeeded. */
  readonly onBeat: (order: Order | undefined) => void;
  /** The others took this process for dead: its sessions are over, whatever its connections believe. */
  readonly onSwept: () => void;
  /** Sessions of a dead process whose windows this one counts from now on. */
  readonly onAdopted: (sessions: readonly Adopted[]) => void;
  readonly onSweep: (dead: Lease, sessions: number) => void;
  /** So many other living processes bear this one's name now: nothing but confusing, since a name is nobody's identity. */
  readonly onNamesakes: (count: number) => void;
  readonly failed: OnFailed;
}

/** Keeps this process's lease, and watches over those of the others. */
export class LeaseKeeper {
  readonly #leases: Leases;
  readonly #options: LeaseKeeperOptions;
  /** For how many reasons each room is held. */
  readonly #held = new Map<RoomId, number>();
  /** What was last seen of each lease, and since when this process has seen it unchanged. */
  readonly #seen = new Map<string, Seen>();
  readonly #sweeping = new Set<string>();
  #neighbours: readonly string[] = [];
  #living: readonly Lease[] = [];
  #standing: readonly Lease[] = [];
  #namesakes = 0;
  #order: Order | undefined;
  #incarnation: string;
  #isTaken = false;
  #beatenAtMs = Number.NEGATIVE_INFINITY;
  #livedMs = 0;
  #beating: Promise<void> | undefined;
  #noting: { readonly rooms: Set<RoomId>; readonly isDone: Promise<boolean> } | undefined;

  constructor(leases: Leases, options: LeaseKeeperOptions) {
    this.#leases = leases;
    this.#options = options;
    this.#incarnation = options.newIncarnation();
  }

  /** Under which sessions are held: another one after this process was swept (rule C3). */
  get incarnation(): string {
    return this.#incarnation;
  }

  /** How many leases stood at the last beat, this one's included. */
  get nodesSeen(): number {
    return this.#seen.size + (this.#isTaken ? 1 : 0);
  }

  /** The other processes that stood at the last beat that succeeded, however long ago. */
  get neighbours(): readonly string[] {
    return this.#neighbours;
  }

  /** Those of them that have beaten lately. */
  get living(): readonly Lease[] {
    return this.#living;
  }

  /** Other living processes that bear this one's name. */
  get namesakes(): number {
    return this.#namesakes;
  }

  /**
   * The leases that stood at the last beat, this process's included, without those that were given up, and those of
   * silent processes whose name a living one bears; undefined where that beat is too long ago. Those of other processes that
   * hang are among them, until they are swept.
   */
  get standing(): readonly Lease[] | undefined {
    const isLately = this.#isTaken && this.#options.nowMs() - this.#beatenAtMs <= GAP_MS;
    return isLately ? this.#standing : undefined;
  }

  /** A clock that stands still while the backplane does not answer, or this process sleeps (rule C2). */
  get livedMs(): number {
    return this.#livedMs;
  }

  /** Whether so long ago was the last beat that others may have taken this process for dead (rule C3). */
  get isOverdue(): boolean {
    return this.#isTaken && this.#options.nowMs() - this.#beatenAtMs > LEASE_MS;
  }

  /** Resolves to whether the backplane has noted it, or will with the first session. Each hold is to be released once. */
  async hold(room: RoomId): Promise<boolean> {
    if (!this.#leases.areNotedByEntry) return this.#holdAll([room]);
    await this.#count([room]);
    return this.#isTaken;
  }

  release(room: RoomId): void {
    const holds = (this.#held.get(room) ?? 0) - 1;
    if (holds > 0) this.#held.set(room, holds);
    else if (this.#held.delete(room)) this.#leases.release(this.#incarnation, room);
  }

  /** Notes all held rooms anew, for a backplane that has lost them. */
  async holdAgain(): Promise<boolean> {
    return this.#holdInParts([...this.#held.keys()]);
  }

  /** Whether this process may hold sessions: were it to die, they would be taken over. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** To be called every BEAT_MS; one that is still under way is not doubled. Never rejects. */
  beat(): Promise<void> {
    this.#beating ??= this.#beatOnce().finally(() => {
      this.#beating = undefined;
    });
    return this.#beating;
  }

  /** Gives the lease up in order: the others take over what is left at once. Never rejects. */
  async end(): Promise<void> {
    if (this.#isTaken) await this.#leases.giveUp(this.#incarnation);
  }

  async #beatOnce(): Promise<void> {
    try {
      await (this.#isTaken ? this.#renew() : this.#take());
    } catch (error) {
      this.#options.failed('beat', error);
    }
  }

  async #take(): Promise<void> {
    const taken = await this.#leases.take(this.#holder());
    if (!taken.ok || !(await this.holdAgain())) return;
    this.#isTaken = true;
    this.#beatenAtMs = this.#options.nowMs();
    this.#living = [];
    this.#noteStanding(taken.value.leases);
    const others = this.#others(taken.value.leases);
    this.#neighbours = others.map((lease) => lease.incarnation);
    this.#follow(taken.value.order);
    // Rule C1: one of this node's name is the former process, or a namesake that lives. Whether it lives its lease tells.
    for (const lease of others) if (lease.isGivenUp) this.#sweepSoon(lease);
  }

  async #renew(): Promise<void> {
    const renewed = await this.#leases.renew(this.#holder());
    if (renewed.ok) {
      this.#beaten(this.#others(renewed.value.leases));
      this.#noteStanding(renewed.value.leases);
      return this.#follow(renewed.value.order);
    }
    // Rule C2: time without the backplane counts for nobody.
    this.#seen.clear();
    if (renewed.code === 'unavailable') return;
    this.#isTaken = false;
    this.#incarnation = this.#options.newIncarnation();
    this.#options.onSwept();
    await this.#take();
  }

  #holder(): LeaseHolder {
    const { nodeId, load } = this.#options;
    return { incarnation: this.#incarnation, nodeId, load: load(), order: this.#order };
  }

  /** The beat has succeeded, whatever comes of the order. */
  #follow(order: Order | undefined): void {
    this.#order = order;
    unattended('beat', this.#options.failed, () => this.#options.onBeat(order));
  }

  #noteStanding(leases: readonly Lease[]): void {
    const own = leases.filter(({ incarnation }) => incarnation === this.#incarnation);
    const proven = [...own, ...this.#proven()];
    const living = new Set(proven.map(({ incarnation }) => incarnation));
    const names = new Set(proven.map(({ nodeId }) => nodeId));
    this.#standing = leases.filter(
      ({ isGivenUp, incarnation, nodeId }) => !isGivenUp && (living.has(incarnation) || !names.has(nodeId)),
    );
  }

  /** Other processes that this one has seen beat. */
  #proven(): readonly Lease[] {
    return this.#living.filter(({ incarnation }) => this.#seen.get(incarnation)?.hasBeaten);
  }

  #noteNamesakes(): void {
    const count = this.#proven().filter(({ nodeId }) => nodeId === this.#options.nodeId).length;
    if (count === this.#namesakes) return;
    this.#namesakes = count;
    this.#options.onNamesakes(count);
  }

  #beaten(others: readonly Lease[]): void {
    const nowMs = this.#options.nowMs();
    const sinceLastMs = nowMs - this.#beatenAtMs;
    this.#beatenAtMs = nowMs;
    // Rule C2: others are judged by time in which this process's own beats succeeded.
    if (sinceLastMs > GAP_MS) this.#seen.clear();
    else this.#livedMs += sinceLastMs;
    this.#neighbours = others.map((lease) => lease.incarnation);
    this.#watch(others, nowMs);
  }

  #watch(others: readonly Lease[], nowMs: number): void {
    const standing = new Set(this.#neighbours);
    for (const incarnation of this.#seen.keys())
      if (!standing.has(incarnation)) this.#seen.delete(incarnation);
    for (const lease of others) {
      const seen = this.#seen.get(lease.incarnation);
      if (lease.isGivenUp) this.#sweepSoon(lease);
      else if (seen?.count !== lease.count)
        this.#seen.set(lease.incarnation, {
          count: lease.count,
          sinceMs: nowMs,
          hasBeaten: seen !== undefined,
        });
      else if (nowMs - seen.sinceMs >= LEASE_MS) this.#sweepSoon(lease);
    }
    this.#living = others.filter((lease) => {
      const seen = this.#seen.get(lease.incarnation);
      return !lease.isGivenUp && seen !== undefined && nowMs - seen.sinceMs <= GAP_MS;
    });
    this.#noteNamesakes();
  }

  #sweepSoon(lease: Lease): void {
    unattended('sweep', this.#options.failed, () => this.#sweep(lease));
  }

  async #sweep(lease: Lease): Promise<void> {
    if (this.#sweeping.has(lease.incarnation)) return;
    this.#sweeping.add(lease.incarnation);
    const prepared: RoomId[] = [];
    try {
      const swept = await this.#leases.sweep(lease.incarnation, this.#adopter(prepared));
      if (swept.ok) this.#options.onSweep(lease, swept.value);
    } finally {
      for (const room of prepared) this.release(room);
      this.#sweeping.delete(lease.incarnation);
    }
  }

  /** A room is held from before its sessions are taken over until its feed holds it, too (rule C7). */
  #adopter(prepared: RoomId[]): Adopter {
    return {
      incarnation: this.#incarnation,
      prepare: (rooms) => {
        prepared.push(...rooms);
        return this.#holdAll(rooms);
      },
      adopt: (_, sessions) => {
        if (sessions.length > 0) this.#options.onAdopted(sessions);
      },
    };
  }

  async #count(rooms: readonly RoomId[]): Promise<void> {
    for (const room of rooms) this.#held.set(room, (this.#held.get(room) ?? 0) + 1);
    if (!this.#isTaken) await this.beat();
  }

  async #holdAll(rooms: readonly RoomId[]): Promise<boolean> {
    await this.#count(rooms);
    this.#noting ??= { rooms: new Set(), isDone: turnsEnd().then(() => this.#note()) };
    for (const room of rooms) this.#noting.rooms.add(room);
    return this.#noting.isDone;
  }

  /** What is to be held since this turn of the event loop, by one command. */
  async #note(): Promise<boolean> {
    // What was released meanwhile would be noted for ever.
    const wanted = [...(this.#noting?.rooms ?? [])].filter((room) => this.#held.has(room));
    this.#noting = undefined;
    return this.#isTaken && (await this.#holdInParts(wanted));
  }

  async #holdInParts(rooms: readonly RoomId[]): Promise<boolean> {
    for (let at = 0; at < rooms.length; at += HELD_AT_ONCE) {
      const noted = await this.#leases.hold(this.#incarnation, rooms.slice(at, at + HELD_AT_ONCE));
      if (!noted.ok) return false;
    }
    return true;
  }

  #others(leases: readonly Lease[]): Lease[] {
    return leases.filter((lease) => lease.incarnation !== this.#incarnation);
  }
}

const HELD_AT_ONCE = 512;
