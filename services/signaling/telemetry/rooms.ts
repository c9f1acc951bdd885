import { Counter, Gauge, type Registry } from 'prom-client';

export function roomMetrics(registry: Registry) {
  const registers = [registry];
  const rooms = new Gauge({
    name: 'signaling_rooms',
    help: 'Rooms in which this node hosts a peer now.',
    registers,
  });
  const peers = new Gauge({
    name: 'signaling_peers',
    help: 'Peers in a room whose connection is on this node now.',
    registers,
  });
  const absent = new Gauge({
    name: 'signaling_sessions_detached',
    help: 'Sessions without a connection whose resume window this node counts now.',
    registers,
  });
  const resumes = new Counter({
    name: 'signaling_resumes_total',
    help: 'Resumes, by outcome: recovered with what was missed, answered with a snapshot, or refused for a token that is unknown here.',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of ['recovered', 'snapshot', 'unknown_token']) resumes.inc({ outcome }, 0);
  const replayed = new Counter({
    name: 'signaling_events_replayed_total',
    help: 'Events that resumed sessions had missed and got.',
    registers,
  });
  return { rooms, peers, absent, resumes, replayed };
}
