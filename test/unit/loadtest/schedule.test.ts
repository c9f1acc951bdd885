import { describe, expect, test } from 'vitest';

import { faultsOf, SCENARIO_NAMES, SCENARIOS } from '../../../services/loadtest/scenarios.ts';
import { FAULT_KINDS, planFaults } from '../../../services/loadtest/schedule.ts';

const FIVE_MINUTES_MS = 300_000;

test.each(SCENARIO_NAMES)('%s: the same seed makes the same faults, another one others', (name) => {
  const plan = (seed: number) => faultsOf(name, seed, FIVE_MINUTES_MS, 3);
  expect(plan(7)).toEqual(plan(7));
  const isChosen = SCENARIOS[name].kinds.some(
    (kind) => !/^redis-(empty|restart|stale)$|flush|sentinel/.test(kind),
  );
  if (isChosen && name !== 'roll' && name !== 'storm') expect(plan(8)).not.toEqual(plan(7));
});

test('a node is killed every 5 s, all of them, and never the same twice running', () => {
  const faults = faultsOf('kill', 7, FIVE_MINUTES_MS, 3);
  expect(faults.length).toBeGreaterThan(55);
  for (const [index, fault] of faults.entries()) {
    const former = faults[index - 1];
    if (former === undefined) continue;
    expect(fault.atMs - former.atMs).toBe(5_000);
    expect(fault.node).not.toBe(former.node);
  }
  expect(new Set(faults.map(({ node }) => node))).toEqual(new Set([0, 1, 2]));
});

test('a fault that lasts is over, with time to rest, before the next', () => {
  for (const name of ['hang', 'redis-pause', 'blackhole', 'mixed'] as const) {
    const faults = faultsOf(name, 3, FIVE_MINUTES_MS, 3);
    for (const [index, fault] of faults.entries()) {
      const next = faults[index + 1];
      if (next !== undefined && fault.lengthMs > 0)
        expect(next.atMs).toBeGreaterThanOrEqual(fault.atMs + fault.lengthMs + 3_000);
    }
  }
});

test('lengths are those of the promises', () => {
  const lengths = (name: 'hang' | 'redis-pause') =>
    faultsOf(name, 5, 2 * FIVE_MINUTES_MS, 3).map(({ lengthMs }) => lengthMs);
  expect(Math.min(...lengths('hang'))).toBeGreaterThanOrEqual(8_000);
  expect(Math.max(...lengths('hang'))).toBeLessThanOrEqual(12_000);
  expect(Math.min(...lengths('redis-pause'))).toBeGreaterThanOrEqual(3_000);
  expect(Math.max(...lengths('redis-pause'))).toBeLessThanOrEqual(15_000);
});

test('mixed has every kind in turn, but Sentinel', () => {
  const kinds = faultsOf('mixed', 1, 2 * FIVE_MINUTES_MS, 3).map(({ kind }) => kind);
  const each = FAULT_KINDS.filter((kind) => kind !== 'sentinel-failover');
  expect(new Set(kinds.slice(0, each.length))).toEqual(new Set(each));
});

test('a rolling restart takes each node once, in turn', () => {
  expect(faultsOf('roll', 1, FIVE_MINUTES_MS, 3).map(({ kind, node }) => `${kind} ${node}`)).toEqual([
    'terminate 0',
    'terminate 1',
    'terminate 2',
  ]);
});

describe('a short run', () => {
  test('has one fault at least', () => {
    for (const kinds of [['kill'], ['hang'], ['redis-pause']] as const) {
      expect(planFaults({ kinds, seed: 1, durationMs: 5_000, nodes: 3, everyMs: 5_000 })).toHaveLength(1);
    }
  });
});
