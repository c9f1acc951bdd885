import type { Family } from './catalogue.ts';

export function webhookMetrics(family: Family) {
  return {
    done: family.counter(
      'signaling_webhooks_total',
      'Webhooks of this node that were taken, given up after several tries, or dropped because too many waited or the node ended.',
      { outcome: ['delivered', 'failed', 'dropped'] },
    ),
    waiting: family.gauge(
      'signaling_webhooks_waiting',
      'Webhooks of this node that were neither taken nor given up yet.',
    ),
  };
}
