import { Counter, Gauge, type Registry } from 'prom-client';

const REFUSALS = ['origin_forbidden', 'node_full', 'draining'] as const;
const DROPS = ['session_lost', 'shutdown', 'slow_reader'] as const;

export function connectionMetrics(registry: Registry) {
  const registers = [registry];
  const connections = new Gauge({
    name: 'signaling_connections',
    help: 'Client connections that are open on this node now.',
    registers,
  });
  const refused = new Counter({
    name: 'signaling_handshakes_refused_total',
    help: 'Handshakes refused, by the code that the client got.',
    labelNames: ['code'],
    registers,
  });
  const dropped = new Counter({
    name: 'signaling_connections_dropped_total',
    help: 'Connections that the node closed of its own accord, by reason.',
    labelNames: ['reason'],
    registers,
  });
  for (const code of REFUSALS) refused.inc({ code }, 0);
  for (const reason of DROPS) dropped.inc({ reason }, 0);
  return { connections, refused, dropped };
}
