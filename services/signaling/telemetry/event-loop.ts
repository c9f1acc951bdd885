import { Histogram, type Registry } from 'prom-client';

export function eventLoopMetrics(registry: Registry) {
  const delay = new Histogram({
    name: 'signaling_event_loop_delay_seconds',
    help: 'By how much a timer that is due every 20 ms was late: what a packet waits in this process before it is looked at.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });
  return { delay };
}
