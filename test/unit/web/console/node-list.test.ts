import { expect, test } from 'vitest';

import { GONE_SHOWN_MS, nodesAfter, stateOf, totalsOf } from '../../../../services/web/console/node-list.ts';
import { report } from './reports.ts';

test('nodes stand by region, and by name as people count', () => {
  const nodes = nodesAfter([], [report('shanghai-2'), report('beijing-10'), report('beijing-9')], 0);
  expect(nodes.map(({ id }) => id)).toEqual(['beijing-9', 'beijing-10', 'shanghai-2']);
});

test('a node that is missing is gone since then, for a while, and then forgotten', () => {
  const both = nodesAfter([], [report('beijing-1'), report('shanghai-1')], 0);
  const one = nodesAfter(both, [report('beijing-1')], 2_000);
  expect(one.find(({ id }) => id === 'shanghai-1')?.goneAt).toBe(2_000);
  const later = nodesAfter(one, [report('beijing-1')], 4_000);
  expect(later.find(({ id }) => id === 'shanghai-1')?.goneAt).toBe(2_000);
  const last = nodesAfter(later, [report('beijing-1')], 2_000 + GONE_SHOWN_MS);
  expect(last.map(({ id }) => id)).toEqual(['beijing-1']);
});

test('a node that is back is no longer gone', () => {
  const gone = nodesAfter([report('beijing-1')], [], 1_000);
  const [back] = nodesAfter(gone, [report('beijing-1')], 2_000);
  expect(back).toEqual(report('beijing-1'));
});

test.each([
  ['ready', {}],
  ['draining', { draining: true, admitting: false }],
  ['drained', { draining: true, admitting: false, connections: 0 }],
  ['full', { admitting: false, connections: 100 }],
  ['closed', { admitting: false, connections: 99 }],
  ['closed', { admitting: false, connections_max: null }],
  ['gone', { draining: true, goneAt: 5 }],
] as const)('%s: %o', (state, members) => {
  expect(stateOf({ ...report('beijing-1'), ...members })).toBe(state);
});

test('totals count the living, and pass over what a node does not tell', () => {
  const silent = report('beijing-2', { peers: null, messages_per_second: null, connections_max: null });
  const gone = { ...report('shanghai-1'), goneAt: 1 };
  expect(totalsOf([report('beijing-1'), silent, gone])).toEqual({
    nodes: 2,
    byState: { ready: 2, gone: 1 },
    connections: 20,
    connectionsMax: 100,
    people: 8,
    messagesPerSecond: 5,
  });
});
