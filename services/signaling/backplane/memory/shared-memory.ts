import type { EventEmitter } from 'node:events';
import type { PeerId } from '@fenghuo/protocol';
import type { RequestMemory } from '../../domain/request-order.ts';
import type { RoomId } from '../../domain/room-id.ts';
import type { Lease } from '../leases.ts';

/** What stands in for the server that nodes of several processes would share. */
export interface SharedMemory {
  readonly rooms: Map<RoomId, MemoryRoom>;
  /** Peers whose join may still be under way but must not happen any more. */
  readonly voided: Set<PeerId>;
  readonly leases: Map<string, Lease>;
  /** The rooms in which each process may hold sessions. */
  readonly held: Map<string, Set<RoomId>>;
  /** Rings every node that subscribed to the room, each in a later turn. */
  ring(room: RoomId, record: string): void;
  /** Greater than any before: microseconds, as the Redis adapter takes them from its server's clock. */
  nextEpoch(): number;
  /** Carries what the in-process socket.io adapters send each other. */
  readonly bus: EventEmitter;
  /** How many nodes are attached: what socket.io calls its server count. */
  nodes: number;
}

export interface MemoryRoom {
  readonly epoch: number;
  seq: number;
  readonly peersMax: number;
  readonly locked: boolean;
  readonly members: Map<PeerId, Member>;
  /** The oldest first; the record at seq n stands at n - first. */
  log: { readonly text: string; readonly bytes: number; readonly atMs: number }[];
  first: number;
  bytes: number;
}

export interface Member {
  /** Serialized, as a Redis would hold it: what a node was given is never shared. */
  peer: string;
  requests: RequestMemory;
  /** The bodies of the update answers that are still kept, by request id. */
  readonly updates: Map<number, string>;
  readonly tokenHash: string;
  readonly incarnation: string;
}
