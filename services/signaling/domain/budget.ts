import type { Budget, Measure, Rate } from '@fenghuo/protocol';

/** What something costs, by measure; 0: nothing, but nothing of it may be owed. */
export type Cost = Readonly<Partial<Record<Measure, number>>>;

/** What is left of a budget: a token bucket for each of its measures, at a moment of a monotonic clock. */
export class Account {
  /** Sessions and connections that use it now. */
  sessions = 0;
  connections = 0;
  readonly #budget: Budget;
  readonly #left: Partial<Record<Measure, number>> = {};
  #atMs: number;

  constructor(budget: Budget, nowMs: number) {
    this.#budget = budget;
    this.#atMs = nowMs;
    for (const [measure, { burst }] of Object.entries(budget)) this.#left[measure as Measure] = burst;
  }

  /** Milliseconds until it has what that costs; 0: it has. What costs more than the burst needs a full bucket. */
  waitMs(cost: Cost, nowMs: number): number {
    this.#refill(nowMs);
    let waitMs = 0;
    for (const measure in cost) {
      const rate = this.#budget[measure as Measure];
      if (rate === undefined) continue;
      const lacking = Math.min(cost[measure as Measure] as number, rate.burst) - this.#leftOf(measure);
      const forMs = Math.ceil((lacking / rate.perSecond) * 1_000 - ROUNDING_MS);
      waitMs = Math.max(waitMs, forMs);
    }
    return waitMs;
  }

  /** Takes it whether it is there or not; owes at most another burst. */
  take(cost: Cost): void {
    for (const measure in cost) {
      const rate = this.#budget[measure as Measure];
      if (rate === undefined) continue;
      const left = this.#leftOf(measure) - (cost[measure as Measure] as number);
      this.#left[measure as Measure] = Math.max(left, -rate.burst);
    }
  }

  /** Whether a new one is the same. */
  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return Object.entries(this.#budget).every(([measure, { burst }]) => this.#leftOf(measure) >= burst);
  }

  #leftOf(measure: string): number {
    return this.#left[measure as Measure] as number;
  }

  #refill(nowMs: number): void {
    const seconds = (nowMs - this.#atMs) / 1_000;
    if (seconds <= 0) return;
    this.#atMs = nowMs;
    for (const measure in this.#budget) {
      const { burst, perSecond } = this.#budget[measure as Measure] as Rate;
      this.#left[measure as Measure] = Math.min(burst, this.#leftOf(measure) + seconds * perSecond);
    }
  }
}

/** What sums of fractions are off by. */
const ROUNDING_MS = 1e-6;

/** Takes it from all accounts, or from none. Returns 0 where it was taken, else the milliseconds until it can be. */
export function spend(accounts: readonly Account[], cost: Cost, nowMs: number): number {
  let waitMs = 0;
  for (const account of accounts) waitMs = Math.max(waitMs, account.waitMs(cost, nowMs));
  if (waitMs === 0) for (const account of accounts) account.take(cost);
  return waitMs;
}

/** What a record adds to its body in the log, at most. */
const RECORD_HEADER_BYTES = 128;

/** Of a request that appends a record of that size, which so many are sent. */
export function recordCost(bodyBytes: number, receivers: number): Cost {
  return { requests: 1, log_bytes: bodyBytes + RECORD_HEADER_BYTES, sent_bytes: bodyBytes * receivers };
}

/**
 * The accounts of those who share a name: a user, an address. They outlive connections. One that nobody uses is forgotten
 * once it is full again; where there are too many, the one that was used longest ago goes before that.
 */
export class Accounts {
  readonly #budget: Budget;
  readonly #namesMax: number;
  readonly #known = new Map<string, Account>();

  constructor(budget: Budget, namesMax: number) {
    this.#budget = budget;
    this.#namesMax = namesMax;
  }

  get size(): number {
    return this.#known.size;
  }

  of(name: string, nowMs: number): Account {
    this.#forgetOldest(nowMs);
    const account = this.#known.get(name) ?? new Account(this.#budget, nowMs);
    this.#putLast(name, account);
    return account;
  }

  /** More are looked at than are added, so that what is to be forgotten comes to an end. */
  #forgetOldest(nowMs: number): void {
    let looked = 0;
    for (const [name, account] of this.#known) {
      const isTooMany = this.#known.size >= this.#namesMax;
      if (looked++ === (isTooMany ? LOOKED_AT_MAX : LOOKED_AT)) return;
      if (account.connections > 0 || account.sessions > 0) this.#putLast(name, account);
      else if (isTooMany || account.isFull(nowMs)) this.#known.delete(name);
      else return;
    }
  }

  #putLast(name: string, account: Account): void {
    this.#known.delete(name);
    this.#known.set(name, account);
  }
}

const LOOKED_AT = 2;
/** Those in use are bounded by the connections. */
const LOOKED_AT_MAX = 64;
