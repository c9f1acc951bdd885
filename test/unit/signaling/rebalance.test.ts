import { expect, test } from 'vitest';
import type { Load } from '../../../services/signaling/backplane/leases.ts';
import { rebalance } from '../../../services/signaling/rebalance.ts';
import type { Connection } from '../../../services/signaling/requests/context.ts';

interface Client {
  readonly connection: Connection;
  readonly told: unknown[];
}

function client(membership: 'joining' | { isBusy: boolean } | undefined): Client {
  const told: unknown[] = [];
  const send = (_: string, payload: unknown) => void told.push(payload);
  return { told, connection: { membership, send } as unknown as Connection };
}

/** A node with these clients beside an empty one, and a clock that passes a second at each beat. */
function openScene(
  clients: readonly Client[],
  others: readonly Load[] = [{ connections: 0, isAdmitting: true }],
) {
  let nowMs = 0;
  let isDraining = false;
  const connections = new Set(clients.map((each) => each.connection));
  const beat = rebalance({
    nowMs: () => nowMs,
    chance: () => 0.5,
    connections,
    isDraining: () => isDraining,
    others: () => others,
    onTold: () => {},
    onChange: () => {},
  });
  const beats = (count: number) => {
    for (let n = 0; n < count; n++) {
      nowMs += 1_000;
      beat();
    }
  };
  const drain = () => {
    isDraining = true;
  };
  return { connections, beats, drain };
}

const many = (count: number, membership: Parameters<typeof client>[0]) =>
  Array.from({ length: count }, () => client(membership));
const told = (clients: readonly Client[]) => clients.filter((each) => each.told.length > 0);

test('clients are asked to go, whether they are in a room or not', () => {
  const clients = [...many(50, { isBusy: false }), ...many(50, undefined)];
  openScene(clients).beats(10);
  expect(told(clients).length).toBeGreaterThan(2);
  expect(told(clients)[0]?.told).toEqual([
    { reason: 'rebalance', reconnect_after_ms: 500, deadline_ms: 30_000 },
  ]);
});

test('a session with a signal in flight is never asked, and neither is a join under way', () => {
  const clients = [...many(50, { isBusy: true }), ...many(50, 'joining')];
  openScene(clients).beats(30);
  expect(told(clients)).toEqual([]);
});

test('whoever stays is asked once, and never again', () => {
  const clients = many(100, { isBusy: false });
  openScene(clients).beats(600);
  expect(told(clients)).toHaveLength(100);
  expect(clients.every((each) => each.told.length === 1)).toBe(true);
});

test('those who were asked count as gone: not more are asked than are too many', () => {
  const clients = many(100, { isBusy: false });
  // They leave, but late.
  openScene(clients).beats(14);
  expect(told(clients).length).toBeLessThanOrEqual(50);
});

test.each([
  ['the others drain', [{ connections: 0, isAdmitting: false }]],
  ['there are no others', []],
])('nobody is asked where %s', (_, others) => {
  const clients = many(100, { isBusy: false });
  openScene(clients, others).beats(30);
  expect(told(clients)).toEqual([]);
});

test('nobody is asked by a node that drains: it sends everybody away already', () => {
  const clients = many(100, { isBusy: false });
  const { beats, drain } = openScene(clients);
  drain();
  beats(30);
  expect(told(clients)).toEqual([]);
});
