const FIRST_MS = 250;
const LONGEST_MS = 5_000;

/**
 * How long to wait before try number `tries` (from 0). A time that a node named is kept and stretched by up to
 * a half, so that a crowd it was told to does not come back together; else full jitter under a doubling cap.
 */
export function retryDelayMs(tries: number, retryAfterMs: number | undefined, random: () => number): number {
  if (retryAfterMs !== undefined) return retryAfterMs * (1 + random() / 2);
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** tries) * random();
}
