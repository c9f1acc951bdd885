import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { Resumed, WireLine } from '../../../services/client/index.ts';
import { joined, passMs, passUntil, peer, snapshot } from './fake-cluster.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a lost connection', () => {
  test('is followed by another one within tens of milliseconds, on which the session is resumed from its seq', async () => {
    const { cluster, session, connection, states } = await joined();
    connection.say(9, 'heard');
    connection.lose();
    expect(states).toMatchObject([{ phase: 'reconnecting', error: { code: 'unavailable' } }]);
    await passMs(50);
    expect(cluster.newest.requests).toMatchObject([
      { name: 'resume', payload: { resume_token: 'token of wei', seq: 9, epoch: 1, attempt: 1 } },
    ]);
    cluster.newest.resume();
    expect([session.state.phase, session.self?.id, session.peers.size]).toEqual(['connected', 'wei', 1]);
  });

  test('costs no event and doubles none: what was missed follows the reply, then what is new', async () => {
    const { cluster, session, connection, heard } = await joined();
    const resumed: Resumed[] = [];
    session.on('resumed', (event) => resumed.push(event));
    connection.say(8, 'before');
    connection.lose();
    await passMs(200);
    const next = await cluster.opened(2);
    next.resume(2);
    next.say(8, 'before');
    next.say(9, 'missed');
    next.say(11, 'missed too');
    next.say(12, 'live');
    expect(heard).toEqual(['before', 'missed', 'missed too', 'live']);
    expect(resumed).toEqual([{ recovered: true, missed: 2, gapMs: expect.closeTo(200, -1) }]);
  });

  test('is made up for in order, though its node did more than it said: what comes before the reply comes again', async () => {
    const { cluster, connection, heard } = await joined();
    connection.lose();
    const next = await cluster.opened(2);
    next.refuse('resume', 'unavailable', 100); // But it was done.
    await passMs(150);
    next.say(9, 'live, of the first resume');
    next.resume(2);
    next.say(8, 'missed');
    next.say(9, 'live, of the first resume');
    expect(heard).toEqual(['missed', 'live, of the first resume']);
  });

  test('rises in `attempt` with every resume, whatever became of the one before', async () => {
    const { cluster, connection } = await joined();
    connection.lose();
    (await cluster.opened(2)).lose();
    (await cluster.opened(3)).refuse('resume', 'unavailable', 100);
    await passMs(200);
    cluster.newest.resume();
    cluster.newest.lose();
    await cluster.opened(4);
    const attempts = cluster.connections.flatMap((each) => each.sent('resume'));
    expect(attempts.map(({ payload }) => payload.attempt)).toEqual([1, 2, 3, 4]);
  });

  test('delays requests: the unanswered are sent again with their ids, in order, before those made meanwhile', async () => {
    const { cluster, session, connection } = await joined();
    const early = [session.message('x', 'a'), session.message('x', 'b'), session.message('x', 'c')];
    connection.requests[2]?.answer({ ok: true, reply: { seq: 8 } }); // b: the join was first.
    connection.lose();
    const late = session.update({ metadata: { camera: false } });
    const next = await cluster.opened(2);
    session.on('resumed', () => void session.message('x', 'last').catch(() => {}));
    next.resume();
    expect(next.requests.slice(1).map(({ payload }) => [payload.id, payload.data])).toEqual([
      [2, 'a'],
      [4, 'c'],
      [5, undefined],
      [6, 'last'],
    ]);
    next.requests[1]?.answer({ ok: true, reply: { seq: 9 } });
    next.requests[2]?.answer({ ok: true, reply: { seq: 10 } });
    next.requests[3]?.answer({ ok: true, reply: { peer: peer('wei', 7) } });
    expect(await Promise.all([...early, late])).toMatchObject([
      { seq: 9 },
      { seq: 8 },
      { seq: 10 },
      { id: 'wei' },
    ]);
  });

  test('is shown in the wire log: that it was lost and why, and how long its resume took', async () => {
    const { cluster, session, connection } = await joined();
    const lines: WireLine[] = [];
    session.on('wire', (line) => lines.push(line));
    cluster.down.add('http://one');
    connection.lose('ping timeout');
    await passMs(50);
    cluster.down.clear();
    const next = await cluster.opened(2);
    await passMs(30);
    next.resume(3);
    expect(lines).toMatchObject([
      { direction: 'here', what: 'connection_lost', note: 'ping timeout' },
      { direction: 'here', what: 'not_connected', note: 'unavailable' },
      { direction: 'out', what: 'resume', note: '3 missed', tookMs: expect.closeTo(30, -1) },
    ]);
  });

  test('may be lost by hand', async () => {
    const { cluster, session, states } = await joined();
    session.dropConnection();
    expect(states).toMatchObject([{ phase: 'reconnecting' }]);
    (await cluster.opened(2)).resume();
    expect(session.state.phase).toBe('connected');
  });
});

describe('a resume that does not recover everything', () => {
  test('replaces roster, seq and epoch, and keeps peer, token and ids', async () => {
    const { cluster, session, connection } = await joined();
    const resumed: Resumed[] = [];
    session.on('resumed', (event) => resumed.push(event));
    const request = session.message('x', 'mine');
    connection.lose();
    const next = await cluster.opened(2);
    next.resumeAnew('wei', 4, [peer('max', 2)], 2);
    expect(resumed).toMatchObject([{ recovered: false }]);
    expect(resumed[0]).not.toHaveProperty('missed');
    expect([...session.peers.keys(), session.seq, session.epoch, session.state.phase]).toEqual([
      'max',
      4,
      2,
      'connected',
    ]);
    expect(next.ids).toEqual([2]);
    next.last('message').answer({ ok: true, reply: { seq: 5 } });
    await request;

    next.lose();
    const third = await cluster.opened(3);
    expect(third.last('resume').payload).toMatchObject({ resume_token: 'token of wei', seq: 4, epoch: 2 });
  });

  test('may be followed by a resync, as a recovered one may', async () => {
    const { cluster, session, connection, heard } = await joined();
    connection.lose();
    const next = await cluster.opened(2);
    next.resume(1);
    next.hear('resync', { complete: true, ...snapshot('wei', 2, [peer('ana', 1)], 5) });
    next.say(3, 'of the new epoch');
    expect([session.epoch, session.seq, heard]).toEqual([5, 3, ['of the new epoch']]);
  });
});

describe('a session that has expired', () => {
  test('is left behind: the room is joined anew on that connection, as another peer, with ids from 1', async () => {
    const { cluster, session, connection, states } = await joined();
    const rejoins: boolean[] = [];
    session.on('joined', ({ isRejoin }) => rejoins.push(isRejoin));
    void session.update({ metadata: { camera: false } }).catch(() => {});
    const lost = session.message('x', 1);
    connection.lose();
    const next = await cluster.opened(2);
    next.refuse('resume', 'session_expired');
    await expect(lost).rejects.toMatchObject({ code: 'session_expired' });
    const [first, second] = [connection.last('join').payload, next.last('join').payload];
    expect(second).toMatchObject({ id: 1, metadata: { camera: false } });
    expect(second.key).not.toBe(first.key);

    const waiting = session.message('x', 2);
    expect(next.sent('message')).toEqual([]);
    next.admit('wei-2', 20);
    expect([session.self?.id, session.seq, session.peers.size, rejoins]).toEqual(['wei-2', 20, 0, [true]]);
    expect(states.map(({ phase }) => phase)).toEqual(['reconnecting', 'reconnecting', 'connected']);
    expect(next.ids).toEqual([1, 2]);
    next.last('message').answer({ ok: true, reply: { seq: 21 } });
    await expect(waiting).resolves.toEqual({ seq: 21 });

    next.lose();
    expect((await cluster.opened(3)).last('resume').payload).toMatchObject({
      resume_token: 'token of wei-2',
    });
  });

  test('is joined anew though the answer to the join was lost, under one key', async () => {
    const { cluster, session, connection } = await joined();
    connection.lose();
    const next = await cluster.opened(2);
    next.refuse('resume', 'session_expired');
    next.lose();
    const third = await cluster.opened(3);
    expect(third.requests.map(({ name }) => name)).toEqual(['join']);
    expect(third.last('join').payload.key).toBe(next.last('join').payload.key);
    third.admit('wei-2', 20);
    expect(session.state.phase).toBe('connected');
  });

  test('is closed where the room does not take one in again', async () => {
    const { cluster, session, connection } = await joined();
    connection.lose();
    const next = await cluster.opened(2);
    next.refuse('resume', 'session_expired');
    next.refuse('join', 'banned');
    expect(session.state).toMatchObject({ phase: 'closed', reason: 'banned' });
    expect(next.isClosed).toBe(true);
  });
});

test('a node that does not know the session any more is left, and the request made on the next connection', async () => {
  const { cluster, session, connection } = await joined();
  const request = session.message('x', 1);
  connection.refuse('message', 'not_joined');
  expect([session.state.phase, connection.isClosed]).toEqual(['reconnecting', true]);
  const next = await cluster.opened(2);
  next.resume();
  next.last('message').answer({ ok: true, reply: { seq: 8 } });
  await expect(request).resolves.toEqual({ seq: 8 });
});

test('whoever is shown out with a request under way is told so, and does not come back by itself', async () => {
  const { cluster, session, connection } = await joined();
  const request = session.message('x', 1).catch(() => {});
  connection.refuse('message', 'session_expired');
  await request;
  connection.hear('removed', { reason: 'kicked' });
  expect(session.state).toMatchObject({ phase: 'closed', reason: 'kicked' });
  expect(cluster.connections).toHaveLength(1);
});

test('a session that is found expired by a request is joined anew', async () => {
  const { cluster, session, connection } = await joined();
  const request = session.message('x', 1);
  connection.refuse('message', 'session_expired');
  await expect(request).rejects.toMatchObject({ code: 'session_expired' });
  const next = await cluster.opened(2);
  next.refuse('resume', 'session_expired');
  next.admit('wei-2', 20);
  expect(session.self?.id).toBe('wei-2');
});

test('a resume that is refused for now is sent again on its connection after the time that the node named', async () => {
  const { cluster, session, connection, states } = await joined();
  connection.lose();
  const next = await cluster.opened(2);
  next.refuse('resume', 'unavailable', 1_000);
  expect(states.at(-1)).toMatchObject({ phase: 'reconnecting', error: { retryAfterMs: 1_000 } });
  await passMs(999);
  expect(next.sent('resume')).toHaveLength(1);
  await passMs(500);
  expect(next.sent('resume')).toHaveLength(2);
  next.resume();
  expect([session.state.phase, cluster.connections.length]).toEqual(['connected', 2]);
});

test('while Redis is away, a resume is sent again and again on its connection, less and less often', async () => {
  const { cluster, session, connection } = await joined();
  connection.lose();
  const next = await cluster.opened(2);
  for (let tries = 1; tries < 9; tries++) {
    next.refuse('resume', 'unavailable');
    await passUntil(() => next.sent('resume').length > tries);
  }
  await passMs(5_000);
  expect([next.sent('resume').length, cluster.tries.length]).toEqual([9, 2]);
  next.resume();
  expect(session.state.phase).toBe('connected');
});

test('a resume without an answer, at a node that drains, or on a used connection goes to another one', async () => {
  const { cluster, connection } = await joined();
  connection.lose();
  (await cluster.opened(2)).silence('resume');
  (await cluster.opened(3)).refuse('resume', 'draining', 500);
  (await cluster.opened(4)).refuse('resume', 'already_joined');
  await cluster.opened(5);
  expect(cluster.connections.map(({ isClosed }) => isClosed)).toEqual([true, true, true, true, false]);
});

test('a resume that is refused for good closes the session', async () => {
  const { cluster, session, connection } = await joined();
  connection.lose();
  (await cluster.opened(2)).refuse('resume', 'unauthorized');
  expect(session.state).toMatchObject({ phase: 'closed', reason: 'unauthorized' });
  await passMs(60_000);
  expect(cluster.tries).toHaveLength(2);
});
