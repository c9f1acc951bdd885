import { createRequire } from 'node:module';
import { Socket as TcpSocket } from 'node:net';
import type { Writable } from 'node:stream';
import type { Socket } from 'socket.io';
import { expect, test } from 'vitest';
import { takeEarly } from '../../../services/signaling/sockets/early-requests.ts';
import { requestParser } from '../../../services/signaling/sockets/parser.ts';
import { eventually } from '../../support/eventually.ts';

/** Of the ws that the engine uses, whatever version that is. */
const ofServer = createRequire(createRequire(import.meta.url).resolve('socket.io'));
const { Receiver } = createRequire(ofServer.resolve('engine.io'))('ws') as {
  Receiver: new (options: { isServer: boolean; maxPayload: number }) => Writable;
};

const PAYLOAD_MAX = 1_000;
const [TEXT, REST, BINARY, GOODBYE, PING] = [0x81, 0x80, 0x82, 0x88, 0x89] as const;
const PART = 0x01;
const MASK = [0x12, 0xf4, 0x56, 0x9a] as const;

/** A masked frame, as a client sends it. */
function frame(content: string | Buffer, head: number = TEXT): Buffer {
  const bytes = Buffer.from(content);
  const length = bytes.length < 126 ? [0x80 | bytes.length] : [0xfe, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.from([head, ...length, ...MASK, ...bytes.map((byte, at) => byte ^ (MASK[at % 4] as number))]);
}

const request = (id: number, data: unknown = 'hi') => `42${id}["message",{"id":${id},"data":"${data}"}]`;
const asked = (id: number, data: unknown = 'hi') => ({
  name: 'message',
  payload: { id, data },
  packetId: id,
});

/** A connection as far as frames are read: by us, and what we leave by ws, the engine, and the decoder. */
function connection() {
  const receiver = new Receiver({ isServer: true, maxPayload: 100_000 });
  const socket = new TcpSocket();
  let isReadInPlace = false;
  Object.assign(socket, { _handle: { useUserBuffer: () => (isReadInPlace = true) } });
  const decoder = new (requestParser(PAYLOAD_MAX).Decoder)();
  const engine = {
    readyState: 'open',
    pingTimeoutTimer: null as unknown,
    transport: { socket: { _receiver: receiver, _socket: socket } },
  };
  const seen = { requests: [] as unknown[], byWs: [] as string[], errors: [] as unknown[], pings: 0 };
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    seen.byWs.push(data.toString());
    if (!isBinary && engine.readyState === 'open') decoder.add(data.toString().slice(1));
  });
  receiver.on('ping', () => seen.pings++);
  receiver.on('error', (error: NodeJS.ErrnoException) => seen.errors.push(error.code));
  decoder.onRequest = (each) => seen.requests.push(each);
  takeEarly({ conn: engine } as unknown as Socket, decoder);
  return {
    engine,
    seen,
    isReadInPlace: () => isReadInPlace,
    write: (...frames: Buffer[]) => receiver.write(Buffer.concat(frames)),
  };
}

test('who talks is read in place; who only joins, and answers pings, is not', () => {
  const { isReadInPlace, write } = connection();
  write(frame(request(1)));
  for (let n = 0; n < 10; n++) write(frame('3'));
  expect(isReadInPlace()).toBe(false);
  write(frame(request(2)));
  write(frame(request(3)));
  expect(isReadInPlace()).toBe(true);
});

test('whole requests are taken as they come, several at once, in their order, and ws hears of none', () => {
  const { seen, write } = connection();
  write(frame(request(2)));
  write(frame(request(3)), frame(request(4, 'x'.repeat(300))), frame(request(5, '烽火 🔥')));
  expect(seen.requests).toEqual([asked(2), asked(3), asked(4, 'x'.repeat(300)), asked(5, '烽火 🔥')]);
  expect(seen.byWs).toEqual([]);
});

test('wherever the bytes are cut, every request comes once and in order', () => {
  const bytes = Buffer.concat([
    frame(request(2)),
    frame(request(3, 'x'.repeat(200))),
    frame('', PING),
    frame('42', PART),
    frame('4["message",{"id":4,"data":"hi"}]', REST),
    frame(request(5)),
  ]);
  for (let cut = 1; cut < bytes.length; cut++) {
    const { seen, write } = connection();
    write(Buffer.from(bytes.subarray(0, cut)));
    write(Buffer.from(bytes.subarray(cut)));
    expect(seen.requests, `cut at ${cut}`).toEqual([asked(2), asked(3, 'x'.repeat(200)), asked(4), asked(5)]);
    expect(seen.pings).toBe(1);
  }
});

test.each([
  ['a pong of the engine', '3'],
  ['a packet that connects', '40{"token":"a"}'],
  ['a request that is unknown', '421["kick",{}]'],
  ['no JSON', '421["message",{]'],
  ['a payload over the limit', request(2, 'x'.repeat(PAYLOAD_MAX))],
])('%s is left to ws as it came', (_, text) => {
  const { seen, write } = connection();
  try {
    write(frame(text), frame(request(9)));
  } catch {
    // The stock decoder throws on what is no packet; socket.io closes the connection then.
  }
  expect(seen.byWs[0]).toBe(text);
});

test('what is binary goes to ws', () => {
  const { seen, write } = connection();
  write(frame(request(2), BINARY));
  expect(seen).toMatchObject({ byWs: [request(2)], requests: [] });
});

test('what is no UTF-8 is an error of ws, and no request', async () => {
  const { seen, write } = connection();
  write(
    frame(
      Buffer.concat([
        Buffer.from('42["message",{"id":2,"data":"'),
        Buffer.from([0xff, 0x22]),
        Buffer.from('}]'),
      ]),
    ),
  );
  await eventually(() => seen.errors.length === 1, { what: 'the error' });
  expect(seen).toMatchObject({ requests: [], byWs: [], errors: ['WS_ERR_INVALID_UTF8'] });
});

test('a replacement character that was really sent is read', () => {
  const { seen, write } = connection();
  write(frame(request(2, '\ufffd')));
  expect(seen.requests).toEqual([asked(2, '\ufffd')]);
});

test('after a goodbye nothing is taken', () => {
  const { seen, write } = connection();
  write(frame(Buffer.from([0x03, 0xe8]), GOODBYE));
  write(frame(request(3)));
  expect(seen.requests).toEqual([]);
});

test('a whole message between the parts of another is an error of ws', async () => {
  const { seen, write } = connection();
  write(frame('42', PART));
  write(frame(request(2)));
  await eventually(() => seen.errors.length === 1, { what: 'the error' });
  expect(seen).toMatchObject({ requests: [], byWs: [] });
});

test('bytes within a message are no frame, whatever they look like', () => {
  const { seen, write } = connection();
  const inner = frame(request(9));
  const outer = frame(Buffer.from(inner.map((byte, at) => byte ^ (MASK[at % 4] as number))), BINARY);
  write(outer.subarray(0, outer.length - inner.length));
  write(outer.subarray(outer.length - inner.length));
  expect(seen.requests).toEqual([]);
  expect(seen.byWs).toHaveLength(1);
});

test('a frame that was cut behind its first byte begins with that byte', () => {
  const { seen, write } = connection();
  const content = Buffer.from(request(9));
  write(Buffer.from([PING]));
  // Its second byte and what follows would be a request, if they began a frame.
  write(Buffer.concat([Buffer.from([0x81, 0x80 | content.length, 0, 0, 0, 0]), content]));
  expect(seen.requests).toEqual([]);
});

test.each([
  ['waits for a pong', { pingTimeoutTimer: {} }, [asked(2)]],
  ['is closing', { readyState: 'closing' }, []],
])('while the engine %s everything goes through it', (_, state, requests) => {
  const { engine, seen, write } = connection();
  Object.assign(engine, state);
  write(frame(request(2)));
  expect(seen).toMatchObject({ byWs: [request(2)], requests });
});
