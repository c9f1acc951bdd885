import { type LogBounds, limitsFor } from '../../domain/log-bounds.ts';
import { parseRecord } from '../../domain/room-record.ts';
import type { MemoryRoom } from './shared-memory.ts';

/** Drops the oldest records until the log is within its bounds, and notes whom they concerned (rule D1). */
export function retainBounds(room: MemoryRoom, bounds: LogBounds): void {
  const limits = limitsFor(bounds, room.state.members.size);
  const nowMs = performance.now();
  let over = 0;
  for (const entry of room.log) {
    const fits = room.log.length - over <= limits.events && room.bytes <= limits.bytes;
    if (fits && nowMs - entry.atMs <= bounds.ageMs) break;
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
  if (record.to === undefined) room.trimmed.everyone = record.seq;
  else if (room.state.members.has(record.to)) room.trimmed.one.set(record.to, record.seq);
}
