import { ERRORS } from '@fenghuo/protocol';
import { Counter, Histogram, type Registry } from 'prom-client';
import { MESSAGE_TYPES } from '../sockets/serve.ts';

export const RELAY_PATHS = ['local', 'node'] as const;

export function messageMetrics(registry: Registry) {
  const registers = [registry];
  const messages = new Counter({
    name: 'signaling_messages_total',
    help: 'Requests answered, by type and outcome: ok, or the code of the error.',
    labelNames: ['type', 'outcome'],
    registers,
  });
  for (const type of MESSAGE_TYPES) {
    for (const outcome of ['ok', ...Object.keys(ERRORS)]) messages.inc({ type, outcome }, 0);
  }
  const relayDuration = new Histogram({
    name: 'signaling_relay_duration_seconds',
    help: 'From handing a signal or message to the backplane until its record came back, when the other nodes have it too. On the clock of the sending node. Path local: a peer of this node got it; node: only peers of other nodes did.',
    labelNames: ['path'],
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  for (const path of RELAY_PATHS) relayDuration.zero({ path });
  return { messages, relayDuration };
}
