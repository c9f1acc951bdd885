import { expect, test } from 'vitest';

import type { Attack } from '../../attack/attack.ts';
import type { DrillReport } from '../../attack/drill.ts';
import { missesOf } from '../../attack/verdict.ts';

const MIB = 1_048_576;
const latency = (p99Ms: number | undefined) => ({ p50Ms: 1, p99Ms });
const honest = (p99Ms: number, refused: Record<string, number> = {}) => ({
  relay: latency(p99Ms),
  join: latency(p99Ms),
  refused,
});

function report(changes: Partial<DrillReport> = {}, bars: Attack['bars'] = {}): DrillReport {
  return {
    attack: { id: 'X', title: 'nothing', bars, run: async () => {} },
    seconds: 10,
    deaths: [],
    calm: honest(5),
    attacked: honest(15),
    after: honest(5),
    memory: { before: 100 * MIB, peak: 160 * MIB, after: 100 * MIB },
    redis: { before: { bytes: 3 * MIB, keys: 30 }, after: { bytes: 63 * MIB, keys: 30 } },
    coreShare: { calm: 0.1, attacked: 0.15 },
    isReadyAfter: true,
    siege: {
      opened: 1,
      closedByNode: 1,
      stillOpen: 0,
      turnedAway: {},
      sent: 1,
      sentBytes: 1,
      receivedBytes: 1,
      answers: {},
      checks: [],
    },
    ...changes,
  };
}

const redis = { before: { bytes: 3 * MIB, keys: 30 }, after: { bytes: 64 * MIB, keys: 30 } };
const { siege } = report();

test('a cluster at every bar holds', () => {
  expect(missesOf(report())).toEqual([]);
});

test.each<[string, Partial<DrillReport>, Attack['bars'], RegExp]>([
  ['a node that ended', { deaths: ['beijing-1 ended with exit code 1'] }, {}, /ended with/],
  ['a relay over three times the calm one', { attacked: honest(15.1) }, {}, /relay p99/],
  ['somebody honest refused', { attacked: honest(5, { node_full: 1 }) }, {}, /1 node_full/],
  ['somebody honest refused afterwards', { after: honest(5, { closed: 2 }) }, {}, /afterwards: 2 closed/],
  [
    'memory of a node',
    { memory: { before: 100 * MIB, peak: 161 * MIB, after: 0 } },
    {},
    /node memory grew by 61 MB/,
  ],
  ['memory of Redis', { redis }, {}, /Redis grew by 61 MB/],
  [
    'a Redis that does not answer',
    { redis: { ...redis, after: { bytes: Number.NaN, keys: 0 } } },
    {},
    /Redis grew/,
  ],
  ['keys', { redis: { ...redis, after: { bytes: 0, keys: 5_031 } } }, {}, /keys left in Redis 5001/],
  ['a node that is not ready', { isReadyAfter: false }, {}, /not ready/],
  ['a core', { coreShare: { calm: 0.1, attacked: 0.21 } }, { coreShareMax: 0.1 }, /core/],
  ['a connection that stays', { siege: { ...siege, stillOpen: 1 } }, { mustClose: true }, /still open/],
  ['what the attack found', { siege: { ...siege, checks: [{ text: '4 of 5', isOk: false }] } }, {}, /4 of 5/],
  ['an attack that failed', { siege: { ...siege, error: 'broken' } }, {}, /the attack failed/],
  ['an attack that did nothing', { siege: { ...siege, opened: 0 } }, {}, /opened no connection/],
])('%s is a miss', (_, changes, bars, expected) => {
  expect(missesOf(report(changes, bars)).join()).toMatch(expected);
});

test('under ten milliseconds a ratio is noise', () => {
  expect(missesOf(report({ calm: honest(1), attacked: honest(9.9) }))).toEqual([]);
});

test('where joins have a bar of their own, their ratio does not count', () => {
  const slowJoins = { attacked: { ...honest(5), join: latency(900) } };
  expect(missesOf(report(slowJoins, { joinP99MsMax: 1_000 }))).toEqual([]);
  expect(missesOf(report(slowJoins, { joinP99MsMax: 800 }))).toHaveLength(1);
});
