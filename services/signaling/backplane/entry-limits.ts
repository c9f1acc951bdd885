import { type Budget, type Rate, USER_BUDGET } from '@fenghuo/protocol';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** Those who come into rooms, each counted over all nodes of a home. */
export const ENTRANTS = ['user', 'address'] as const;
export type Entrant = (typeof ENTRANTS)[number];

/** How many of each may come in within a minute; none: they are not counted. */
export type EntriesPerMinute = Readonly<Partial<Record<Entrant, number>>>;

/** Joins and resumes of one user, and of one address, on all nodes together. */
export interface EntryLimits {
  /**
   * Counts one more for each of the names, none of which tells who it is. Returns 0, or the milliseconds until it may be
   * tried again, by what this node knows: nobody waits for the count, so each node lets one more in than it should. While
   * shared state does not answer, each node counts for itself.
   */
  take(names: Readonly<Partial<Record<Entrant, string>>>): number;
}

export const MINUTE_S = 60;
/** Names that are over the limit; the first that was known to be is forgotten first, and counted again. */
const NAMES_MAX = 10_000;

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

/** `open` makes the counter of one kind of name. */
export function entryLimits(
  perMinute: EntriesPerMinute,
  open: (
    entrant: Entrant,
    options: { readonly points: number; readonly duration: number },
  ) => RateLimiterAbstract,
): EntryLimits {
  const counters = new Map<Entrant, RateLimiterAbstract>();
  for (const entrant of ENTRANTS) {
    const points = perMinute[entrant];
    if (points !== undefined) counters.set(entrant, open(entrant, { points, duration: MINUTE_S }));
  }
  const overUntilMs = new Map<string, number>();

  function takeOne(entrant: Entrant, name: string): number {
    const known = `${entrant} ${name}`;
    const waitMs = (overUntilMs.get(known) ?? 0) - performance.now();
    if (waitMs > 0) return Math.ceil(waitMs);
    overUntilMs.delete(known);
    counters
      .get(entrant)
      ?.consume(name)
      .catch((refusal: unknown) => {
        // Whatever else goes wrong is no reason to keep anybody out: each node has budgets of its own besides.
        if (!(refusal instanceof RateLimiterRes)) return;
        overUntilMs.set(known, performance.now() + refusal.msBeforeNext);
        if (overUntilMs.size > NAMES_MAX) overUntilMs.delete(overUntilMs.keys().next().value ?? '');
      });
    return 0;
  }

  return {
    take: (names) =>
      Math.max(
        ...ENTRANTS.map((entrant) => {
          const name = names[entrant];
          return name === undefined ? 0 : takeOne(entrant, name);
        }),
      ),
  };
}

/** Of one process alone. */
export function memoryEntryLimits(perMinute: EntriesPerMinute): EntryLimits {
  return entryLimits(perMinute, (_, options) => new RateLimiterMemory(options));
}
