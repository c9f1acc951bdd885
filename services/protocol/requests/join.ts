import { z } from 'zod';
import { displayName, roomAddress } from '../identifiers.ts';
import { metadata } from '../json.ts';
import type { Peer } from '../peer.ts';
import type { Room } from '../room.ts';

/** Creates a peer in a room, and its session. `key` is at least 128 random bits that name this one join. */
export const joinRequest = z.object({
  id: z.literal(1, 'must be 1: a session counts from its join'),
  room: roomAddress,
  name: displayName.default(''),
  metadata: metadata.default(null),
  key: z.string().min(16).max(256).optional(),
});
export type JoinRequest = z.infer<typeof joinRequest>;

/** An entry of `RTCConfiguration.iceServers` (W3C WebRTC, 4.2.2). */
export interface IceServer {
  readonly urls: string | readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

/** The room as its log had it at `seq`. `peers` never holds oneself. */
export interface Snapshot {
  readonly self: Peer;
  readonly room: Room;
  readonly peers: readonly Peer[];
  readonly seq: number;
  /** One life of the room's state: a seq means nothing in another epoch. */
  readonly epoch: number;
  readonly ice_servers: readonly IceServer[];
  /** How long their credentials are good, in seconds from the receipt on; nodes of before did not tell. */
  readonly ttl_s?: number;
}

export interface JoinReply extends Snapshot {
  /** Unguessable; whoever holds it may continue the session. */
  readonly resume_token: string;
  readonly resume_window_ms: number;
}
