import { Gauge, type Registry } from 'prom-client';

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
  return { rooms, peers };
}
