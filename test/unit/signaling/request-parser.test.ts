import { Decoder, type Packet, PacketType } from 'socket.io-parser';
import { describe, expect, test } from 'vitest';
import {
  BINARY,
  type IncomingRequest,
  requestParser,
  requestSourceOf,
  TOO_LARGE,
} from '../../../services/signaling/sockets/parser.ts';

function read(...chunks: (string | Buffer)[]): Packet[] {
  const packets: Packet[] = [];
  const decoder = new (requestParser(1_000).Decoder)();
  decoder.on('decoded', (packet: Packet) => packets.push(packet));
  for (const chunk of chunks) decoder.add(chunk);
  return packets;
}

/** As socket.io reads it by itself. */
function readPlainly(text: string): Packet {
  let packet: Packet | undefined;
  const decoder = new Decoder();
  decoder.on('decoded', (each: Packet) => {
    packet = each;
  });
  decoder.add(text);
  return packet as Packet;
}

const REQUEST = { id: 2, to: 'bob', candidate: null };

test.each([
  ['a request', `212["signal",${JSON.stringify(REQUEST)}]`],
  ['without an acknowledgement', `2["message",{"id":2}]`],
  ['without a payload', `23["leave"]`],
  ['an event that is unknown', `23["kick",{"id":2}]`],
  ['an event whose name is a number', `23[7,{"id":2}]`],
  ['another namespace', `2/other,3["leave",{"id":2}]`],
])('%s is what socket.io would have read', (_, text) => {
  const plain = readPlainly(text);
  const [name, payload] = plain.data;
  expect(read(text)).toEqual([
    { type: plain.type, nsp: plain.nsp, data: [{ name, payload, packetId: plain.id }] },
  ]);
});

test('several arguments are no payload', () => {
  expect(read('2["leave",{"id":2},{"id":3}]')[0]?.data).toEqual([{ name: 'leave' }]);
});

test('an event without arguments asks for nothing', () => {
  expect(read('2')[0]?.data).toEqual([{}]);
});

test('a payload over the limit, and one with attachments, is not looked at', () => {
  const large = JSON.stringify({ data: 'x'.repeat(1_000) });
  expect(read(`21["message",${large}]`)[0]?.data).toEqual([
    { name: 'message', payload: TOO_LARGE, packetId: 1 },
  ]);
  const binary = read(
    '51-4["message",{"id":2,"data":{"_placeholder":true,"num":0}}]',
    Buffer.from('bytes'),
    '2["leave",{"id":3}]',
  );
  expect(binary.map(({ data }) => data)).toEqual([
    [{ name: 'message', payload: BINARY, packetId: 4 }],
    [{ name: 'leave', payload: { id: 3 } }],
  ]);
});

test('of a CONNECT the token alone is kept, and a second one throws, as all does after a goodbye', () => {
  const decoder = new (requestParser(1_000).Decoder)();
  const packets: Packet[] = [];
  decoder.on('decoded', (packet: Packet) => packets.push(packet));
  decoder.add('0{"token":"a","more":"b"}');
  expect(packets[0]?.data).toMatchObject({ token: 'a' });
  expect(packets[0]?.data).not.toHaveProperty('more');
  expect(requestSourceOf({ auth: packets[0]?.data })).toBe(decoder);
  expect(() => decoder.add('0')).toThrow('CONNECT');
  decoder.add('1');
  expect(() => decoder.add('2["leave",{"id":2}]')).toThrow('DISCONNECT');
});

test.each(['1', '3["answer"]'])('%j is left to socket.io', (text) => {
  expect(read(text)).toEqual([readPlainly(text)]);
});

test('who takes the requests gets them at once, but for those of other namespaces', () => {
  const decoder = new (requestParser(1_000).Decoder)();
  const packets: Packet[] = [];
  const taken: IncomingRequest[] = [];
  decoder.on('decoded', (packet: Packet) => packets.push(packet));
  decoder.onRequest = (request) => taken.push(request);
  for (const text of ['20["leave",{"id":2}]', '2["unknown"]', '2/other,["leave"]', '1']) decoder.add(text);
  expect(taken).toEqual([{ name: 'leave', payload: { id: 2 }, packetId: 0 }, { name: 'unknown' }]);
  expect(packets.map(({ nsp, type }) => [nsp, type])).toEqual([
    ['/other', PacketType.EVENT],
    ['/', PacketType.DISCONNECT],
  ]);
});

describe('what is not of the protocol throws, so that the connection is closed', () => {
  test.each([
    '2["signal",{"id":',
    '2["disconnect",{}]',
    '2{"id":2}',
    '2["a"',
    `2${'9'.repeat(32)}["leave",{}]`,
    '9',
    '23["leave",{}]x',
  ])('%j', (text) => {
    expect(() => read(text)).toThrow();
  });

  test('a request in the middle of a packet with attachments', () => {
    expect(() => read('51-["message",{"_placeholder":true,"num":0}]', '2["leave",{"id":2}]')).toThrow();
  });
});
