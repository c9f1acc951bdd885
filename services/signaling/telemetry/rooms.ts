import type { Family } from './catalogue.ts';

const ENTRY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Of how many peers a room is: the class it is counted in, and how many it holds at most. */
export const ROOM_SIZES = {
  '1': 1,
  '2': 2,
  '3-4': 4,
  '5-8': 8,
  '9-16': 16,
  '17-32': 32,
  '33-64': 64,
  '65+': Number.POSITIVE_INFINITY,
} as const;
export type RoomSize = keyof typeof ROOM_SIZES;

export function roomMetrics(family: Family) {
  return {
    rooms: family.gauge('signaling_rooms', 'Rooms that this node hosts now.'),
    bySize: family.gauge(
      'signaling_rooms_by_size',
      'Rooms that this node hosts now, by how many peers they have on all nodes together. A room is counted by each node that hosts it.',
      { peers: Object.keys(ROOM_SIZES) },
    ),
    peers: family.gauge(
      'signaling_peers',
      'Peers in a room whose connection is on this node now: sessions that are live.',
    ),
    absent: family.gauge(
      'signaling_sessions_detached',
      'Sessions without a connection whose resume window this node counts now.',
    ),
    joinDuration: family.histogram(
      'signaling_join_duration_seconds',
      'From reading a join until its answer, of joins that succeeded.',
      ENTRY_SECONDS,
    ),
    resumes: family.counter(
      'signaling_resumes_total',
      'Resumes, by outcome: recovered with what was missed, answered with a snapshot, or refused for a token that is unknown here.',
      { outcome: ['recovered', 'snapshot', 'unknown_token'] },
    ),
    resumeDuration: family.histogram(
      'signaling_resume_duration_seconds',
      'From reading a resume until its answer, of resumes that succeeded.',
      ENTRY_SECONDS,
    ),
    replayed: family.counter(
      'signaling_events_replayed_total',
      'Events that resumed sessions had missed and got.',
    ),
    logRecords: family.gauge(
      'signaling_log_records',
      'Records of the newest part of the hosted rooms’ logs that this node keeps, so that it could restore them.',
    ),
    logRecordsMax: family.gauge('signaling_log_records_max', 'The same, of the room with the most.'),
    logBytes: family.gauge('signaling_log_bytes', 'What the bodies of those records take, about.'),
    logAge: family.gauge(
      'signaling_log_age_seconds',
      'For how long this node has had the oldest of those records. A log is trimmed when something is appended, so in rooms where nothing happens it may be hours.',
    ),
  };
}
