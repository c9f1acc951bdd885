import { Counter, Gauge, type Registry } from 'prom-client';

const REFUSALS = [
  'unauthorized',
  'unavailable',
  'origin_forbidden',
  'node_full',
  'draining',
  'rate_limited',
  'flood',
] as const;
const DROPS = ['session_lost', 'shutdown', 'drain', 'slow_reader'] as const;
const GO_AWAY_REASONS = ['drain', 'rebalance'] as const;

export function connectionMetrics(registry: Registry) {
  const registers = [registry];
  const connections = new Gauge({
    name: 'signaling_connections',
    help: 'Client connections that are open on this node now.',
    registers,
  });
  const refused = new Counter({
    name: 'signaling_handshakes_refused_total',
    help: 'Handshakes refused, by the code that the client got; flood: cut with HTTP 503 before it could get one.',
    labelNames: ['code'],
    registers,
  });
  const dropped = new Counter({
    name: 'signaling_connections_dropped_total',
    help: 'Connections that the node closed of its own accord, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const draining = new Gauge({
    name: 'signaling_draining',
    help: '1 while this node sends its clients away and takes no new ones, else 0.',
    registers,
  });
  const goAways = new Counter({
    name: 'signaling_go_aways_total',
    help: 'Clients told to go to another node, by reason.',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of GO_AWAY_REASONS) goAways.inc({ reason }, 0);
  const pace = new Gauge({
    name: 'signaling_admissions_per_second_max',
    help: 'Handshakes that this node would take a second now: falls while its event loop is late.',
    registers,
  });
  for (const code of REFUSALS) refused.inc({ code }, 0);
  for (const reason of DROPS) dropped.inc({ reason }, 0);
  return { connections, refused, dropped, draining, goAways, pace };
}
