import type { Result } from '../domain/result.ts';
import type { RoomId } from '../domain/room-id.ts';

/** A room as the directory has it: how many peers it had when a node that hosts it told so last. */
export interface ListedRoom {
  readonly room: RoomId;
  readonly size: number;
}

export const ROOM_SORTS = ['size', 'name'] as const;
/** The largest first, rooms of one size by name; or by name alone. Names in the order of their UTF-8 bytes. */
export type RoomSort = (typeof ROOM_SORTS)[number];

export interface DirectoryQuery {
  readonly sort: RoomSort;
  /** Where the listing goes on: what it returned last, be it still there or not. */
  readonly after: ListedRoom | undefined;
  readonly limit: number;
}

export interface ListedPage {
  readonly total: number;
  readonly rooms: readonly ListedRoom[];
  /** Homes that did not answer, and whose rooms are missing. */
  readonly silent?: readonly string[];
}

/** A room as the backplane has it now. */
export interface RoomGlance {
  readonly locked: boolean;
  readonly peersMax: number;
  readonly peers: number;
  /** Of them, who has a connection. */
  readonly connected: number;
}

/**
 * Which rooms there are in the cluster, without asking its nodes. It is put together by the nodes that host the rooms and
 * may be a second behind, or hold a room that ended with its nodes; the rooms themselves say how they are. Calls never
 * reject.
 */
export interface Directory {
  /** Notes rooms with their sizes; 0: it is over. */
  report(rooms: readonly ListedRoom[]): Promise<Result<void, 'unavailable'>>;
  list(query: DirectoryQuery): Promise<Result<ListedPage, 'unavailable'>>;
  /** How rooms are now, all in one round trip; undefined for one that is not there. */
  glance(rooms: readonly RoomId[]): Promise<Result<readonly (RoomGlance | undefined)[], 'unavailable'>>;
}

/** Where `after` would stand among listed rooms: in the order of `sort`, below zero where `a` comes first. */
export function compareListed(sort: RoomSort, a: ListedRoom, b: ListedRoom): number {
  const bySize = sort === 'size' ? b.size - a.size : 0;
  return bySize === 0 ? Buffer.compare(Buffer.from(a.room), Buffer.from(b.room)) : bySize;
}
