import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { join, SignalingError } from '../../../services/client/index.ts';
import { FakeCluster, joined, passMs, passUntil } from './fake-cluster.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('several endpoints', () => {
  const endpoints = ['http://one', 'http://two', 'http://three'];

  test('are asked in turn, one right after the other, and from then on the one that answered', async () => {
    const { cluster, connection } = await joined({ endpoints });
    cluster.down.add('http://one').add('http://two');
    connection.lose();
    await passMs(150);
    expect(cluster.tries.map(({ endpoint }) => endpoint)).toEqual([
      'http://one',
      'http://one', // A lost connection alone says nothing against its node.
      'http://two',
      'http://three',
    ]);
    cluster.newest.resume();
    cluster.newest.lose();
    await passMs(50);
    expect(cluster.newest.endpoint).toBe('http://three');
  });

  test('are all asked before anyone waits longer, and then less and less often', async () => {
    const cluster = new FakeCluster();
    for (const endpoint of endpoints) cluster.down.add(endpoint);
    void join(endpoints, { room: 'blue', connect: cluster.connect, random: () => 1 });
    await passMs(120_000);
    const delays = cluster.tries.map(({ atMs }, index) => atMs - (cluster.tries[index - 1]?.atMs ?? atMs));
    const [none, ...rest] = delays.map(Math.round);
    expect([none, ...rest.slice(0, 8)]).toEqual([0, 50, 50, 250, 250, 250, 500, 500, 500]);
    expect(Math.max(...rest)).toBe(5_000); // The cap, whatever chance says.
  });

  test('after a ping timeout begin with another one: a node that hangs still takes connections', async () => {
    const { cluster, connection } = await joined({ endpoints });
    connection.lose('ping timeout');
    await passMs(50);
    expect(cluster.newest.endpoint).toBe('http://two');
  });

  test('are left alone for as long as each says', async () => {
    const cluster = new FakeCluster();
    cluster.refusals.push(
      new SignalingError('node_full', undefined, 3_000),
      new SignalingError('draining', undefined, 1_000),
      new SignalingError('rate_limited', undefined, 2_000),
    );
    void join(endpoints, { room: 'blue', connect: cluster.connect, random: () => 0 });
    await passMs(999);
    expect(cluster.tries).toHaveLength(3);
    await passMs(1);
    expect(cluster.newest.endpoint).toBe('http://two');
  });

  test('an empty list is a mistake', () => {
    expect(() => join([], { room: 'blue' })).toThrow(TypeError);
  });
});

test('tries are spread over the whole of a wait that doubles up to five seconds', async () => {
  const cluster = new FakeCluster();
  cluster.down.add('http://one');
  const chances = [0.1, 0.9, 0.5, 0.5, 0.5, 0.5, 1];
  void join('http://one', { room: 'blue', connect: cluster.connect, random: () => chances.shift() ?? 1 });
  await passMs(30_000);
  const delays = cluster.tries
    .slice(1, 9)
    .map(({ atMs }, index) => Math.round(atMs - (cluster.tries[index]?.atMs ?? 0)));
  expect(delays).toEqual([25, 450, 500, 1_000, 2_000, 2_500, 5_000, 5_000]);
});

test('a node that takes the session only to drop it is not stormed', async () => {
  const { cluster } = await joined();
  for (let count = 2; count < 12; count++) {
    cluster.newest.lose();
    (await cluster.opened(count)).resume();
  }
  const { atMs } = cluster.tries[0] ?? { atMs: 0 };
  expect(performance.now() - atMs).toBeGreaterThan(8_000);
  await passMs(2_000);
  cluster.newest.lose();
  await passMs(50);
  expect(cluster.tries).toHaveLength(12); // That one lasted.
});

test('a token is asked for anew at each connection, and may take its time or fail for once', async () => {
  const tokens = ['first', 'second', undefined, 'third'];
  const token = vi.fn(async () => {
    const next = tokens.shift();
    if (next === undefined) throw new Error('the issuer is out of reach');
    return next;
  });
  const { cluster, connection } = await joined({ token });
  connection.lose();
  (await cluster.opened(2)).lose();
  await cluster.opened(3);
  expect(cluster.connections.map(({ options }) => options.token)).toEqual(['first', 'second', 'third']);
  expect(token).toHaveBeenCalledTimes(4);

  const plain = await joined({ token: 'always' });
  expect(plain.connection.options.token).toBe('always');
});

describe('a wait ends early', () => {
  /** A page whose session waits for its next try, seconds away. */
  async function waiting() {
    const window = new EventTarget();
    const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
    vi.stubGlobal('window', window);
    vi.stubGlobal('document', document);
    const scene = await joined({ random: () => 1 });
    scene.cluster.down.add('http://one');
    scene.connection.lose();
    await passUntil(() => scene.cluster.tries.length === 9);
    const { length } = scene.cluster.tries;
    scene.cluster.down.clear();
    return { ...scene, window, document, triesAfter: () => scene.cluster.tries.length - length };
  }

  test('when the network is back', async () => {
    const { window, triesAfter } = await waiting();
    await passMs(100);
    expect(triesAfter()).toBe(0);
    window.dispatchEvent(new Event('online'));
    await passMs(0);
    expect(triesAfter()).toBe(1);
  });

  test('when the page is looked at again, not when it is hidden', async () => {
    const { document, triesAfter } = await waiting();
    document.dispatchEvent(new Event('visibilitychange'));
    await passMs(0);
    expect(triesAfter()).toBe(0);
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    await passMs(0);
    expect(triesAfter()).toBe(1);
  });

  test('but not before the time that a node named', async () => {
    const window = new EventTarget();
    vi.stubGlobal('window', window);
    const { cluster, connection } = await joined();
    cluster.refusals.push(new SignalingError('node_full', undefined, 4_000));
    connection.lose();
    await passMs(1_000);
    window.dispatchEvent(new Event('online'));
    await passMs(2_900);
    expect(cluster.tries).toHaveLength(2);
    await passMs(2_100);
    expect(cluster.tries).toHaveLength(3);
  });

  test('and nobody listens to the page any more when the session is over', async () => {
    const window = new EventTarget();
    vi.stubGlobal('window', window);
    const removed = vi.spyOn(window, 'removeEventListener');
    const { session, connection } = await joined();
    const left = session.leave();
    connection.last('leave').answer({ ok: true, reply: {} });
    await left;
    expect(removed).toHaveBeenCalledWith('online', expect.any(Function));
  });
});
