import type { Result } from '../domain/result.ts';
import type { RoomId } from '../domain/room-id.ts';

/** How often a node renews its lease, and how long one may stand unchanged before its process counts as dead. */
export const BEAT_MS = 1_000;
export const LEASE_MS = 6_000;

/** A process as the others see it. `count` rises with each beat: no clock of any node is compared (rule C2). */
export interface Lease {
  readonly incarnation: string;
  readonly nodeId: string;
  readonly count: number;
}

/**
 * Which processes live, and in which rooms each may hold sessions: so that the survivors of one that died can end
 * what it held, at a cost of what it held. Calls never reject.
 */
export interface Leases {
  /** Takes a lease (again, where it was swept): the beats that follow renew it. */
  take(incarnation: string, nodeId: string): Promise<Result<readonly Lease[], 'unavailable'>>;
  /** Renews, and tells of all leases. `swept`: the others took this process for dead. */
  renew(incarnation: string, nodeId: string): Promise<Result<readonly Lease[], 'swept' | 'unavailable'>>;
  /** Notes that the process may hold sessions of the rooms: before any of them is created (rule C7). */
  hold(incarnation: string, rooms: readonly RoomId[]): Promise<Result<void, 'unavailable'>>;
  release(incarnation: string, room: RoomId): void;
  /**
   * Ends every session that a dead process held, room by room, and its lease last. May be cut off anywhere, and done
   * by several at once. Returns how many sessions it ended.
   */
  sweep(incarnation: string): Promise<Result<number, 'unavailable'>>;
}
