import type { Person } from './identity.ts';
import { ok, type Result, refuse } from './result.ts';

/** Whether one more peer may come in, and he. */
export function admit(
  room: { readonly locked: boolean; readonly peersMax: number; readonly bans: ReadonlySet<Person> },
  membersBefore: number,
  person: Person,
): Result<void, 'banned' | 'room_full' | 'room_locked'> {
  if (room.bans.has(person)) return refuse('banned');
  if (room.locked) return refuse('room_locked');
  if (membersBefore >= room.peersMax) return refuse('room_full');
  return ok(undefined);
}
