import { createHash } from 'node:crypto';
import type { RoomId } from '../domain/room-id.ts';
import { innerOf, leftReasonOf, peerOf, type RoomRecord, roomOf } from '../domain/room-record.ts';

export const WEBHOOK_TYPES = [
  'room_started',
  'room_updated',
  'room_ended',
  'peer_joined',
  'peer_updated',
  'peer_left',
] as const;
export type WebhookType = (typeof WEBHOOK_TYPES)[number];

/** One fact of a room, as a product's backend gets it. */
export interface WebhookEvent {
  /** The same for the same fact, however often it is posted. */
  readonly id: string;
  readonly type: WebhookType;
  readonly room: RoomId;
  readonly epoch: number;
  readonly seq: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * What a record of a room's log says to a product's backend, in the order in which it happened. `peersLeft`: how many
 * peers the room has after it; undefined where that is not known.
 */
export function webhookEvents(
  room: RoomId,
  record: RoomRecord,
  peersLeft: number | undefined,
): WebhookEvent[] {
  const { epoch, seq } = record;
  const event = (type: WebhookType, data: WebhookEvent['data']): WebhookEvent => ({
    id: idOf(room, epoch, seq, type),
    type,
    room,
    epoch,
    seq,
    data,
  });
  const member = innerOf(record)?.by;
  /** The member who did it; an operator, and the node itself, are none. */
  const by = member === undefined ? {} : { by: member };
  switch (record.type) {
    case 'joined': {
      const joined = event('peer_joined', { peer: peerOf(record) });
      return seq === 1 ? [event('room_started', {}), joined] : [joined];
    }
    case 'left': {
      const left = event('peer_left', { peer: record.from, reason: leftReasonOf(record), ...by });
      return peersLeft === 0 ? [left, event('room_ended', { reason: 'empty' })] : [left];
    }
    case 'moderated':
      return [event('peer_updated', { peer: peerOf(record), ...by })];
    case 'room_changed':
      return [event('room_updated', { room: roomOf(record), ...by })];
    case 'closed':
      return [event('room_ended', { reason: 'closed', ...by })];
    // What peers do and say themselves, and where their connections are, would be a flood.
    case 'updated':
    case 'detached':
    case 'resumed':
    case 'fenced':
    case 'signal':
    case 'message':
    case 'unknown':
      return [];
    default:
      return record.type satisfies never;
  }
}

function idOf(room: RoomId, epoch: number, seq: number, type: WebhookType): string {
  const fact = `${room} ${epoch} ${seq} ${type}`;
  return `evt_${createHash('sha256').update(fact).digest('base64url').slice(0, 22)}`;
}
