import type { PeerId } from '@fenghuo/protocol';
import {
  bytesForNewcomers,
  DROPPED_AT_ONCE,
  DROPPED_FOR_PLACE,
  DROPPED_IN_SILENCE,
  type LogBounds,
  partOf,
} from '../../domain/log-bounds.ts';
import { type Refusal, refuse } from '../../domain/result.ts';
import { parseRecord, type RoomRecord } from '../../domain/room-record.ts';
import type { MemoryRoom } from './shared-memory.ts';

/** The shortest time that a refusal names. */
const SOON_MS = 100;

type Crowded = Refusal<'rate_limited'> | undefined;

/** The records that count as members' writing. No other record is refused for the size of the log. */
const WRITTEN: ReadonlySet<RoomRecord['type']> = new Set(['signal', 'message', 'updated']);

/** To be called after each append: drops the oldest of what is over the log's bounds, and notes whom they concerned (rule D1). */
export function retainBounds(room: MemoryRoom, bounds: LogBounds, type: RoomRecord['type']): void {
  const bytes = room.log.at(-1)?.bytes ?? 0;
  if (!WRITTEN.has(type)) room.noted.bytes += bytes;
  trim(room, overAge(room, bounds), bounds.bytesMax, room.bytes - bytes, DROPPED_AT_ONCE);
}

/** Whether a member may write so many bytes now: what is young is not dropped for them (rule D5). */
export function placeFor(room: MemoryRoom, bounds: LogBounds, peer: PeerId, bytes: number): Crowded {
  const free = bounds.writtenBytesMax / 2;
  if (room.bytes + bytes <= free) return undefined;
  letGoOld(room, bounds, DROPPED_FOR_PLACE);
  const written = room.bytes - room.noted.bytes + bytes;
  if (written <= free) return undefined;
  const taken = room.taken.get(peer);
  const part = (taken?.periodMs === room.noted.atMs ? taken.bytes : 0) + bytes;
  if (written > bounds.writtenBytesMax || part > partOf(bounds, room.state.members.size))
    return notNow(room, bounds);
  room.taken.set(peer, { periodMs: room.noted.atMs, bytes: part });
  return undefined;
}

/**
 * Whether the log has place for one more join. A member that joins while the first half is used up gets no part of the second
 * half in this period: otherwise a client that leaves and joins again would get several.
 */
export function placeForNewcomer(room: MemoryRoom, bounds: LogBounds, peer: PeerId): Crowded {
  const free = bounds.writtenBytesMax / 2;
  if (room.bytes <= free) return undefined;
  letGoOld(room, bounds, DROPPED_FOR_PLACE);
  if (room.bytes > bytesForNewcomers(bounds)) return notNow(room, bounds);
  if (room.bytes - room.noted.bytes > free)
    room.taken.set(peer, { periodMs: room.noted.atMs, bytes: bounds.bytesMax });
  return undefined;
}

function notNow({ noted }: MemoryRoom, { ageMs }: LogBounds): Crowded {
  return refuse('rate_limited', Math.ceil(Math.max(noted.atMs + ageMs - performance.now(), SOON_MS)));
}

/** Drops some of the old records without an append. */
export function letGoOld(room: MemoryRoom, bounds: LogBounds, atOnce = DROPPED_IN_SILENCE): void {
  trim(room, overAge(room, bounds), bounds.bytesMax, room.bytes, atOnce);
}

/**
 * Notes the head once within the age, which begins another period. The records up to the former note are over the age by then.
 * Returns the seq of the last of them.
 */
function overAge(room: MemoryRoom, { ageMs }: LogBounds): number {
  const nowMs = performance.now();
  if (nowMs - room.noted.atMs < ageMs) return room.overAge;
  room.overAge = room.noted.seq;
  if (room.overAge - room.first < DROPPED_AT_ONCE)
    room.noted = { seq: room.state.seq, atMs: nowMs, bytes: room.bytes };
  return room.overAge;
}

function trim(room: MemoryRoom, upTo: number, bytesMax: number, bytesBefore: number, atOnce: number): void {
  let over = 0;
  for (const entry of room.log) {
    if (room.first + over > upTo && room.bytes <= bytesMax) break;
    if (over >= atOnce && room.bytes <= bytesBefore) break;
    room.bytes -= entry.bytes;
    room.noted.bytes -= entry.bytes;
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
