import { describe, expect, test } from 'vitest';
import { BALANCED, toRebalance } from '../../../services/signaling/domain/balance.ts';

/** Nodes that beat one after the other; whoever is sent away goes to a node by the rule. Returns each beat's loads. */
function beats(start: readonly number[], count: number, goTo: (from: number, nodes: number) => number) {
  const loads = [...start];
  const balances = loads.map(() => ({ ...BALANCED }));
  const history = [[...loads]];
  let chance = 0;
  for (let beat = 0; beat < count; beat++) {
    // All see the loads of the beat before.
    const seen = [...loads];
    for (const [node, balance] of balances.entries()) {
      chance = (chance + 0.37) % 1;
      const others = seen.filter((_, other) => other !== node);
      const moved = toRebalance(balance, loads[node] ?? 0, others, chance);
      for (let n = 0; n < moved; n++) {
        const to = goTo(node, loads.length);
        loads[node] = (loads[node] ?? 0) - 1;
        loads[to] = (loads[to] ?? 0) + 1;
      }
    }
    history.push([...loads]);
  }
  return history;
}

const inTurn = () => {
  let turn = 0;
  return (_: number, nodes: number) => turn++ % nodes;
};

describe('after a node was added', () => {
  test.each([
    [[1_000, 0]],
    [[5_000, 5_000, 0]],
    [[10_000, 10_000, 10_000, 10_000, 0, 0]],
    [[300, 280, 310, 0]],
  ])('%j: the clients spread, though the balancer sends some of them back', (start) => {
    const history = beats(start, 600, inTurn());
    const mean = start.reduce((sum, each) => sum + each, 0) / start.length;
    for (const load of history.at(-1) ?? []) expect(load).toBeLessThanOrEqual(1.25 * mean + 20);
    expect(Math.max(...(history.at(-1) ?? []))).toBeLessThan(Math.max(...start));
  });

  test('nodes do not swing: who has shed is not sent so many that it sheds again', () => {
    const history = beats([5_000, 5_000, 0], 1_200, inTurn());
    const settled = history.findIndex(
      (loads, at) => at > 0 && history.slice(at).every((each) => `${each}` === `${loads}`),
    );
    expect(settled).toBeGreaterThan(0);
    expect(settled).toBeLessThan(600);
    // The new node only ever grows.
    for (let at = 1; at < history.length; at++)
      expect(history[at]?.[2]).toBeGreaterThanOrEqual(history[at - 1]?.[2] ?? 0);
  });

  test('a few at a time: never more than a twentieth of what is over the mean', () => {
    const history = beats([1_000, 0], 20, () => 1);
    for (let at = 1; at < history.length; at++) {
      const [before = 0] = history[at - 1] ?? [];
      expect(before - (history[at]?.[0] ?? 0)).toBeLessThanOrEqual(Math.ceil((before - 500) / 20));
    }
  });
});

describe('nobody is sent away', () => {
  const first = (own: number, others: readonly number[], times = 20) => {
    const balance = { ...BALANCED };
    return (
      Array.from({ length: times }, () => toRebalance(balance, own, others, 0.5)).find((n) => n > 0) ?? 0
    );
  };

  test.each([
    ['where there is no other node that takes clients', 1_000, []],
    ['for a difference that means little', 1_000, [700, 800]],
    ['from a node with few', 24, [0]],
    ['from the emptiest', 0, [500, 600]],
  ] as const)('%s', (_, own, others) => {
    expect(first(own, others)).toBe(0);
  });

  test('for what is over within some beats: a neighbour that restarts', () => {
    const balance = { ...BALANCED };
    for (const others of [[1_000], [0], [0], [0], [0], [1_000], [0], [0], [0], [0]])
      expect(toRebalance(balance, 1_000, others, 0.5)).toBe(0);
    expect(toRebalance(balance, 1_000, [0], 0.5)).toBeGreaterThan(0);
  });

  test('any more once no other node takes clients', () => {
    const balance = { ...BALANCED };
    for (let n = 0; n < 10; n++) toRebalance(balance, 1_000, [0], 0.5);
    expect(balance.isShedding).toBe(true);
    expect(toRebalance(balance, 1_000, [], 0.5)).toBe(0);
  });
});
