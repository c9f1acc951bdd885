import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { join, type PeerId, SignalingError } from '../../../services/client/index.ts';
import { FakeCluster, joined, passMs, peer, snapshot } from './fake-cluster.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the join carries id 1 and a key of 128 bits, another one each time', async () => {
  const [one, two] = [await joined(), await joined()];
  const payloads = [one, two].map(({ connection }) => connection.requests[0]?.payload);
  expect(payloads[0]).toMatchObject({
    id: 1,
    room: 'blue',
    name: 'Wei',
    key: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(payloads[0]?.key).not.toBe(payloads[1]?.key);
});

test('a join whose answer was lost is sent again under the same key until it is answered', async () => {
  const cluster = new FakeCluster();
  const session = join('http://one', { room: 'blue', connect: cluster.connect });
  const first = await cluster.opened(1);
  first.lose();
  const second = await cluster.opened(2);
  second.refuse('join', 'unavailable', 500);
  await passMs(1_000);
  second.silence('join'); // Another connection may bring an answer.
  const third = await cluster.opened(3);
  expect(second.isClosed).toBe(true);
  third.admit('wei', 7);
  await session.joined;
  const joins = cluster.connections.flatMap((connection) => connection.sent('join'));
  expect(joins).toHaveLength(4);
  expect(new Set(joins.map(({ payload }) => payload.key)).size).toBe(1);
  expect(joins.every(({ payload }) => payload.id === 1)).toBe(true);
});

test('an event at or below the newest seq is dropped: each is heard once', async () => {
  const { session, connection, heard } = await joined();
  connection.say(7, 'before the join');
  connection.say(9, 'first');
  connection.say(9, 'again');
  connection.hear('message', { from: 'ana' as PeerId, topic: 'x', data: 'ephemeral' });
  connection.say(12, 'after a gap');
  expect(heard).toEqual(['first', 'ephemeral', 'after a gap']);
  expect(session.seq).toBe(12);
});

test("a request's reply says nothing about what was received", async () => {
  const { session, connection } = await joined();
  const sent = session.message('x', 'mine');
  connection.last('message').answer({ ok: true, reply: { seq: 30 } });
  expect(await sent).toEqual({ seq: 30 });
  expect(session.seq).toBe(7);
});

test('the roster follows who comes, changes and goes', async () => {
  const { session, connection } = await joined();
  connection.hear('peer_joined', { seq: 8, peer: peer('max', 8) });
  connection.hear('peer_updated', { seq: 9, peer: { ...peer('ana', 3), connected: false } });
  connection.hear('peer_updated', { seq: 10, peer: { ...peer('wei', 7), name: 'Wei Li' } });
  expect([...session.peers.values()].map(({ id, connected }) => [id, connected])).toEqual([
    ['ana', false],
    ['max', true],
  ]);
  expect(session.self?.name).toBe('Wei Li');
  connection.hear('peer_left', { seq: 11, peer: 'ana' as PeerId, reason: 'left' });
  expect([...session.peers.keys()]).toEqual(['max']);
});

test('the room is as its last change left it', async () => {
  const { session, connection } = await joined();
  const room = { name: 'blue', home: 'main', locked: true, peers_max: 100 };
  const changes: unknown[] = [];
  session.on('room_updated', (event) => changes.push([event, session.room]));
  connection.hear('room_updated', { seq: 8, room });
  expect(changes).toEqual([[{ seq: 8, room }, room]]);
});

test("an operator's words are heard once, also where two connections bring them", async () => {
  const { session, cluster, connection } = await joined();
  const texts: string[] = [];
  session.on('announcement', ({ text }) => texts.push(text));
  const announce = (to: typeof connection, id: string) =>
    to.hear('announcement', { id, level: 'info', text: id });
  announce(connection, 'maintenance');
  connection.hear('go_away', { reason: 'drain', reconnect_after_ms: 0, deadline_ms: 5_000 });
  const next = await cluster.opened(2);
  announce(next, 'maintenance');
  announce(next, 'and another');
  next.resume();
  expect(texts).toEqual(['maintenance', 'and another']);
});

test('an order is a request like any other: its answer is for whoever gave it', async () => {
  const { session, connection } = await joined();
  const ana = 'ana' as PeerId;
  const mute = session.moderate({ action: 'mute', peer: ana, kinds: ['audio'] });
  expect(connection.last('moderate').payload).toEqual({
    id: 2,
    action: 'mute',
    peer: 'ana',
    kinds: ['audio'],
  });
  connection.last('moderate').answer({ ok: true, reply: { seq: 8 } });
  expect(await mute).toEqual({ seq: 8 });
  const kick = session.moderate({ action: 'kick', peer: ana });
  connection.refuse('moderate', 'forbidden');
  await expect(kick).rejects.toMatchObject({ code: 'forbidden' });
});

test.each(['media_forbidden', 'forbidden'] as const)(
  'a message refused as %s is told as that',
  async (code) => {
    const { session, connection } = await joined();
    const sent = session.message('x', 1);
    connection.refuse('message', code);
    await expect(sent).rejects.toMatchObject({ code });
  },
);

test.each(['banned', 'room_locked', 'forbidden', 'unauthorized'] as const)(
  'a join refused as %s closes the session with that reason, and is not tried again',
  async (code) => {
    const cluster = new FakeCluster();
    const session = join('http://one', { room: 'blue', connect: cluster.connect });
    (await cluster.opened(1)).refuse('join', code);
    await expect(session.joined).rejects.toMatchObject({ code });
    expect(session.state).toMatchObject({ phase: 'closed', reason: code, error: { code } });
    await passMs(60_000);
    expect(cluster.tries).toHaveLength(1);
  },
);

test('who is sent out in the middle of a move hears the reason, and does not join anew', async () => {
  const { cluster, session, connection } = await joined();
  connection.hear('go_away', { reason: 'drain', reconnect_after_ms: 0, deadline_ms: 5_000 });
  const next = await cluster.opened(2);
  connection.hear('removed', { reason: 'kicked', by: 'ana' as PeerId });
  next.refuse('resume', 'session_expired');
  expect(session.state).toMatchObject({ phase: 'closed', reason: 'kicked', by: 'ana' });
  await passMs(60_000);
  expect([next.isClosed, next.sent('join'), cluster.tries.length]).toEqual([true, [], 2]);
});

test('a resync replaces roster, seq and epoch, even by a lower seq', async () => {
  const { session, connection } = await joined();
  connection.hear('resync', { complete: true, ...snapshot('wei', 4, [peer('max', 1)], 2) });
  expect([...session.peers.keys(), session.seq, session.epoch]).toEqual(['max', 4, 2]);
});

test('a node that refuses for now is asked again after the time it named, and one that refuses for good is not', async () => {
  const cluster = new FakeCluster();
  cluster.refusals.push(new SignalingError('node_full', undefined, 2_000));
  const session = join('http://one', { room: 'blue', connect: cluster.connect, random: () => 0 });
  await passMs(1_999);
  expect([session.state.phase, cluster.connections.length]).toEqual(['connecting', 0]);
  await passMs(1);
  expect(cluster.connections).toHaveLength(1);

  const strict = new FakeCluster();
  strict.refusals.push(new SignalingError('origin_forbidden'));
  const refused = join('http://one', { room: 'blue', connect: strict.connect });
  await expect(refused.joined).rejects.toMatchObject({ code: 'origin_forbidden' });
  expect(refused.state).toMatchObject({ phase: 'closed', reason: 'origin_forbidden' });
});

test('a join that is refused for good closes the session and its connection', async () => {
  const cluster = new FakeCluster();
  const session = join('http://one', { room: 'blue', connect: cluster.connect });
  const connection = await cluster.opened(1);
  connection.refuse('join', 'room_full');
  await expect(session.joined).rejects.toMatchObject({ code: 'room_full' });
  expect(connection.isClosed).toBe(true);
});

test.each([
  ['replaced', 'session_replaced', 'session_replaced'],
  ['kicked', 'kicked', 'session_expired'],
  ['banned', 'banned', 'banned'],
  ['closed', 'closed', 'session_expired'],
  ['token_expired', 'token_expired', 'unauthorized'],
] as const)('a session that a node ends as %s is closed, and says so', async (reason, told, code) => {
  const { cluster, session, connection, states } = await joined();
  const removals: unknown[] = [];
  session.on('removed', (event) => removals.push(event));
  const request = session.message('x', 1);
  connection.hear('removed', { reason, by: 'ana' as PeerId });
  connection.lose();
  expect(removals).toEqual([{ reason, by: 'ana' }]);
  expect(states).toMatchObject([{ phase: 'closed', reason: told, error: { code }, by: 'ana' }]);
  await expect(request).rejects.toMatchObject({ code });
  await passMs(60_000);
  expect(cluster.tries).toHaveLength(1);
});

test('leaving tells the node, and nothing is tried again afterwards', async () => {
  const { cluster, session, connection } = await joined();
  const left = session.leave();
  expect(session.state).toEqual({ phase: 'closed', reason: 'left' });
  expect(connection.last('leave').payload).toEqual({ id: 2 });
  connection.last('leave').answer({ ok: true, reply: {} });
  await left;
  expect(connection.isClosed).toBe(true);
  await passMs(60_000);
  expect(cluster.tries).toHaveLength(1);
});

test('who leaves while the connection is lost is resumed once more, only to say so', async () => {
  const { cluster, session, connection, heard } = await joined();
  connection.lose();
  const left = session.leave();
  const next = await cluster.opened(2);
  next.resume(1);
  next.say(8, 'too late');
  next.last('leave').answer({ ok: true, reply: {} });
  await left;
  expect([next.isClosed, heard, session.state.phase]).toEqual([true, [], 'closed']);
});

test('who leaves a session that has expired is not joined anew', async () => {
  const { cluster, session, connection } = await joined();
  connection.lose();
  const left = session.leave();
  const next = await cluster.opened(2);
  next.refuse('resume', 'session_expired');
  await left;
  expect([next.isClosed, next.requests.map(({ name }) => name)]).toEqual([true, ['resume']]);
});

test('who leaves while no node answers is gone within a second', async () => {
  const { cluster, session, connection } = await joined();
  cluster.down.add('http://one');
  connection.lose();
  const left = session.leave();
  await passMs(1_000);
  await left;
  const { length } = cluster.tries;
  await passMs(60_000);
  expect(cluster.tries).toHaveLength(length);
});
