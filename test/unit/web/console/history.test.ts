import { expect, test } from 'vitest';

import {
  drawnNodes,
  figuresOf,
  LINES_MAX,
  linesOf,
  remembering,
  SAMPLES_MAX,
  type Sample,
} from '../../../../services/web/console/history.ts';
import { report } from './reports.ts';

function samplesOf(...looks: ReturnType<typeof report>[][]): readonly Sample[] {
  return looks.reduce<readonly Sample[]>(
    (samples, nodes, index) => remembering(samples, index * 2_000, nodes),
    [],
  );
}

test('a node that came later, or is gone, has a line only while it was there', () => {
  const samples = samplesOf(
    [report('beijing-1')],
    [report('beijing-1'), report('shanghai-1', { connections: 3 })],
    [report('shanghai-1', { connections: 4 })],
  );
  expect(linesOf(samples, 'connections')).toEqual([
    { node: 'beijing-1', values: [10, 10, null] },
    { node: 'shanghai-1', values: [null, 3, 4] },
  ]);
});

test('the history is bounded, the oldest falls off', () => {
  const looks = Array.from({ length: SAMPLES_MAX + 40 }, () => [report('beijing-1')]);
  const samples = samplesOf(...looks);
  expect(samples).toHaveLength(SAMPLES_MAX);
  expect(samples[0]?.at).toBe(40 * 2_000);
});

test('while nobody looked there is a gap, not a line across it', () => {
  const before = remembering([], 0, [report('beijing-1')]);
  const after = remembering(before, 60_000, [report('beijing-1')]);
  expect(linesOf(after, 'connections')[0]?.values).toEqual([10, null, 10]);
  expect(after.map(({ at }) => at)).toEqual([0, 1, 60_000]);
});

test('of many nodes the busiest have lines of their own, and the rest is summed up', () => {
  const nodes = Array.from({ length: 9 }, (_, n) => report(`beijing-${n + 1}`, { connections: n }));
  const samples = samplesOf(nodes);
  expect(drawnNodes(samples)).toEqual(['beijing-5', 'beijing-6', 'beijing-7', 'beijing-8', 'beijing-9']);
  const lines = linesOf(samples, 'connections');
  expect(lines).toHaveLength(LINES_MAX);
  expect(lines.at(-1)).toEqual({ node: undefined, values: [0 + 1 + 2 + 3] });
});

test('as many nodes as there are colours all have lines', () => {
  const nodes = Array.from({ length: LINES_MAX }, (_, n) => report(`beijing-${n + 1}`));
  expect(linesOf(samplesOf(nodes), 'connections').every(({ node }) => node !== undefined)).toBe(true);
});

test('a line says in figures where it is and where it was', () => {
  expect(figuresOf({ node: 'beijing-1', values: [null, 7, 2, 5] })).toEqual({ now: 5, least: 2, most: 7 });
  expect(figuresOf({ node: 'beijing-1', values: [null] })).toBeUndefined();
});
