import type { LogBounds } from '../domain/log-bounds.ts';
import { LEASE_MS } from './leases.ts';

/** What a room that ended leaves for the nodes that have not heard: the newest of its log, at most so much. Scripts do the same. */
export const LAST_RECORDS = 16;
export const LAST_BYTES = 8_192;

/** How long that stays: longer than it takes every node to compare heads (rule D2). */
export const LAST_MS = 15_000;

/**
 * How long the end of a room is remembered, so that a node that missed it does not bring it back after a loss (rule R5): until a
 * node that was cut off has been swept, its sessions have expired, another master has been chosen, and its barrier is sealed.
 */
export function closedMs({ ageMs }: LogBounds): number {
  return LEASE_MS + ageMs + FAILOVER_MS + LEASE_MS;
}

/** As long as a failover takes at most, from the loss of the master on. */
const FAILOVER_MS = 60_000;
