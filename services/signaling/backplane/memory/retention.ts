import type { PeerId } from '@fenghuo/protocol';
import { DROPPED_AT_ONCE, type LogBounds, limitsFor } from '../../domain/log-bounds.ts';
import { parseRecord } from '../../domain/room-record.ts';
import type { MemoryRoom } from './shared-memory.ts';

/** To be called after each append: drops the oldest of what is over the log's bounds, and notes whom they concerned (rule D1). */
export function retainBounds(room: MemoryRoom, bounds: LogBounds): void {
  const limits = limitsFor(bounds, room.state.members.size);
  const nowMs = performance.now();
  const bytesBefore = room.bytes - (room.log.at(-1)?.bytes ?? 0);
  let over = 0;
  for (const entry of room.log) {
    const fits = room.log.length - over <= limits.events && room.bytes <= limits.bytes;
    if (fits && nowMs - entry.atMs <= bounds.ageMs) break;
    if (over >= DROPPED_AT_ONCE && room.bytes <= bytesBefore) break;
    room.bytes -= entry.bytes;
    noteTrimmed(room, entry.text);
    over++;
  }
  if (over === 0) return;
  room.log.splice(0, over);
  room.first += over;
}

function noteTrimmed(room: MemoryRoom, text: string): void {
  const record = parseRecord(text);
  if (record === undefined || record.type === 'fenced') return;
  const { trimmed, state } = room;
  if (record.to === undefined) {
    const author = record.echo ? undefined : record.from;
    if (trimmed.by !== author || trimmed.everyone === 0) trimmed.other = trimmed.everyone;
    trimmed.by = author;
    trimmed.everyone = record.seq;
    return;
  }
  for (const peer of record.echo ? [record.to, record.from] : [record.to])
    if (state.members.has(peer)) trimmed.one.set(peer, record.seq);
}

/** The last seq that fell off the log and concerned a peer. */
export function missingOf({ trimmed }: MemoryRoom, peer: PeerId): number {
  const everyone = trimmed.by === peer ? trimmed.other : trimmed.everyone;
  return Math.max(everyone, trimmed.one.get(peer) ?? 0);
}
