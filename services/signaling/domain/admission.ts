import { ROOM_METADATA_BYTES_MAX } from '@fenghuo/protocol';
import type { Person } from './identity.ts';
import { ok, type Result, refuse } from './result.ts';
import { type MemberState, metadataBytes, metadataBytesOf } from './room-state.ts';

/** Whether the room admits one more peer, and this one. */
export function admit(
  room: {
    readonly locked: boolean;
    readonly peersMax: number;
    readonly bans: ReadonlySet<Person>;
    readonly members: ReadonlyMap<unknown, Pick<MemberState, 'peer'>>;
  },
  person: Person,
  metadata: unknown,
): Result<void, 'banned' | 'room_full' | 'room_locked' | 'too_large'> {
  if (room.bans.has(person)) return refuse('banned');
  if (room.locked) return refuse('room_locked');
  if (room.members.size >= room.peersMax) return refuse('room_full');
  if (!holds(room.members.values(), metadataBytes(metadata))) return refuse('too_large');
  return ok(undefined);
}

/** Whether a member may replace its metadata. It always may by less. */
export function mayReplace(
  members: ReadonlyMap<unknown, Pick<MemberState, 'peer'>>,
  before: unknown,
  after: unknown,
): boolean {
  const more = metadataBytes(after) - metadataBytes(before);
  return more <= 0 || holds(members.values(), more);
}

function holds(members: Iterable<Pick<MemberState, 'peer'>>, more: number): boolean {
  return metadataBytesOf(members) + more <= ROOM_METADATA_BYTES_MAX;
}
