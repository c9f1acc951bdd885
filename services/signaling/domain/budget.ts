/** What one session may write into its room's log: a burst, and then a steady rate. */
export interface Budget {
  readonly eventsBurst: number;
  readonly eventsPerSecond: number;
  readonly bytesBurst: number;
  readonly bytesPerSecond: number;
}

/** Within the log's age (36 s by default) 2,000 + 36 × 100 events: what log-bounds.ts keeps per member. */
export const SESSION_BUDGET: Budget = {
  eventsBurst: 2_000,
  eventsPerSecond: 100,
  bytesBurst: 2 * 1_048_576,
  bytesPerSecond: 56 * 1_024,
};

/** What a record adds to its body in the log, at most. */
const RECORD_HEADER_BYTES = 128;

/** What is left of a budget at a moment of a monotonic clock. */
export interface Purse {
  events: number;
  bytes: number;
  atMs: number;
}

export function fullPurse(budget: Budget, nowMs: number): Purse {
  return { events: budget.eventsBurst, bytes: budget.bytesBurst, atMs: nowMs };
}

/** Takes one event with a body of so many bytes. Returns 0 where it was taken, else the milliseconds until it can be. */
export function spend(purse: Purse, budget: Budget, bodyBytes: number, nowMs: number): number {
  const bytes = bodyBytes + RECORD_HEADER_BYTES;
  const seconds = Math.max(0, nowMs - purse.atMs) / 1_000;
  purse.atMs = nowMs;
  purse.events = Math.min(budget.eventsBurst, purse.events + seconds * budget.eventsPerSecond);
  purse.bytes = Math.min(budget.bytesBurst, purse.bytes + seconds * budget.bytesPerSecond);
  const lacking = Math.max(
    (1 - purse.events) / budget.eventsPerSecond,
    (bytes - purse.bytes) / budget.bytesPerSecond,
  );
  if (lacking > 0) return Math.ceil(lacking * 1_000);
  purse.events -= 1;
  purse.bytes -= bytes;
  return 0;
}

/** Takes what has been written already and was not foreseen: who owes waits the longer. */
export function owe(purse: Purse, events: number, bodyBytes: number): void {
  purse.events -= events;
  purse.bytes -= bodyBytes + events * RECORD_HEADER_BYTES;
}
