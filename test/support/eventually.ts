import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Default 5 000. */
  readonly timeoutMs?: number;
  /** Default 25. */
  readonly everyMs?: number;
  /** What is awaited, as a fact: "bob is in the roster of node 2". The failure says it. */
  readonly what?: string;
}

/**
 * Tries `probe` until it neither throws nor returns something falsy (`undefined`, that is nothing, counts as done), and
 * resolves with what it returned. Fails with `what`, and the last thing that was missing.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 5_000, everyMs = 25, what }: EventuallyOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let missing: unknown;
    try {
      const value = await probe();
      if (value === undefined || value) return value;
      missing = `the last value was ${JSON.stringify(value)}`;
    } catch (error) {
      missing = error instanceof Error ? error.message : error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${what ?? 'what was awaited'}; ${missing}`);
    }
    await sleep(everyMs);
  }
}
