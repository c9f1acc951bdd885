import type { RoomId } from '../domain/room-id.ts';
import { BEAT_MS, LEASE_MS, type Lease, type Leases } from './leases.ts';

/** Beats this far apart were not kept: this process slept, or was starved, and saw nothing of the others. */
const GAP_MS = 3 * BEAT_MS;

export interface LeaseKeeperOptions {
  readonly nodeId: string;
  readonly newIncarnation: () => string;
  readonly nowMs: () => number;
  /** The others took this process for dead: its sessions are over, whatever its connections believe. */
  readonly onSwept: () => void;
  readonly onSweep: (dead: Lease, sessions: number) => void;
}

/** Keeps this process's lease, and watches over those of the others. */
export class LeaseKeeper {
  readonly #leases: Leases;
  readonly #options: LeaseKeeperOptions;
  readonly #held = new Set<RoomId>();
  /** What was last seen of each lease, and since when this process has seen it unchanged. */
  readonly #seen = new Map<string, { readonly count: number; readonly sinceMs: number }>();
  readonly #sweeping = new Set<string>();
  #incarnation: string;
  #isTaken = false;
  #watchedAtMs = 0;
  #beating: Promise<void> | undefined;

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

  /** Resolves to whether the backplane has noted it. */
  async hold(room: RoomId): Promise<boolean> {
    this.#held.add(room);
    if (!this.#isTaken) await this.beat();
    if (!this.#isTaken) return false;
    return (await this.#leases.hold(this.#incarnation, [room])).ok;
  }

  release(room: RoomId): void {
    this.#held.delete(room);
    this.#leases.release(this.#incarnation, room);
  }

  /** Whether this process may hold sessions: were it to die, they would be ended. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** To be called every BEAT_MS; one that is still under way is not doubled. */
  beat(): Promise<void> {
    this.#beating ??= (this.#isTaken ? this.#renew() : this.#take()).finally(() => {
      this.#beating = undefined;
    });
    return this.#beating;
  }

  /** Gives the lease up in order: nothing is left for others to sweep. */
  async end(): Promise<void> {
    if (this.#isTaken) await this.#leases.sweep(this.#incarnation);
  }

  async #take(): Promise<void> {
    const { nodeId } = this.#options;
    const taken = await this.#leases.take(this.#incarnation, nodeId);
    if (!taken.ok) return;
    if (this.#held.size > 0 && !(await this.#leases.hold(this.#incarnation, [...this.#held])).ok) return;
    this.#isTaken = true;
    // Rule C1: a process that bears this node's name has just been replaced by this one.
    const former = this.#others(taken.value).filter((lease) => lease.nodeId === nodeId);
    for (const lease of former) void this.#sweep(lease);
  }

  async #renew(): Promise<void> {
    const renewed = await this.#leases.renew(this.#incarnation, this.#options.nodeId);
    if (renewed.ok) return this.#watch(this.#others(renewed.value));
    // Rule C2: time without the backplane counts for nobody.
    this.#seen.clear();
    if (renewed.code === 'unavailable') return;
    this.#isTaken = false;
    this.#incarnation = this.#options.newIncarnation();
    this.#options.onSwept();
    await this.#take();
  }

  #watch(others: readonly Lease[]): void {
    const nowMs = this.#options.nowMs();
    // Rule C2: others are judged by time in which this process's own beats succeeded.
    if (nowMs - this.#watchedAtMs > GAP_MS) this.#seen.clear();
    this.#watchedAtMs = nowMs;
    const standing = new Set(others.map((lease) => lease.incarnation));
    for (const incarnation of this.#seen.keys())
      if (!standing.has(incarnation)) this.#seen.delete(incarnation);
    for (const lease of others) {
      const seen = this.#seen.get(lease.incarnation);
      if (seen?.count !== lease.count)
        this.#seen.set(lease.incarnation, { count: lease.count, sinceMs: nowMs });
      else if (nowMs - seen.sinceMs >= LEASE_MS) void this.#sweep(lease);
    }
  }

  async #sweep(lease: Lease): Promise<void> {
    if (this.#sweeping.has(lease.incarnation)) return;
    this.#sweeping.add(lease.incarnation);
    const swept = await this.#leases.sweep(lease.incarnation);
    this.#sweeping.delete(lease.incarnation);
    if (swept.ok) this.#options.onSweep(lease, swept.value);
  }

  #others(leases: readonly Lease[]): Lease[] {
    return leases.filter((lease) => lease.incarnation !== this.#incarnation);
  }
}
