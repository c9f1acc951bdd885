import { expect, test } from 'vitest';

import { parseLoopDelay } from '../../../services/loadtest/loop-delay.ts';

test('a gauge, a summary and a histogram are read', () => {
  expect(parseLoopDelay('nodejs_eventloop_lag_p99_seconds 0.012\n')?.p99Ms).toBeCloseTo(12);
  const summary =
    'signaling_event_loop_delay_seconds{quantile="0.5"} 0.01\nsignaling_event_loop_delay_seconds{quantile="0.99"} 0.03\n';
  expect(parseLoopDelay(summary)?.p99Ms).toBeCloseTo(30);
  const histogram = [
    'signaling_event_loop_delay_seconds_bucket{le="0.01"} 90',
    'signaling_event_loop_delay_seconds_bucket{le="+Inf"} 100',
    'signaling_event_loop_delay_seconds_sum 2.5',
    'signaling_event_loop_delay_seconds_count 100',
  ].join('\n');
  expect([...(parseLoopDelay(histogram)?.buckets ?? [])]).toEqual([
    [0.01, 90],
    [Number.POSITIVE_INFINITY, 100],
  ]);
});

test('a node that does not tell is not guessed', () => {
  expect(parseLoopDelay('signaling_connections 4\n')).toBeUndefined();
});
