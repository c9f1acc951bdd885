import { type Budget, type Rate, USER_BUDGET } from '@fenghuo/protocol';
import {
  type RateLimiterAbstract,
  type RateLimiterInsuredAbstract,
  RateLimiterMemory,
  RateLimiterRes,
  RLWrapperTimeouts,
} from 'rate-limiter-flexible';

/** Those who come into rooms, each counted over all nodes of a home. */
export const ENTRANTS = ['user', 'address'] as const;
export type Entrant = (typeof ENTRANTS)[number];

/** How many of each may come in within a minute; none: they are not counted. */
export type EntriesPerMinute = Readonly<Partial<Record<Entrant, number>>>;

/** Joins and resumes of one user, and of one address, on all nodes together. */
export interface EntryLimits {
  /**
   * Counts one more for each of the names, none of which tells who it is. Resolves to 0, or to the milliseconds until it may
   * be tried again. Never rejects: while shared state does not answer, each node counts for itself.
   */
  take(names: Readonly<Partial<Record<Entrant, string>>>): Promise<number>;
}

export const MINUTE_S = 60;
/** A join does not wait for longer than this to learn that it may. */
const ANSWERS_WITHIN_MS = 300;

/** What a node grants, for a minute: those who spread over more nodes are not granted more. */
export function entriesPerMinute(addressBudget: Budget | undefined): EntriesPerMinute {
  const within = ({ burst, perSecond }: Rate) => Math.ceil(burst + MINUTE_S * perSecond);
  const { entries: byUser } = USER_BUDGET;
  const byAddress = addressBudget?.entries;
  return {
    ...(byUser === undefined ? {} : { user: within(byUser) }),
    ...(byAddress === undefined ? {} : { address: within(byAddress) }),
  };
}

/** `open` makes the counter of one kind of name in shared state; it is asked in time, or this process counts alone. */
export function entryLimits(
  perMinute: EntriesPerMinute,
  open: (
    entrant: Entrant,
    points: number,
    alone: RateLimiterMemory,
  ) => RateLimiterInsuredAbstract | undefined,
): EntryLimits {
  const counters = new Map<Entrant, RateLimiterAbstract>();
  for (const entrant of ENTRANTS) {
    const points = perMinute[entrant];
    if (points === undefined) continue;
    const alone = new RateLimiterMemory({ points, duration: MINUTE_S });
    const limiter = open(entrant, points, alone);
    const timeoutMs = ANSWERS_WITHIN_MS;
    counters.set(
      entrant,
      limiter ? new RLWrapperTimeouts({ limiter, timeoutMs, insuranceLimiter: alone }) : alone,
    );
  }

  async function takeOne(entrant: Entrant, name: string | undefined): Promise<number> {
    if (name === undefined) return 0;
    try {
      await counters.get(entrant)?.consume(name);
      return 0;
    } catch (refusal) {
      // Whatever else goes wrong is no reason to keep anybody out: each node counts for itself besides.
      return refusal instanceof RateLimiterRes ? Math.max(refusal.msBeforeNext, 1) : 0;
    }
  }

  return {
    async take(names) {
      const waits = await Promise.all(ENTRANTS.map((entrant) => takeOne(entrant, names[entrant])));
      return Math.max(...waits);
    },
  };
}
