import type { PeerId } from '@fenghuo/protocol';
import { describe, expect, test } from 'vitest';
import {
  concerns,
  eventOf,
  formatRecord,
  parseRecord,
  type RoomRecord,
  readRecord,
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

const ann = {
  id: 'ann',
  name: 'Ann',
  role: 'host',
  muted: [],
  connected: true,
  metadata: null,
  joined_seq: 1,
  node: 'n',
  region: 'r',
};
const header = '1 2 ann * 0 0 node 0';

test('a record that came from the backplane is read where its content is what its type says', () => {
  const peer = JSON.stringify({ peer: ann });
  for (const text of [
    `J ${header}\n${peer}\n{"g":1,"w":"node","t":"hash","u":"=p","k":[]}`,
    `U ${header}\n${peer}`,
    `F ${header}\n${peer}\n{"g":2}`,
    `L ${header}\n{"peer":"ann","reason":"left"}`,
    `K ${header}\n{"room":{"name":"blue","home":"main","locked":true,"peers_max":2}}\n{"b":"ann","i":3}`,
    `C ${header}\n{}`,
    `S ${header}\n{"from":"ann"}`,
    `Z ${header}\nwhatever a newer version writes`,
  ])
    expect(readRecord(text), text).toEqual(parseRecord(text));
});

test.each([
  `J ${header}\n{"peer":{"id":"ann"}}\n{"g":1}`,
  `J ${header}\n${JSON.stringify({ peer: ann })}`,
  `J ${header}\n${JSON.stringify({ peer: ann })}\nnull`,
  `J ${header}\n${JSON.stringify({ peer: ann })}\n{"k":["everything"]}`,
  `U ${header}\n${JSON.stringify({ peer: { ...ann, role: 'king' } })}`,
  `U ${header}\nnull`,
  `D ${header}\n${JSON.stringify({ peer: ann })}\n{"g":"x"}`,
  `L ${header}\n{"peer":"ann","reason":"bored"}`,
  `K ${header}\n{"room":true}`,
  `C ${header}\n[]`,
  `S ${header}\n{"from":"ann"`,
  `M ${header}\n"text"`,
  'M 1 2 a/b * 0 0 node 0\n{}',
  'M 1 2 ann * 0 x node 0\n{}',
])('%j is no record, wherever it came from', (text) => {
  expect(readRecord(text)).toBeUndefined();
});
