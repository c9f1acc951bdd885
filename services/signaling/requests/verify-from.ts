import type { Network } from '../domain/address.ts';
import type { Verified, VerifyToken } from '../domain/token.ts';
import type { FailedTries } from './failed-tries.ts';
import type { Senders } from './sender.ts';

/** Too many tokens from there were not accepted: nobody looks at another one before `retryMs` are over. */
export interface TooManyFailed {
  readonly ok: false;
  readonly code: 'rate_limited';
  readonly message: string;
  readonly retryMs: number;
}

export type VerifyFrom = (network: Network, token: unknown) => Promise<Verified | TooManyFailed>;

/** Verifies tokens, for a network that sends wrong ones first slowly, and then not for a while. */
export function verifyFrom(
  verifyToken: VerifyToken,
  senders: Pick<Senders, 'spendAt' | 'oweAt'>,
  { slowDown }: FailedTries,
): VerifyFrom {
  return async (network, token) => {
    const retryMs = senders.spendAt(network, { failures: 0 });
    if (retryMs > 0) return { ok: false, code: 'rate_limited', message: MESSAGE, retryMs };
    const verified = await verifyToken(token);
    if (verified.ok || verified.code === 'unavailable') return verified;
    senders.oweAt(network, { failures: 1 });
    await slowDown(network);
    return verified;
  };
}

const MESSAGE = 'Too many tokens from this address were not accepted.';
