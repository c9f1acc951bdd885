import { ok, type Result, refuse } from './result.ts';

/** Whether one more peer may come in. */
export function admit(
  room: { readonly locked: boolean; readonly peersMax: number },
  membersBefore: number,
): Result<void, 'room_full' | 'room_locked'> {
  if (room.locked) return refuse('room_locked');
  if (membersBefore >= room.peersMax) return refuse('room_full');
  return ok(undefined);
}
