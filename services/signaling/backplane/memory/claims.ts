import { ok, type Result, refuse } from '../../domain/result.ts';
import { ASKED_TTL_MS, CLAIM_TTL_MS, type Claims, RELEASED_TTL_MS } from '../claims.ts';
import type { LifeView } from './room-log.ts';
import type { SharedMemory } from './shared-memory.ts';

/** The same in one process. */
export function memoryClaims(memory: SharedMemory, view: LifeView): Claims {
  function whenSealed<Value>(action: () => Value): Result<Value, 'unavailable'> {
    if (view.isSealed(memory.life) && memory.sealed.has(memory.life)) return ok(action());
    view.unsealed(memory.life);
    return refuse('unavailable');
  }

  function homeOf(name: string): string | undefined {
    const claim = memory.claims.get(name);
    if (claim !== undefined && performance.now() < claim.endsAtMs) return claim.home;
    memory.claims.delete(name);
    return undefined;
  }

  const keep = (name: string, home: string, forMs: number) =>
    void memory.claims.set(name, { home, endsAtMs: performance.now() + forMs });

  /** Who asks for a name takes no time from those who keep it. */
  const prolong = (name: string, home: string, forMs: number) => {
    const leftMs = (memory.claims.get(name)?.endsAtMs ?? 0) - performance.now();
    keep(name, home, Math.max(leftMs, forMs));
  };

  return {
    claim: async (name, home) =>
      whenSealed(() => {
        const owner = homeOf(name);
        prolong(name, owner ?? home, ASKED_TTL_MS);
        return { home: owner ?? home, isNew: owner === undefined };
      }),
    renew: async (name, home) =>
      whenSealed(() => {
        const isIts = homeOf(name) === home;
        if (isIts) keep(name, home, CLAIM_TTL_MS);
        return isIts;
      }),
    release: async (name, home) =>
      whenSealed(() => {
        if (homeOf(name) === home) keep(name, home, RELEASED_TTL_MS);
      }),
    async restore(name, home, life) {
      if (life === memory.life && homeOf(name) === undefined) keep(name, home, CLAIM_TTL_MS);
      return ok(undefined);
    },
  };
}
