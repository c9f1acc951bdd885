import { beforeEach, describe, expect, test } from 'vitest';

import { EVERYONE, Ledger, type Stamp } from '../../../services/loadtest/ledger.ts';
import { readStamp, signalContent, stampOf } from '../../../services/loadtest/stamp.ts';

let ledger: Ledger;
beforeEach(() => {
  ledger = new Ledger();
  for (const session of ['ann', 'bob', 'cid']) ledger.joined(session, 'blue', 0);
  ledger.joined('dan', 'red', 0);
});

/** Accepted signals from ann to bob, the n-th of them sent at n × 10 ms. */
function accepted(count: number, to = 'bob'): Stamp[] {
  return Array.from({ length: count }, (_, n) => {
    const stamp = ledger.sent('ann', to, 10 * n);
    ledger.settled(stamp, 'accepted');
    return stamp;
  });
}

function receive(stamps: readonly (Stamp | undefined)[], atMs = 1_000): void {
  for (const stamp of stamps) ledger.received('bob', 'ann', stamp, atMs);
}

test('what arrives in order and once is no fault', () => {
  receive(accepted(3));
  expect(ledger.sums()).toMatchObject({
    sent: 3,
    accepted: 3,
    received: 3,
    lost: 0,
    doubled: 0,
    reordered: 0,
  });
});

test('what was accepted and never arrives is lost', () => {
  const [one, , three] = accepted(3);
  receive([one, three]);
  expect(ledger.sums()).toMatchObject({ lost: 1, named: 0 });
  expect(ledger.sums().examples[0]).toContain('ann to bob, number 1');
});

test('what was never accepted may be missing', () => {
  ledger.sent('ann', 'bob', 0);
  ledger.settled(ledger.sent('ann', 'bob', 1), 'refused');
  ledger.settled(ledger.sent('ann', 'bob', 2), 'unknown');
  expect(ledger.sums()).toMatchObject({ lost: 0, unanswered: 1 });
});

test('what arrives twice is doubled, and not reordered', () => {
  const [one, two] = accepted(2);
  receive([one, two, one]);
  expect(ledger.sums()).toMatchObject({ doubled: 1, reordered: 0 });
});

test('what arrives behind a later one is reordered', () => {
  const [one, two] = accepted(2);
  receive([two, one]);
  expect(ledger.sums()).toMatchObject({ reordered: 1, lost: 0 });
});

test('what was refused and arrives all the same is a phantom', () => {
  const stamp = ledger.sent('ann', 'bob', 0);
  ledger.settled(stamp, 'refused');
  receive([stamp]);
  expect(ledger.sums().phantom).toBe(1);
});

describe('misrouted is what', () => {
  test('reaches another peer', () => {
    const [stamp] = accepted(1);
    ledger.received('cid', 'ann', stamp, 1);
    expect(ledger.sums()).toMatchObject({ misrouted: 1, lost: 1 });
  });

  test('names another sender', () => {
    const [stamp] = accepted(1);
    ledger.received('bob', 'cid', stamp, 1);
    expect(ledger.sums().misrouted).toBe(1);
  });

  test('nobody of us sent', () => {
    ledger.received('bob', 'ann', undefined, 1);
    ledger.received('bob', 'ann', { from: 'ann', to: 'bob', n: 7 }, 1);
    expect(ledger.sums().misrouted).toBe(2);
  });

  test('was for everyone in another room, or comes back to its sender', () => {
    const [stamp] = accepted(1, EVERYONE);
    ledger.received('dan', 'ann', stamp, 1);
    ledger.received('ann', 'ann', stamp, 1);
    expect(ledger.sums().misrouted).toBe(2);
  });
});

describe('a message to everyone', () => {
  test('is owed to each of the others in the room', () => {
    const [stamp] = accepted(1, EVERYONE);
    ledger.received('bob', 'ann', stamp, 1);
    expect(ledger.sums()).toMatchObject({ lost: 1, misrouted: 0 });
    ledger.received('cid', 'ann', stamp, 1);
    expect(ledger.sums()).toMatchObject({ lost: 0, doubled: 0 });
  });

  test('is not owed to who joined after it was sent', () => {
    const [stamp] = accepted(1, EVERYONE);
    ledger.joined('eve', 'blue', 5);
    for (const each of ['bob', 'cid']) ledger.received(each, 'ann', stamp, 6);
    expect(ledger.sums().lost).toBe(0);
  });
});

describe('a loss is named', () => {
  test('where the receiver was told after it was sent', () => {
    accepted(2);
    ledger.named('bob', 500);
    expect(ledger.sums()).toMatchObject({ lost: 0, named: 2 });
  });

  test('not where the receiver was told before it was sent', () => {
    ledger.named('bob', 5);
    accepted(2);
    // The first was sent at 0 ms, the second at 10 ms.
    expect(ledger.sums()).toMatchObject({ lost: 1, named: 1 });
  });

  test('not where a later one had come before the telling: by then it was lost already', () => {
    const [, , three] = accepted(3);
    receive([three], 400);
    ledger.named('bob', 500);
    expect(ledger.sums()).toMatchObject({ lost: 2, named: 0 });
  });

  test('where the receiver was told that its session is over, before or after it was sent', () => {
    ledger.ended('bob', 5);
    accepted(2);
    expect(ledger.sums()).toMatchObject({ lost: 0, named: 2 });
  });

  test('not where a later one had come before that end', () => {
    const [, two] = accepted(2);
    receive([two], 400);
    ledger.ended('bob', 500);
    expect(ledger.sums()).toMatchObject({ lost: 1, named: 0 });
  });

  test('not where somebody else was told', () => {
    accepted(1);
    ledger.named('cid', 500);
    expect(ledger.sums()).toMatchObject({ lost: 1, named: 0 });
  });
});

test('a stamp is read back from whatever carries it', () => {
  for (const n of [0, 1, 123]) {
    const stamp = { from: 'a_b-C', to: '*', n };
    expect(stampOf(signalContent(stamp))).toEqual(stamp);
  }
  expect(readStamp('fh1 ann bob 12')).toBeUndefined();
  expect(readStamp(undefined)).toBeUndefined();
});

describe('what is settled is forgotten', () => {
  test('and sums stay as they were', () => {
    const stamps = accepted(4);
    receive(stamps.slice(0, 2));
    const before = ledger.sums();
    ledger.fold(0);
    expect(ledger.sums()).toEqual(before);
    receive(stamps.slice(2));
    ledger.fold(0);
    expect(ledger.sums()).toMatchObject({ accepted: 4, expected: 4, delivered: 4, lost: 0, reordered: 0 });
  });

  test('but what comes again is known as such', () => {
    const stamps = accepted(2);
    receive(stamps);
    ledger.fold(0);
    receive(stamps.slice(0, 1));
    expect(ledger.sums()).toMatchObject({ doubled: 1, misrouted: 0 });
  });

  test('not while it is on its way to one who joined after it was due', () => {
    ledger.joined('eve', 'blue', 15);
    const stamps = accepted(2, 'eve');
    ledger.fold(0);
    expect(ledger.sums().lost).toBe(2);
    for (const stamp of stamps) ledger.received('eve', 'ann', stamp, 1_000);
    expect(ledger.sums()).toMatchObject({ delivered: 2, doubled: 0, lost: 0 });
  });

  test('and numbers go on', () => {
    receive(accepted(3));
    ledger.fold(0);
    const next = ledger.sent('ann', 'bob', 5);
    expect(next.n).toBe(3);
    ledger.settled(next, 'accepted');
    expect(ledger.sums().lost).toBe(1);
  });

  test('only after it was given up, where it never came', () => {
    receive(accepted(3).slice(1));
    ledger.fold(0);
    expect(ledger.lostBefore(1)).toBe(1);
    ledger.fold(Number.POSITIVE_INFINITY);
    expect(ledger.sums()).toMatchObject({ lost: 1, delivered: 2 });
  });

  test('with the sessions between which it was sent', () => {
    receive(accepted(3).slice(1));
    ledger.release(['ann', 'bob']);
    expect(ledger.sums()).toMatchObject({ lost: 1, expected: 3, delivered: 2 });
    expect(ledger.knows('ann')).toBe(false);
  });
});
