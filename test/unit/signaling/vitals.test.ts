import { expect, test } from 'vitest';
import { openVitals } from '../../../services/signaling/vitals.ts';

test('vitals are a rate and the worst delay since they were taken last', () => {
  let nowMs = 1_000;
  const vitals = openVitals(() => nowMs);
  for (let n = 0; n < 30; n++) vitals.answered();
  for (const delayMs of [1, 7.26, 3]) vitals.delayed(delayMs);
  nowMs += 2_000;
  expect(vitals.take()).toEqual({ messagesPerSecond: 15, eventLoopDelayMs: 7.3 });
  nowMs += 1_000;
  expect(vitals.take()).toEqual({ messagesPerSecond: 0, eventLoopDelayMs: 0 });
});
