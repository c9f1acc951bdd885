import { expect, test } from 'vitest';
import { capacityOf, whoGoes } from '../../../services/signaling/domain/capacity.ts';

test.each([
  [10_000, undefined, { connections: 10_000, unjoined: 2_500, sockets: 12_500 }],
  [10_000, 20_000, { connections: 10_000, unjoined: 2_500, sockets: 12_500 }],
  [10_000, 3_000, { connections: 2_240, unjoined: 560, sockets: 2_800 }],
  [2, 20_000, { connections: 2, unjoined: 16, sockets: 18 }],
])('CONNECTIONS_MAX %s with %s open files', (connectionsMax, filesMax, expected) => {
  expect(capacityOf(connectionsMax, filesMax)).toEqual(expected);
});

const waiting = (places: Record<string, readonly number[]>) =>
  new Map(
    Object.entries(places).map(([network, since]) => [
      network,
      new Set(since.map((sinceMs) => ({ network, sinceMs }))),
    ]),
  );
const newcomerOf = (groups: ReturnType<typeof waiting>, network: string) => {
  const newcomer = { network, sinceMs: 10_000 };
  groups.set(network, new Set([...(groups.get(network) ?? []), newcomer]));
  return newcomer;
};

test('for a newcomer from elsewhere the one goes that waits longest where most come from', () => {
  const groups = waiting({ flood: [9_000, 9_500, 9_900], office: [100] });
  expect(whoGoes(groups, newcomerOf(groups, 'home'), 10_000)).toEqual({ network: 'flood', sinceMs: 9_000 });
});

test('a crowd behind one address does not push out its own who have just come, but its own who never join', () => {
  const young = waiting({ office: [6_000, 9_000], home: [100] });
  const newcomer = newcomerOf(young, 'office');
  expect(whoGoes(young, newcomer, 10_000)).toBe(newcomer);
  const old = waiting({ office: [4_000, 9_000], home: [100] });
  expect(whoGoes(old, newcomerOf(old, 'office'), 10_000)).toEqual({ network: 'office', sinceMs: 4_000 });
});

test('where all come from different places, a newcomer takes the place of another one', () => {
  const groups = waiting({ a: [1], b: [2] });
  expect(whoGoes(groups, newcomerOf(groups, 'c'), 10_000)).not.toMatchObject({ network: 'c' });
});
