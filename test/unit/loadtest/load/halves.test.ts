import { beforeEach, expect, test } from 'vitest';

import type { Stamp } from '../../../../services/loadtest/ledger.ts';
import { compareHalves, Halves } from '../../../../services/loadtest/load/measures/halves.ts';
import { countOf, countOfBoth, Ranges } from '../../../../services/loadtest/load/measures/ranges.ts';

let sender: Halves;
let receiver: Halves;
beforeEach(() => {
  sender = new Halves();
  receiver = new Halves();
});

function accepted(count: number): Stamp[] {
  return Array.from({ length: count }, () => {
    const stamp = sender.sent('ann', 'bob', 0);
    sender.settled(stamp, 'accepted');
    return stamp;
  });
}

function receive(stamps: readonly (Stamp | undefined)[]): void {
  for (const stamp of stamps) if (stamp !== undefined) receiver.received('bob', 'ann', stamp);
}

const sums = () => compareHalves([sender.report(), receiver.report()]);

test('what goes from one worker to another once and in order is no fault', () => {
  receive(accepted(1_000));
  expect(sums()).toMatchObject({
    sent: 1_000,
    accepted: 1_000,
    expected: 1_000,
    delivered: 1_000,
    lost: 0,
    doubled: 0,
    reordered: 0,
    misrouted: 0,
  });
});

test('what the sending worker was told to be accepted and the other one never got is lost', () => {
  receive(accepted(10).filter((_, n) => n !== 4 && n !== 9));
  expect(sums()).toMatchObject({ expected: 10, delivered: 8, lost: 2, named: 0 });
});

test('it is named where the receiver was told that something is missing', () => {
  receive(accepted(3).slice(1));
  receiver.told('bob');
  expect(sums()).toMatchObject({ lost: 0, named: 1 });
});

test('what comes twice, or behind a later one, is counted as such', () => {
  const [one, two, three] = accepted(3);
  receive([one, three, two, two]);
  expect(sums()).toMatchObject({ lost: 0, doubled: 1, reordered: 1 });
});

test('misrouted is what names somebody else, was refused, or was never sent', () => {
  const [stamp] = accepted(1);
  const refused = sender.sent('ann', 'bob', 0);
  sender.settled(refused, 'refused');
  receive([stamp, refused, { from: 'ann', to: 'bob', n: 7 }]);
  receiver.received('cid', 'ann', { from: 'ann', to: 'bob', n: 0 });
  receiver.received('bob', 'eve', { from: 'eve', to: 'bob', n: 0 });
  expect(sums()).toMatchObject({ lost: 0, misrouted: 4 });
});

test('a flow without gaps takes no more room however long it is', () => {
  receive(accepted(100_000));
  expect(JSON.stringify(receiver.report()).length).toBeLessThan(300);
});

test('ranges hold what was added to them, in whatever order', () => {
  const numbers = [5, 3, 4, 0, 9, 1, 7, 8, 2];
  const ranges = new Ranges();
  expect(numbers.map((n) => ranges.add(n))).toEqual(numbers.map(() => true));
  expect(ranges.list).toEqual([0, 5, 7, 9]);
  expect(numbers.map((n) => ranges.add(n))).toEqual(numbers.map(() => false));
  expect([countOf(ranges.list), countOfBoth(ranges.list, [4, 7])]).toEqual([9, 3]);
});
