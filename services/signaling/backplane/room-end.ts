import type { LogBounds } from '../domain/log-bounds.ts';
import { LEASE_MS } from './leases.ts';

/** How much of its log a room leaves when it ends, for the nodes that have not heard. The scripts have the same numbers. */
export const LAST_RECORDS = 16;
export const LAST_BYTES = 8_192;

/** How long these records stay: longer than it takes every node to compare heads (rule D2). */
export const LAST_MS = 15_000;

/**
 * How long the end of a room is remembered, so that a node that missed it does not bring it back after a loss (rule R5). By
 * then the others have swept a node that was cut off, its sessions have expired, and a failover and its barrier are over.
 */
export function closedMs({ ageMs }: LogBounds): number {
  return LEASE_MS + ageMs + FAILOVER_MS + LEASE_MS;
}

/** The longest failover that we count on, from the loss of the master on. */
const FAILOVER_MS = 60_000;
