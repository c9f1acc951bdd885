import type { Network } from '../domain/address.ts';

/** Delays the answer to a wrong token, the more the more of them an address has tried. Right ones never wait. */
export interface FailedTries {
  slowDown(network: Network): Promise<void>;
}

const FIRST_DELAY_MS = 100;
/** Less than clients wait for an answer: many sessions of one address may be over at once, and are to learn it. */
const DELAY_MAX_MS = 1_000;
/** An address that failed no more is forgiven one try after this time. */
const FORGIVEN_EVERY_MS = 2_000;
const ADDRESSES_MAX = 10_000;

export function failedTries(nowMs: () => number): FailedTries {
  const tries = new Map<string, { count: number; atMs: number }>();

  function note(network: Network): number {
    const known = tries.get(network);
    const forgiven = known === undefined ? 0 : Math.floor((nowMs() - known.atMs) / FORGIVEN_EVERY_MS);
    const count = Math.max(0, (known?.count ?? 0) - forgiven) + 1;
    tries.delete(network);
    tries.set(network, { count, atMs: nowMs() });
    if (tries.size > ADDRESSES_MAX) tries.delete(tries.keys().next().value ?? '');
    return count;
  }

  return {
    slowDown(network) {
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (note(network) - 1), DELAY_MAX_MS);
      return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
    },
  };
}
