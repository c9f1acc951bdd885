import type { RoomRecord } from '../domain/room-record.ts';
import type { RoomState } from '../domain/room-state.ts';

/** Who gets the nearest copy of a record: a peer of the sender's node, of its region, or only of others. */
export const RELAY_PATHS = ['local', 'node', 'region'] as const;
export const RELAY_KINDS = ['sdp', 'other'] as const;

/** Of a record that nobody on this node gets. */
export function pathBeyond(
  { from, to }: Pick<RoomRecord, 'from' | 'to'>,
  state: Pick<RoomState, 'members'> | undefined,
  region: string,
): 'node' | 'region' {
  const members = to === undefined ? state?.members.values() : [state?.members.get(to)];
  let isBeyond = false;
  for (const member of members ?? []) {
    if (member === undefined || member.peer.id === from) continue;
    if (member.peer.region === region) return 'node';
    isBeyond = true;
  }
  return isBeyond ? 'region' : 'node';
}

/** By the first member after the author's id, where `requests/signal.ts` puts what it carries; nothing is parsed. */
export function relayKind({ type, from, body }: Pick<RoomRecord, 'type' | 'from' | 'body'>): 'sdp' | 'other' {
  const isSdp = type === 'signal' && body.startsWith('"description"', BEFORE_CONTENT + from.length);
  return isSdp ? 'sdp' : 'other';
}

const BEFORE_CONTENT = '{"from":"",'.length;
