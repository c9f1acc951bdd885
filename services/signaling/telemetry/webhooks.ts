import { Counter, Gauge, type Registry } from 'prom-client';

const OUTCOMES = ['delivered', 'failed', 'dropped'] as const;

export function webhookMetrics(registry: Registry) {
  const registers = [registry];
  const done = new Counter({
    name: 'signaling_webhooks_total',
    help: 'Webhooks of this node that were taken, given up after several tries, or dropped because too many waited or the node ended.',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of OUTCOMES) done.inc({ outcome }, 0);
  const waiting = new Gauge({
    name: 'signaling_webhooks_waiting',
    help: 'Webhooks of this node that were neither taken nor given up yet.',
    registers,
  });
  return { done, waiting };
}
