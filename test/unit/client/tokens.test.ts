import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { join, SignalingError } from '../../../services/client/index.ts';
import { FakeCluster, joined, passMs, passUntil } from './fake-cluster.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

let serial = 0;

/** A token of which only the times are looked at: `lifeS` from now, by the issuer's clock. */
function tokenFor(lifeS: number, claims: object = {}, clockS = 0): string {
  const iat = Math.floor(Date.now() / 1_000) + clockS;
  const payload = { sub: '魏', iat, exp: iat + lifeS, serial: serial++, ...claims };
  return `h.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.s`;
}

describe('a token that is about to run out', () => {
  test('is replaced by a fresh one a minute before, which the session brings with an update; and so on', async () => {
    const token = vi.fn(() => tokenFor(600));
    const { connection } = await joined({ token });
    await passMs(538_000);
    expect(connection.sent('update')).toEqual([]);
    await passMs(3_000);
    expect(token.mock.calls).toEqual([[{ isFresh: false }], [{ isFresh: true }]]);
    const [first, second] = token.mock.results.map(({ value }) => value);
    expect([connection.options.token, connection.last('update').payload]).toEqual([
      first,
      { id: 2, token: second },
    ]);
    connection.last('update').answer({ ok: true, reply: { peer: {} as never } });
    await passMs(545_000);
    expect(connection.sent('update')).toHaveLength(2);
  });

  test('which lives for seconds alone is replaced in the last quarter of its life', async () => {
    const { connection } = await joined({ token: () => tokenFor(20) });
    await passMs(14_000);
    expect(connection.sent('update')).toHaveLength(0);
    await passMs(1_500);
    expect(connection.sent('update')).toHaveLength(1);
  });

  test('is asked for again while the issuer is silent or repeats itself, less and less often', async () => {
    const first = tokenFor(100);
    const answers: unknown[] = [first, new Error('out of reach'), first];
    const token = vi.fn(async () => {
      const next = answers.shift() ?? tokenFor(100);
      if (next instanceof Error) throw next;
      return next as string;
    });
    const { connection } = await joined({ token });
    await passMs(75_100);
    expect([token.mock.calls.length, connection.sent('update').length]).toEqual([2, 0]);
    await passMs(800);
    expect([token.mock.calls.length, connection.sent('update').length]).toEqual([3, 0]);
    await passMs(1_500);
    expect([token.mock.calls.length, connection.sent('update').length]).toEqual([4, 1]);
  });

  test('is brought again after a node has refused the fresh one', async () => {
    const { connection, session } = await joined({ token: () => tokenFor(100) });
    await passMs(80_000);
    connection.refuse('update', 'unauthorized');
    await passMs(20_000);
    expect(connection.sent('update')).toHaveLength(2);
    expect(session.state.phase).toBe('connected');
  });

  test('is judged by how long it was made for, where the clock here is wrong by hours', async () => {
    for (const clockS of [-7_200, 7_200]) {
      const { connection } = await joined({ token: () => tokenFor(600, {}, clockS) });
      await passMs(500_000);
      expect(connection.sent('update')).toHaveLength(0);
      await passMs(45_000);
      expect(connection.sent('update')).toHaveLength(1);
    }
  });

  test('of a month or without an end is left alone, and so is what is no JWT', async () => {
    for (const token of [tokenFor(2_592_000), tokenFor(0, { exp: undefined }), 'opaque', 'a.b.c']) {
      const ask = vi.fn(() => token);
      await joined({ token: ask });
      // A timer that is told more than 24.8 days would end at once.
      await passMs(600_000);
      expect(ask).toHaveBeenCalledTimes(1);
    }
  });

  test('of a session that was left is no concern any more', async () => {
    const token = vi.fn(() => tokenFor(100));
    const { session } = await joined({ token });
    const left = session.leave();
    await passMs(200_000);
    await left;
    expect(token).toHaveBeenCalledTimes(1);
  });
});

test('a token that is plain text is used as it is, until the application brings another one', async () => {
  const { cluster, session, connection } = await joined({ token: tokenFor(10) });
  await passMs(60_000);
  expect(connection.sent('update')).toEqual([]);
  void session.update({ token: 'fresh' }).catch(() => {});
  expect(connection.last('update').payload).toEqual({ id: 2, token: 'fresh' });
  connection.lose();
  expect((await cluster.opened(2)).options.token).toBe('fresh');
});

describe('a node that refuses the token', () => {
  test('is brought a fresh one, once', async () => {
    const cluster = new FakeCluster();
    cluster.refusals.push(new SignalingError('unauthorized'));
    const token = vi.fn(({ isFresh }: { isFresh: boolean }) => (isFresh ? 'fresh' : 'cached'));
    const session = join('http://one', { room: 'blue', token, connect: cluster.connect });
    (await cluster.opened(1)).admit('wei', 7);
    await session.joined;
    expect(cluster.newest.options.token).toBe('fresh');

    // A later refusal is another matter.
    cluster.newest.lose();
    const next = await cluster.opened(2);
    next.refuse('resume', 'unauthorized');
    (await cluster.opened(3)).resume();
    expect([cluster.newest.options.token, session.state.phase]).toEqual(['fresh', 'connected']);
  });

  test.each([
    ['twice', () => 'any'],
    ['that is plain text', 'any'],
  ])('%s ends the session', async (_, token) => {
    const cluster = new FakeCluster();
    cluster.refusals.push(new SignalingError('unauthorized'), new SignalingError('unauthorized'));
    const session = join('http://one', { room: 'blue', token, connect: cluster.connect });
    await passUntil(() => session.state.phase === 'closed');
    expect(session.state).toMatchObject({ reason: 'unauthorized', error: { code: 'unauthorized' } });
    await passMs(60_000);
    expect(cluster.tries).toHaveLength(typeof token === 'string' ? 1 : 2);
  });
});

describe('a token function that never answers', () => {
  test('holds up a join for its time alone: it counts as failed, and is called again', async () => {
    const cluster = new FakeCluster();
    const token = vi.fn<() => Promise<string>>(() => new Promise(() => {}));
    const { connect } = cluster;
    const session = join('http://one', {
      room: 'blue',
      connect,
      random: () => 0.5,
      token,
      tokenTimeoutMs: 3_000,
    });
    await passMs(3_001);
    expect(session.state).toMatchObject({ phase: 'connecting', error: { code: 'unavailable' } });
    token.mockImplementation(async () => 'pass');
    const connection = await cluster.opened(1);
    expect(connection.options.token).toBe('pass');
  });

  test('is called again before the token runs out', async () => {
    const answers: (() => Promise<string>)[] = [async () => tokenFor(100), () => new Promise(() => {})];
    const token = vi.fn(() => (answers.shift() ?? (async () => tokenFor(100)))());
    const { connection } = await joined({ token });
    await passMs(99_000);
    expect(token.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(connection.sent('update')).toHaveLength(1);
  });
});
