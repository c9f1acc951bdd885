import { describe, expect, test } from 'vitest';

import { fenghuo } from './contestants/fenghuo.ts';
import { socketIoMemory } from './contestants/socket-io-memory.ts';
import type { Seat } from './generator/seat.ts';
import { Traffic } from './generator/traffic.ts';
import { type Account, resultOf } from './result.ts';

/** A pair whose messages pass through `carry`, which hands on what it will. */
function pairBy(carry: (deliver: () => void, n: number) => void): readonly [Seat, Seat] {
  let count = 0;
  const seat = (id: string, other: () => Seat): Seat => ({
    id,
    tries: 1,
    failures: [],
    onSignal: () => {},
    signal(_, __, body) {
      const n = count;
      count += 1;
      queueMicrotask(() => carry(() => other().onSignal(Buffer.from(body)), n));
    },
    close() {},
  });
  const a: Seat = seat('a', () => b);
  const b: Seat = seat('b', () => a);
  return [a, b];
}

/** Goes on until about so many messages were sent. */
async function until(count: number, traffic: Traffic): Promise<void> {
  traffic.saturate(4);
  while (traffic.sent < count) await Promise.resolve();
  await traffic.stop();
  await new Promise(setImmediate);
}

describe('the account of messages', () => {
  test('is even where each comes once and in order', async () => {
    const traffic = new Traffic([pairBy((deliver) => deliver())]);
    await until(100, traffic);
    expect(traffic.delivered).toBe(traffic.sent);
    expect(traffic.misdelivered).toBe(0);
  });

  test('misses a message that was lost', async () => {
    const traffic = new Traffic([pairBy((deliver, n) => n !== 50 && deliver())]);
    await until(100, traffic);
    expect(traffic.sent - traffic.delivered).toBe(1);
  });

  test('tells of a message that came twice', async () => {
    const traffic = new Traffic([
      pairBy((deliver, n) => {
        deliver();
        if (n === 50) deliver();
      }),
    ]);
    await until(100, traffic);
    expect(traffic.delivered).toBe(traffic.sent);
    expect(traffic.misdelivered).toBe(1);
  });
});

describe('ratios', () => {
  const account = (contestant: Account['contestant'], figures: object[], faults: string[] = []): Account => ({
    contestant,
    rounds: figures.map((each) => new Map([['pairs', { figures: each as Record<string, number>, faults }]])),
    failures: [],
  });
  const run = { startedAt: new Date(), loadBefore: 0, isQuick: true, rounds: 3, windowMs: 1 };
  const toMemory = (accounts: Account[]) => resultOf(accounts, run).ratios[0]?.spread;
  const rounds = (...each: number[]) => each.map((saturationUs) => ({ saturationUs }));

  test('are made within each round, and their median counts', () => {
    const ours = account(fenghuo, rounds(60, 100, 90));
    const theirs = account(socketIoMemory, rounds(30, 25, 30));
    expect(toMemory([ours, theirs])).toEqual({ median: 3, min: 2, max: 4, values: [2, 4, 3] });
  });

  test('are not made with a row that is void', () => {
    const ours = account(fenghuo, rounds(60), ['1 of 100 messages lost']);
    expect(toMemory([ours, account(socketIoMemory, rounds(30))])).toBeUndefined();
  });
});
