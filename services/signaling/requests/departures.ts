import { type OnFailed, unattended } from '../backplane/tasks.ts';
import { type Result, refuse } from '../domain/result.ts';

/** Ends a session, or calls a join off; `unavailable`: the backplane has not said that it did. */
export type Departure = () => Promise<Result<unknown, string>>;

/** Sessions whose end the backplane has not confirmed: told again until it has, so that no ghost keeps a seat. */
export interface Departures {
  /** Resolves after the first try. */
  depart(departure: Departure): Promise<void>;
  /** How many are still owed. */
  readonly owed: number;
  /** Resolves when none is owed, or when the time is over. */
  settled(timeoutMs: number): Promise<void>;
  close(): void;
}

const RETRY_MS = 500;
const TRIES_AT_ONCE = 64;

export function departures(onFailed: OnFailed): Departures {
  const owed = new Set<Departure>();
  let timer: NodeJS.Timeout | undefined;
  let waiting: (() => void)[] = [];
  let isClosed = false;

  async function attempt(departure: Departure): Promise<void> {
    // One that the backplane never takes goes behind the others.
    if (owed.delete(departure)) owed.add(departure);
    const outcome = await outcomeOf(departure);
    if (!outcome.ok && outcome.code === 'unavailable') return;
    owed.delete(departure);
    if (owed.size > 0) return;
    for (const settle of waiting) settle();
    waiting = [];
  }

  async function outcomeOf(departure: Departure): ReturnType<Departure> {
    try {
      return await departure();
    } catch (error) {
      onFailed('departures', error);
      return refuse('unavailable');
    }
  }

  async function retry(): Promise<void> {
    try {
      await Promise.all([...owed].slice(0, TRIES_AT_ONCE).map(attempt));
    } finally {
      timer = undefined;
      retryLater();
    }
  }

  function retryLater(): void {
    if (isClosed || timer !== undefined || owed.size === 0) return;
    timer = setTimeout(() => unattended('departures', onFailed, retry), RETRY_MS);
  }

  return {
    async depart(departure) {
      owed.add(departure);
      await attempt(departure);
      retryLater();
    },
    get owed() {
      return owed.size;
    },
    settled: (timeoutMs) =>
      new Promise((resolve) => {
        if (owed.size === 0) return resolve();
        const limit = setTimeout(resolve, timeoutMs);
        waiting.push(() => {
          clearTimeout(limit);
          resolve();
        });
      }),
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
