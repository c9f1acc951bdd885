import type { EventEmitter } from 'node:events';
import type { PeerId } from '@fenghuo/protocol';
import type { RoomId } from '../../domain/room-id.ts';
import type { RoomState } from '../../domain/room-state.ts';
import type { JournalEntry } from '../journal.ts';
import type { Lease, Order } from '../leases.ts';
import type { FormerLife } from '../room-log.ts';

/** What stands in for the server that nodes of several processes would share. */
export interface SharedMemory {
  /** Another one after everything was lost. */
  life: string;
  readonly rooms: Map<RoomId, MemoryRoom>;
  /** Joins, by their tokens' hashes, and resumes, by their holders, that must not happen any more. */
  readonly voided: Set<string>;
  /** The epochs of rooms that ended. */
  readonly closed: Map<RoomId, number>;
  /** Rooms that ended a moment ago: not every node may have heard it yet. */
  readonly ended: Map<RoomId, MemoryRoom>;
  readonly leases: Map<string, Lease>;
  /** What operators want, by incarnation. */
  readonly orders: Map<string, Order>;
  /** The rooms in which each process may hold sessions. */
  readonly held: Map<string, Set<RoomId>>;
  /** The lives in which the home was sealed, with those who had handed in their rooms. */
  readonly sealed: Map<string, readonly string[]>;
  /** Who is expected and who is done, in a life that is not sealed yet. */
  readonly barriers: Map<string, MemoryBarrier>;
  /** What nodes handed in of rooms, by life and room. */
  readonly contributions: Map<string, Map<string, string>>;
  /** Rooms with the sizes that their nodes told last. */
  readonly directory: Map<RoomId, number>;
  /** Whose each name without a suffix is, and until when. */
  readonly claims: Map<string, { readonly home: string; readonly endsAtMs: number }>;
  /** What operators did and what became of nodes, the oldest first. */
  readonly journal: JournalEntry[];
  /** Rings every node that subscribed to the room, each in a later turn. */
  ring(room: RoomId, record: string): void;
  /** Greater than any before: microseconds, as the Redis adapter takes them from its server's clock. */
  nextEpoch(): number;
  /** Carries what the in-process socket.io adapters send each other. */
  readonly bus: EventEmitter;
  /** How many nodes are attached: what socket.io calls its server count. */
  nodes: number;
}

export interface MemoryBarrier {
  readonly sinceMs: number;
  readonly expected: Set<string>;
  readonly done: Set<string>;
}

export interface MemoryRoom {
  life: string;
  readonly state: RoomState;
  readonly former: FormerLife | undefined;
  /** The resume that holds each session. */
  readonly holders: Map<PeerId, string>;
  /** The oldest first; the record at seq n stands at n - first. */
  log: { readonly text: string; readonly bytes: number }[];
  first: number;
  bytes: number;
  /** The head when it was noted last, which began a period, and the bytes of the records up to it that are left. */
  noted: { readonly seq: number; readonly atMs: number; bytes: number };
  /** The seq of the last record that is over the age. */
  overAge: number;
  /** How much each member wrote of its part in a period. */
  readonly taken: Map<PeerId, { readonly periodMs: number; readonly bytes: number }>;
  /**
   * What fell off the log last (rule D1): of what was for everyone but its author (`by`; none where it was for him, too), of
   * what was for everyone from another author, and of what was for one.
   */
  readonly trimmed: {
    everyone: number;
    by: PeerId | undefined;
    other: number;
    readonly one: Map<PeerId, number>;
  };
}

/** For a log that is new or restored: its first append notes its head. */
export const nothingNoted = (): Pick<MemoryRoom, 'noted' | 'overAge' | 'taken'> => ({
  noted: { seq: 0, atMs: Number.NEGATIVE_INFINITY, bytes: 0 },
  overAge: 0,
  taken: new Map(),
});
