import type { PeerId } from '@fenghuo/protocol';
import { describe, expect, test } from 'vitest';
import {
  concerns,
  eventOf,
  formatRecord,
  parseRecord,
  type RoomRecord,
} from '../../../services/signaling/domain/room-record.ts';

const record = {
  type: 'message' as const,
  epoch: 1_795_376_804_542_000,
  seq: 9,
  from: 'ann' as PeerId,
  to: 'bob' as PeerId,
  echo: false,
  id: 7,
  origin: 'node',
  originMs: 12.5,
  body: '{"text":"a\\nb * S 1 2 3","emoji":"🔥"}',
  inner: '',
};

test('a record survives the way between nodes, whatever its body holds', () => {
  expect(parseRecord(formatRecord(record))).toEqual(record);
  const inner = '{"g":2,"w":"node"}';
  expect(parseRecord(formatRecord({ ...record, inner }))).toEqual({ ...record, inner });
  expect(parseRecord(formatRecord({ ...record, to: undefined, echo: true }))).toMatchObject({
    to: undefined,
    echo: true,
  });
});

test.each(['', 'S', '\n{}', 'S 1 2 a b 0 7 n\n{}', 'S x 2 a b 0 7 n 1\n{}', '{"seq":1}'])(
  '%j is not taken for a record',
  (text) => {
    expect(parseRecord(text)).toBeUndefined();
  },
);

test('a record of a newer version keeps its place in the order and concerns nobody', () => {
  const newer = parseRecord('Z 5 9 ann * 1 0 node 1\nanything') as RoomRecord;
  expect(newer).toMatchObject({ type: 'unknown', epoch: 5, seq: 9 });
  for (const peer of ['ann', 'bob']) expect(concerns(newer, peer as PeerId)).toBe(false);
});

test('a client gets the body with the seq before it', () => {
  expect(eventOf(record)).toEqual(['message', '{"seq":9,"text":"a\\nb * S 1 2 3","emoji":"🔥"}']);
  expect(eventOf({ ...record, body: '{}' })).toEqual(['message', '{"seq":9}']);
});

test.each(['', '{"text":"cut o', '[1]', '5', 'null'])('of the body %j no event is made', (body) => {
  expect(eventOf({ ...record, body })).toBeUndefined();
});

describe('whom a record concerns', () => {
  const ann = 'ann' as PeerId;
  const bob = 'bob' as PeerId;
  const carol = 'carol' as PeerId;
  test.each([
    ['to one', bob, false, [false, true, false]],
    ['to one, with echo', bob, true, [true, true, false]],
    ['to all', undefined, false, [false, true, true]],
    ['to all, with echo', undefined, true, [true, true, true]],
  ] as const)('%s', (_, to, echo, expected) => {
    expect([ann, bob, carol].map((peer) => concerns({ ...record, from: ann, to, echo }, peer))).toEqual(
      expected,
    );
  });
});
