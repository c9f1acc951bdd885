import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { type Resumed, SignalingError, type WireLine } from '../../../services/client/index.ts';
import { type FakeSignaling, joined, passMs } from './fake-cluster.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ENDPOINTS = ['http://one', 'http://two'];

function sendAway(connection: FakeSignaling, text?: string): void {
  const times = { reconnect_after_ms: 300, deadline_ms: 10_000 };
  connection.hear('go_away', { reason: 'drain', ...times, ...(text === undefined ? {} : { text }) });
}

/** A session whose node has sent it away, at the moment when it has sent its resume elsewhere. */
async function moving(endpoints: string | string[] = ENDPOINTS) {
  const scene = await joined({ endpoints });
  sendAway(scene.connection);
  await passMs(300);
  const next = await scene.cluster.opened(2);
  return { ...scene, next };
}

test('a node that sends its clients away is left only when another one has taken the session over', async () => {
  const { cluster, session, connection, states, heard } = await joined({ endpoints: ENDPOINTS });
  const [notices, resumed]: [unknown[], Resumed[]] = [[], []];
  session.on('go_away', (event) => notices.push(event));
  session.on('resumed', (event) => resumed.push(event));
  sendAway(connection, 'A new version comes.');
  expect(notices).toMatchObject([{ text: 'A new version comes.' }]);
  await passMs(299);
  expect(cluster.tries).toHaveLength(1);
  connection.say(8, 'before the resume');

  const next = await cluster.opened(2);
  expect(next.endpoint).toBe('http://two');
  expect(next.last('resume').payload).toMatchObject({ seq: 8, attempt: 1 });
  connection.say(9, 'on the old one');
  await passMs(40);
  expect([connection.isClosed, heard]).toEqual([false, ['before the resume']]);

  next.resume(1);
  next.say(9, 'on the new one');
  expect(connection.isClosed).toBe(true);
  expect(heard).toEqual(['before the resume', 'on the new one']);
  expect(states).toEqual([]); // Connected all the time.
  expect(resumed).toEqual([{ recovered: true, missed: 1, gapMs: expect.closeTo(40, -1) }]);
});

test('a request in flight is answered on the new connection, under its id', async () => {
  const { session, connection, next } = await moving();
  // In flight at the old node, and made while the resume is under way.
  const requests = [session.message('x', 'a')];
  expect(connection.sent('message')).toEqual([]);
  next.resume();
  requests.push(session.message('x', 'b'));
  expect(next.ids).toEqual([2, 3]);
  for (const [index, { answer }] of next.sent('message').entries())
    answer({ ok: true, reply: { seq: 8 + index } });
  expect(await Promise.all(requests)).toEqual([{ seq: 8 }, { seq: 9 }]);
});

test('what the old node still answers counts', async () => {
  const { session, connection, cluster } = await joined({ endpoints: ENDPOINTS });
  const request = session.message('x', 'a');
  sendAway(connection);
  const next = await cluster.opened(2);
  connection.last('message').answer({ ok: true, reply: { seq: 8 } });
  await expect(request).resolves.toEqual({ seq: 8 });
  next.resume();
  expect(next.ids).toEqual([]);
});

test('an unavailable resume keeps the old connection, with all that it said meanwhile, and is tried again', async () => {
  const { connection, next, states, heard, session } = await moving();
  const request = session.message('x', 'mine');
  connection.say(8, 'while the resume was out');
  next.refuse('resume', 'unavailable', 1_000);
  expect(heard).toEqual(['while the resume was out']);
  connection.say(9, 'after it');
  expect(connection.ids).toEqual([1, 2]);
  connection.last('message').answer({ ok: true, reply: { seq: 10 } });
  await request;

  await passMs(1_500);
  expect(next.last('resume').payload).toMatchObject({ seq: 9, attempt: 2 });
  next.resume();
  expect([connection.isClosed, states, heard.length]).toEqual([true, [], 2]);
});

test('a resume that finds no answer before its connection is lost keeps the old one, too', async () => {
  const { cluster, connection, next, states, heard } = await moving();
  connection.say(8, 'while the resume was out');
  next.lose();
  expect(heard).toEqual(['while the resume was out']);
  (await cluster.opened(3)).resume();
  expect([connection.isClosed, states]).toEqual([true, []]);
});

test('the end of the old connection, by our own resume whose answer was lost, is no end of the session', async () => {
  const { cluster, session, connection, next } = await moving();
  connection.hear('removed', { reason: 'replaced' });
  connection.lose();
  expect(session.state.phase).toBe('connected'); // The answer may be on its way.
  next.lose();
  expect(session.state.phase).toBe('reconnecting');
  (await cluster.opened(3)).resume();
  expect(session.state.phase).toBe('connected');
});

test('the old connection may end before the answer on the new one comes: nobody notices', async () => {
  const { connection, next, states, heard } = await moving();
  connection.say(8, 'said to the old one');
  connection.hear('removed', { reason: 'replaced' });
  connection.lose();
  next.resume(1);
  next.say(8, 'said to the old one');
  expect(states).toEqual([]);
  expect(heard).toEqual(['said to the old one']);
});

test('after a move, `replaced` on the connection that is left is final', async () => {
  const { session, next } = await moving();
  next.resume();
  next.hear('removed', { reason: 'replaced' });
  expect(session.state).toMatchObject({ phase: 'closed', reason: 'session_replaced' });
});

test('a refused handshake leads to another endpoint, or back after the time that was named', async () => {
  const { cluster, connection, states } = await joined({ endpoints: ENDPOINTS });
  sendAway(connection);
  cluster.refusals.push(
    new SignalingError('node_full', undefined, 2_000),
    new SignalingError('draining', undefined, 1_000),
  );
  const next = await cluster.opened(2);
  expect(cluster.tries.map(({ endpoint }) => endpoint)).toEqual([
    'http://one',
    'http://two',
    'http://one',
    'http://one',
  ]);
  const [, , refusedAtMs, letInAtMs] = cluster.tries.map(({ atMs }) => atMs);
  expect((letInAtMs ?? 0) - (refusedAtMs ?? 0)).toBeGreaterThanOrEqual(1_000);
  next.resume();
  expect([states, connection.isClosed]).toEqual([[], true]);
});

test('being sent out of the room in the middle of a move ends it', async () => {
  const { cluster, session, connection, next } = await moving();
  connection.hear('removed', { reason: 'kicked' });
  next.lose();
  expect(session.state).toMatchObject({ phase: 'closed', reason: 'kicked' });
  await passMs(60_000);
  expect(cluster.tries).toHaveLength(2);
});

test('with one endpoint, which may be many nodes, the new connection goes to the same', async () => {
  const { next, states } = await moving('http://one');
  next.resume();
  expect([next.endpoint, states]).toEqual(['http://one', []]);
});

test('a connection that is lost before its time to go is made up for at once', async () => {
  const { cluster, connection } = await joined({ endpoints: ENDPOINTS });
  sendAway(connection);
  connection.lose();
  await passMs(50);
  expect(cluster.newest.endpoint).toBe('http://two');
  cluster.newest.resume();
  await passMs(10_000);
  expect(cluster.tries).toHaveLength(2);
});

test('a move that is refused for good leaves the session where it is, until its node closes', async () => {
  const { cluster, session, connection } = await joined({ endpoints: ENDPOINTS });
  sendAway(connection);
  cluster.refusals.push(new SignalingError('unauthorized'), new SignalingError('unauthorized'));
  await passMs(5_000);
  expect([session.state.phase, cluster.tries.length]).toEqual(['connected', 2]);
  connection.lose();
  await passMs(50);
  expect(session.state).toMatchObject({ phase: 'closed', reason: 'unauthorized' });
});

test('a session that expired on the way joins anew, and leaves the old connection', async () => {
  const { session, connection, next } = await moving();
  next.refuse('resume', 'session_expired');
  expect(connection.isClosed).toBe(true);
  next.admit('wei-2', 20);
  expect([session.state.phase, session.self?.id]).toEqual(['connected', 'wei-2']);
});

test('the node that one is sent to may send one away, too', async () => {
  const { cluster, next, states } = await moving();
  sendAway(next); // Before it has answered.
  next.resume();
  const third = await cluster.opened(3);
  expect(third.endpoint).toBe('http://one');
  third.resume();
  expect([next.isClosed, states]).toEqual([true, []]);
});

test('the wire log names who is left, who takes over, and how long that took', async () => {
  const { session, connection, cluster } = await joined({ endpoints: ENDPOINTS });
  const lines: WireLine[] = [];
  session.on('wire', (line) => lines.push(line));
  sendAway(connection);
  const next = await cluster.opened(2);
  next.hear('welcome', { node: 'shanghai-1', region: 'shanghai', protocol: 1 });
  await passMs(20);
  next.resume();
  expect(lines).toMatchObject([
    { what: 'go_away', note: 'drain' },
    { what: 'resume', note: '0 missed', tookMs: expect.closeTo(20, -1) },
    { what: 'welcome', note: 'shanghai-1' },
  ]);
  expect(session.welcome?.node).toBe('shanghai-1');
});
