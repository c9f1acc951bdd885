import type { Result } from '../domain/result.ts';
import type { RoomId } from '../domain/room-id.ts';
import type { Adopted } from './room-log.ts';

/** How often a node renews its lease, and how long one may stand unchanged before its process counts as dead. */
export const BEAT_MS = 1_000;
export const LEASE_MS = 6_000;

/** A process as the others see it. `count` rises with each beat: no clock of any node is compared (rule C2). */
export interface Lease {
  readonly incarnation: string;
  readonly nodeId: string;
  readonly count: number;
  /** The process gave it up in order: whoever sees it takes over what is left. */
  readonly isGivenUp: boolean;
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
  /** Gives the lease up: the others take over at once. */
  giveUp(incarnation: string): Promise<void>;
  /**
   * Detaches every session that a dead process held and makes its adopter responsible for the windows, room by room,
   * and ends the lease last. `adopt` is awaited before a room is changed (rule C7), and told of the room's sessions
   * after it. May be cut off anywhere, and done by several at once: each session is detached and adopted once.
   */
  sweep(dead: string, adopter: Adopter): Promise<Result<number, 'unavailable'>>;
}

export interface Adopter {
  readonly incarnation: string;
  /** Notes that the adopter may hold sessions of the rooms. Resolves to whether it could. */
  prepare(rooms: readonly RoomId[]): Promise<boolean>;
  /** What it holds of a room now; none: somebody else took them over, or they are gone. */
  adopt(room: RoomId, sessions: readonly Adopted[]): void;
}
