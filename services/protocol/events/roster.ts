import { z } from 'zod';
import { peerId } from '../identifiers.ts';
import { peer } from '../peer.ts';
import { room } from '../room.ts';

export const LEFT_REASONS = ['left', 'expired', 'kicked', 'banned', 'token_expired'] as const;
export type LeftReason = (typeof LEFT_REASONS)[number];

const seq = z.int();

/** Who is in the room: from the room log, in order, each once. */
export const rosterEvents = {
  /** To the others. */
  peer_joined: z.object({ seq, peer }),
  /** To the others. */
  peer_left: z.object({ seq, peer: peerId, reason: z.enum(LEFT_REASONS) }),
  /** The whole peer, to everyone, its author included. */
  peer_updated: z.object({ seq, peer }),
  /** The room's settings, to everyone. */
  room_updated: z.object({ seq, room }),
  /** The node lost the thread of the room's log: replaces roster, seq and epoch. */
  resync: z.object({
    /** True: no signal is missing, so no ICE restart is due. */
    complete: z.boolean(),
    self: peer,
    room,
    peers: z.array(peer),
    seq,
    epoch: z.int(),
    ice_servers: z.array(
      z.object({
        urls: z.union([z.string(), z.array(z.string())]),
        username: z.string().optional(),
        credential: z.string().optional(),
      }),
    ),
    ttl_s: z.int().optional(),
  }),
};
