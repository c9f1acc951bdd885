import { FRAME_BYTES_MAX, MESSAGE_BYTES_MAX } from '@fenghuo/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { connect, type PlainClient, SAMPLE_CANDIDATE } from '../support/plain-client.ts';

let cluster: TestCluster;
let ann: PlainClient;
let bobId: string;
beforeAll(async () => {
  cluster = await startCluster({ backplane: 'memory' });
  ann = await connect(cluster.nodes[0].url);
  await ann.join('blue', { name: 'Ann' });
  const bob = await connect(cluster.nodes[1].url);
  bobId = (await bob.join('blue', { name: 'Bob' })).self.id;
});
afterAll(() => cluster?.stop());

/** An array nested so deep that a recursive walk would overflow the stack. */
const deep = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
const prototypeKeys = JSON.parse(
  '{"__proto__":{"id":2,"topic":"a","data":1},"constructor":{"prototype":{"id":2}}}',
);
const to = () => ({ to: bobId });

describe('a malformed payload is answered invalid_request', () => {
  const offer = { type: 'offer', sdp: 'v=0' };
  const cases: [string, string, () => unknown][] = [
    ['signal', 'nothing', () => undefined],
    ['signal', 'null', () => null],
    ['signal', 'a list', () => []],
    ['signal', 'a text', () => 'offer'],
    ['signal', 'a number', () => 7],
    ['signal', 'no id', () => ({ ...to(), description: offer })],
    ['signal', 'id 0', () => ({ id: 0, ...to(), description: offer })],
    ['signal', 'a negative id', () => ({ id: -1, ...to(), description: offer })],
    ['signal', 'id as a text', () => ({ id: '2', ...to(), description: offer })],
    ['signal', 'id with a fraction', () => ({ id: 2.5, ...to(), description: offer })],
    ['signal', 'an id beyond integers', () => ({ id: 2 ** 60, ...to(), description: offer })],
    ['signal', 'no target', () => ({ id: 2, description: offer })],
    ['signal', 'a list as target', () => ({ id: 2, to: [bobId], description: offer })],
    ['signal', 'a target with a blank', () => ({ id: 2, to: 'a b', description: offer })],
    ['signal', 'neither description nor candidate', () => ({ id: 2, ...to() })],
    ['signal', 'both', () => ({ id: 2, ...to(), description: offer, candidate: null })],
    ['signal', 'an unknown type', () => ({ id: 2, ...to(), description: { type: 'pwn', sdp: 'v=0' } })],
    ['signal', 'an offer without sdp', () => ({ id: 2, ...to(), description: { type: 'offer' } })],
    ['signal', 'sdp as a list', () => ({ id: 2, ...to(), description: { type: 'offer', sdp: ['v=0'] } })],
    ['signal', 'a candidate without its line', () => ({ id: 2, ...to(), candidate: { sdpMid: '0' } })],
    [
      'signal',
      'a line index beyond 16 bits',
      () => ({ id: 2, ...to(), candidate: { ...SAMPLE_CANDIDATE, sdpMLineIndex: 65_536 } }),
    ],
    ['signal', 'prototype keys', () => prototypeKeys],
    ['message', 'no topic', () => ({ id: 2, data: 1 })],
    ['message', 'a topic with a blank', () => ({ id: 2, topic: 'a b', data: 1 })],
    ['message', 'a topic of 65 characters', () => ({ id: 2, topic: 'a'.repeat(65), data: 1 })],
    ['message', 'no data', () => ({ id: 2, topic: 'a' })],
    ['message', 'no id', () => ({ topic: 'a', data: 1 })],
    ['message', 'ephemeral with an id', () => ({ id: 2, topic: 'a', data: 1, ephemeral: true })],
    ['message', 'data nested 65 deep', () => ({ id: 2, topic: 'a', data: deep(65) })],
    ['message', 'a binary attachment', () => ({ id: 2, topic: 'a', data: Buffer.from('binary') })],
    [
      'message',
      'a binary attachment far inside',
      () => ({ id: 2, topic: 'a', data: { a: [Buffer.alloc(8)] } }),
    ],
    ['message', 'prototype keys', () => prototypeKeys],
    ['update', 'no id', () => ({ name: 'Anna' })],
    ['update', 'a name of 65 characters', () => ({ id: 2, name: '烽'.repeat(65) })],
    ['update', 'a name that is a number', () => ({ id: 2, name: 5 })],
    ['update', 'metadata nested too deep', () => ({ id: 2, metadata: deep(65) })],
    ['update', 'prototype keys', () => prototypeKeys],
    ['leave', 'no id', () => ({})],
    ['leave', 'a text', () => 'now'],
    ['leave', 'prototype keys', () => prototypeKeys],
    ['join', 'no room', () => ({ id: 1 })],
    ['join', 'another id than 1', () => ({ id: 2, room: 'blue' })],
    ['join', 'an empty room name', () => ({ id: 1, room: '' })],
    ['join', 'a room name of 129 characters', () => ({ id: 1, room: 'a'.repeat(129) })],
    ['join', 'braces in the room name', () => ({ id: 1, room: 'a{b}' })],
    ['join', 'a control character in the room name', () => ({ id: 1, room: 'a\u0000b' })],
    ['join', 'a room name that is not NFC', () => ({ id: 1, room: 'e\u0301' })],
    ['join', 'a joiner at the end of the room name', () => ({ id: 1, room: '👨\u200d' })],
    ['join', 'two suffixes', () => ({ id: 1, room: 'a@main@main' })],
    ['join', 'a key that is too short', () => ({ id: 1, room: 'a', key: 'short' })],
    ['join', 'metadata with a binary attachment', () => ({ id: 1, room: 'a', metadata: Buffer.alloc(4) })],
    ['join', 'prototype keys', () => prototypeKeys],
  ];
  test.each(cases)('%s: %s', async (name, _, payload) => {
    expect(await ann.ask(name, payload())).toMatchObject({ ok: false, error: { code: 'invalid_request' } });
  });

  test('a name that would turn the text around it is shown without that', async () => {
    const client = await connect(cluster.nodes[0].url);
    const { self } = await client.join('names', { name: '\u202egnp.eva\u202c' });
    expect(self.name).toBe('gnp.eva');
    const updated = await client.request('update', { name: '\u2067می\u200cخواهم\u2069' });
    expect(updated).toMatchObject({ peer: { name: 'می\u200cخواهم' } });
    client.close();
  });

  test('a join that names a home which is not there', async () => {
    const client = await connect(cluster.nodes[0].url);
    expect(await client.ask('join', { id: 1, room: 'blue@nowhere' })).toMatchObject({
      error: { code: 'invalid_request' },
    });
    client.close();
  });

  test('a message says what to mend, and never repeats a value', async () => {
    const reply = await ann.ask('signal', {
      id: 2,
      to: bobId,
      description: { type: 'secret', sdp: 'secret' },
    });
    expect(reply).toMatchObject({ error: { message: expect.stringContaining('description') } });
    expect(JSON.stringify(reply)).not.toContain('secret');
  });

  test('several arguments instead of one', async () => {
    expect(await ann.ask('message', { id: 2, topic: 'a', data: 1 }, { id: 3 })).toMatchObject({
      error: { code: 'invalid_request' },
    });
  });
});

test.each([
  [20_000, 'invalid_request'],
  [100_000, 'too_large'],
])('data nested %i deep, which no client library could send, is %s', async (levels, code) => {
  const client = await connect(cluster.nodes[0].url);
  const answer = new Promise<string>((resolve) => client.socket.io.engine.once('data', resolve));
  rawSocket(client).send(
    `4277["message",{"id":2,"topic":"a","data":${'['.repeat(levels)}${']'.repeat(levels)}}]`,
  );
  expect(await answer).toContain(`"code":"${code}"`);
  client.close();
});

test.each(['nope', '__proto__', 'constructor', 'toString', 'kick', 'message '])(
  'the event %j is answered unknown_request',
  async (name) => {
    expect(await ann.ask(name, { id: 2 })).toMatchObject({ ok: false, error: { code: 'unknown_request' } });
  },
);

test.each([
  ['leave', { id: 1 }],
  ['signal', { id: 1, to: 'someone', candidate: null }],
  ['message', { id: 1, topic: 'a', data: 1 }],
  ['message', { topic: 'a', data: 1, ephemeral: true }],
  ['update', { id: 1, name: 'x' }],
])('%s before a join is not_joined', async (name, payload) => {
  const client = await connect(cluster.nodes[0].url);
  expect(await client.ask(name, payload)).toMatchObject({ ok: false, error: { code: 'not_joined' } });
  client.close();
});

test('a second join is already_joined, and the first session goes on', async () => {
  expect(await ann.ask('join', { id: 1, room: 'green' })).toMatchObject({
    ok: false,
    error: { code: 'already_joined' },
  });
  expect(await ann.ask('message', { topic: 'a', data: 1, ephemeral: true })).toEqual({ ok: true });
});

test('two joins at once: one gets in, the other is already_joined', async () => {
  const client = await connect(cluster.nodes[0].url);
  const replies = await Promise.all([1, 2].map(() => client.ask('join', { id: 1, room: 'twice' })));
  expect(replies.map((reply) => reply.ok)).toEqual([true, false]);
  expect(replies[1]).toMatchObject({ error: { code: 'already_joined' } });
  client.close();
});

test('a name of 64 characters beyond the basic plane is one of 64 characters', async () => {
  const client = await connect(cluster.nodes[0].url);
  expect((await client.join('names', { name: '🔥'.repeat(64) })).self.name).toBe('🔥'.repeat(64));
  client.close();
});

describe('the two limits', () => {
  const message = (bytes: number) => {
    const empty = { topic: 'a', ephemeral: true, data: '' };
    return { ...empty, data: 'x'.repeat(bytes - JSON.stringify(empty).length) };
  };

  test('a payload of exactly MESSAGE_BYTES_MAX is taken; one byte more is too_large', async () => {
    expect(await ann.ask('message', message(MESSAGE_BYTES_MAX))).toEqual({ ok: true });
    expect(await ann.ask('message', message(MESSAGE_BYTES_MAX + 1))).toMatchObject({
      ok: false,
      error: { code: 'too_large' },
    });
  });

  test('bytes are counted, not characters, and unknown members count too', async () => {
    const payload = { topic: 'a', ephemeral: true, data: 1, padding: '烽'.repeat(MESSAGE_BYTES_MAX / 3) };
    expect(await ann.ask('message', payload)).toMatchObject({ ok: false, error: { code: 'too_large' } });
  });

  test('an attachment to a member that nobody reads takes no payload past the limit', async () => {
    const binary = { id: 2, topic: 'a', data: 'x'.repeat(200_000), extra: Buffer.alloc(1) };
    expect(await ann.ask('message', binary)).toMatchObject({ ok: false, error: { code: 'invalid_request' } });
  });

  test('a frame over 256 KiB closes the connection, and the node lives', async () => {
    const client = await connect(cluster.nodes[0].url);
    const closed = new Promise((resolve) => client.socket.once('disconnect', resolve));
    client.socket.emit('message', { topic: 'a', data: 'x'.repeat(FRAME_BYTES_MAX) });
    expect(await closed).toMatch(/transport/);
    expect((await fetch(`${cluster.nodes[0].opsUrl}/livez`)).status).toBe(200);
  });
});

test.each([
  '42["disconnect"]',
  '42["connect_error",{}]',
  '42["newListener",1]',
  '42{"a":1}',
  '49',
  '4299999999999999999999["message"]x',
])('the frame %j is not of the protocol: it closes the connection', async (frame) => {
  const client = await connect(cluster.nodes[0].url);
  const closed = new Promise((resolve) => client.socket.once('disconnect', resolve));
  rawSocket(client).send(frame);
  expect(await closed).toMatch(/transport|server/);
});

test('an acknowledgement that nobody asked for is passed over', async () => {
  const client = await connect(cluster.nodes[0].url);
  rawSocket(client).send('430["unasked"]');
  rawSocket(client).send('4399999["unasked"]');
  expect(await client.ask('leave', { id: 1 })).toMatchObject({ error: { code: 'not_joined' } });
  client.close();
});

test('who writes more than a session may is rate_limited, told when to go on, and loses nothing by it', async () => {
  const client = await connect(cluster.nodes[0].url);
  await client.join('flood');
  const replies = await Promise.all(
    Array.from({ length: 2_200 }, (_, n) => client.ask('message', { id: n + 2, topic: 'a', data: n })),
  );
  const limited = replies.findIndex((reply) => !reply.ok);
  expect(limited).toBeGreaterThanOrEqual(2_000);
  expect(replies[limited]).toMatchObject({
    error: { code: 'rate_limited', retry_after_ms: expect.any(Number) },
  });
  // Q2: later ids wait for the return of the one that was refused.
  expect(replies.slice(limited).every((reply) => !reply.ok && reply.error.code === 'rate_limited')).toBe(
    true,
  );
  await expect
    .poll(() => client.ask('message', { id: limited + 2, topic: 'a', data: limited }), { timeout: 5_000 })
    .toMatchObject({ ok: true });
  client.close();
});

function rawSocket(client: PlainClient): { send(frame: string): void } {
  const { transport } = client.socket.io.engine as unknown as {
    transport: { ws: { send(frame: string): void } };
  };
  return transport.ws;
}
