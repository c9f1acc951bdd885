import type { ClusterEvent } from './admin-api.ts';

export const EVENTS_MAX = 200;

/** The newest events, newest first, each once. */
export function tailAfter(
  before: readonly ClusterEvent[],
  more: readonly ClusterEvent[],
): readonly ClusterEvent[] {
  if (more.length === 0) return before;
  const known = new Set(before.map(({ id }) => id));
  const fresh = more.filter(({ id }) => !known.has(id)).toReversed();
  return [...fresh, ...before].slice(0, EVENTS_MAX);
}
