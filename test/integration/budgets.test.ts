import { once } from 'node:events';
import { get } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Acknowledgement, addressBudget, CONNECTION_BUDGET, type JoinReply } from '@fenghuo/protocol';
import { Redis } from 'ioredis';
import { SignJWT } from 'jose';
import { afterEach, describe, expect, inject, test } from 'vitest';
import type { EntryLimits } from '../../services/signaling/backplane/entry-limits.ts';
import type { Client } from '../../services/signaling/backplane/redis/connect.ts';
import { redisEntryLimits } from '../../services/signaling/backplane/redis/entry-limits.ts';
import { redisKeys } from '../../services/signaling/backplane/redis/keys.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient, refusedHandshake } from '../support/plain-client.ts';
import { RawClient } from '../support/raw-client.ts';

let cluster: TestCluster | undefined;
const closers: (() => void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await cluster?.stop();
  cluster = undefined;
});

const SECRET = 's'.repeat(32);

function tokenOf(sub: string): Promise<string> {
  const token = new SignJWT({ sub }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h');
  return token.sign(Buffer.from(SECRET));
}

async function openNode(settings: Record<string, string> = {}) {
  cluster = await startCluster({ backplane: 'memory', nodes: 1, settings });
  const [node] = cluster.nodes;
  const person = async (from?: string, sub?: string): Promise<PlainClient> => {
    const client = await connect(node.url, {
      ...(from === undefined ? {} : { headers: { 'x-forwarded-for': from } }),
      ...(sub === undefined ? {} : { auth: { token: await tokenOf(sub) } }),
    });
    closers.push(() => client.close());
    return client;
  };
  return { ...node, person };
}

const { requests, entries, refusals, log_bytes: logBytes } = CONNECTION_BUDGET;
const LARGE = 60_000;

/** Sends large messages until one is refused, and that one again until it is taken. How many were taken, and the refusal. */
async function writeAll(client: PlainClient, upTo = 100) {
  const members = { topic: 'load', data: 'x'.repeat(LARGE) };
  for (let taken = 0; taken < upTo; taken++) {
    const reply = await client.request('message', members);
    if (reply.ok) continue;
    const again = () => client.again('message', members);
    await eventually(async () => (await again()).ok, {
      everyMs: 500,
      timeoutMs: 10_000,
      what: 'it is taken later',
    });
    return { taken, error: reply.error };
  }
  throw new Error('nothing was refused');
}

describe('a connection', () => {
  test('may send a burst of requests; one past it is told when, and goes then', async () => {
    const { person } = await openNode();
    const ann = await person();
    await ann.join('blue');
    const cursor = () => ann.ask('message', { topic: 'cursor', data: 1, ephemeral: true });
    let taken = 0;
    let refusal: Acknowledgement<object> | undefined;
    while (refusal === undefined && taken < 2 * requests.burst) {
      const replies = await Promise.all(Array.from({ length: 100 }, cursor));
      taken += replies.filter(({ ok }) => ok).length;
      refusal = replies.find(({ ok }) => !ok);
    }
    // The join was the first of them.
    expect(taken).toBeGreaterThanOrEqual(requests.burst - 1);
    expect(refusal).toMatchObject({ error: { code: 'rate_limited', retry_after_ms: expect.any(Number) } });
    await eventually(async () => (await cursor()).ok, { what: 'a request goes after the wait' });
  });

  test('has one budget for the log, whatever sessions it has: leaving and joining again brings no other', async () => {
    const { person } = await openNode();
    const ann = await person();
    await ann.join('blue');
    const { taken, error } = await writeAll(ann);
    expect(taken).toBeGreaterThanOrEqual(Math.floor(logBytes.burst / (LARGE + 500)));
    expect(error.code).toBe('rate_limited');
    await ann.request('leave');
    await ann.join('blue');
    expect((await writeAll(ann)).taken).toBeLessThanOrEqual(2);
  });

  test(`may join ${entries.burst} times at once; one past it is told when, and may then`, async () => {
    const { person } = await openNode();
    const ann = await person();
    const sinceMs = performance.now();
    let joins = 0;
    let past = await ann.ask('join', { id: 1, room: 'blue' });
    for (; past.ok; past = await ann.ask('join', { id: 1, room: 'blue' })) {
      joins += 1;
      expect(await ann.ask('leave', { id: 2 })).toEqual({ ok: true });
    }
    const seconds = (performance.now() - sinceMs) / 1_000;
    expect(joins).toBeGreaterThanOrEqual(entries.burst);
    expect(joins).toBeLessThanOrEqual(entries.burst + seconds * entries.perSecond);
    expect(past.error).toMatchObject({ code: 'rate_limited', retry_after_ms: expect.any(Number) });
    expect(past.error.retry_after_ms).toBeLessThanOrEqual(1_000 / entries.perSecond);
    await sleep(past.error.retry_after_ms ?? 0);
    expect(await ann.ask('join', { id: 1, room: 'blue' })).toMatchObject({ ok: true });
  });

  test.each([
    ['an unknown request', '421["unheard-of",{}]'],
    ['a request that does not match the protocol', '421["signal",{"id":"x"}]'],
    ['a request without a room', '421["leave",{"id":2}]'],
    ['a payload that is too large', `421["message",{"data":"${'x'.repeat(70_000)}"}]`],
  ])('that goes on with %s after %s is closed', async (_, packet) => {
    const { url } = await openNode();
    const raw = await (await new RawClient(url).opened()).connect();
    closers.push(() => raw.close());
    for (let n = 0; n < refusals.burst + 200; n++) raw.send(packet);
    await raw.closed();
    const answers = raw.received.filter((each) => each.startsWith('431['));
    expect(answers.length).toBeLessThanOrEqual(refusals.burst + 50);
  });

  test.each([
    ['pongs', (raw: RawClient) => raw.send('3')],
    ['noops', (raw: RawClient) => raw.send('6')],
    ['WebSocket pings', (raw: RawClient) => raw.webSocket.ping()],
  ])('that sends %s without pause is closed', async (_, send) => {
    const { url } = await openNode();
    const raw = await (await new RawClient(url).opened()).connect();
    closers.push(() => raw.close());
    for (let n = 0; n < CONNECTION_BUDGET.frames.burst + 500; n++) send(raw);
    await raw.closed();
  });
});

test('a session has one budget, whatever connections it is resumed on', async () => {
  const { person } = await openNode();
  const ann = await person();
  const joined: JoinReply = await ann.join('blue');
  await writeAll(ann);
  for (let attempt = 1; attempt <= 3; attempt++) {
    const again = await person();
    expect(await again.resume(joined, { attempt })).toMatchObject({ ok: true });
    expect((await writeAll(again)).taken).toBeLessThanOrEqual(2);
  }
});

describe('a user', () => {
  const TOKENS = { AUTH: 'required', JWT_SECRET: SECRET };

  test('has at most USER_PEERS_MAX sessions at once, on whichever connections; others are not concerned', async () => {
    const { person } = await openNode({ ...TOKENS, USER_PEERS_MAX: '2' });
    const [one, two, three] = [
      await person(undefined, 'ann'),
      await person(undefined, 'ann'),
      await person(undefined, 'ann'),
    ];
    await one.join('a');
    await two.join('b');
    expect(await three.ask('join', { id: 1, room: 'c' })).toMatchObject({
      error: { code: 'rate_limited', retry_after_ms: expect.any(Number) },
    });
    await (await person(undefined, 'bob')).join('c');
    await one.request('leave');
    await three.join('c');
  });

  test('has no more of them by resuming what it has left', async () => {
    const { person } = await openNode({ ...TOKENS, USER_PEERS_MAX: '2' });
    const one = await person(undefined, 'ann');
    const { resume_token, seq, epoch } = await one.join('a');
    one.socket.io.engine.close();
    for (const room of ['b', 'c']) await (await person(undefined, 'ann')).join(room);
    const back = await person(undefined, 'ann');
    expect(await back.ask('resume', { resume_token, seq, epoch })).toMatchObject({
      error: { code: 'rate_limited', retry_after_ms: expect.any(Number) },
    });
  });

  test('has one budget for all connections', async () => {
    const { person } = await openNode(TOKENS);
    const taken: number[] = [];
    for (let n = 0; n < 8; n++) taken.push((await writeAll(await joinedBy(person(undefined, 'ann')))).taken);
    expect(taken[0]).toBeGreaterThan(30);
    expect(taken.at(-1)).toBeLessThan(20);
    expect((await writeAll(await joinedBy(person(undefined, 'bob')))).taken).toBeGreaterThan(10);
  });
});

async function joinedBy(person: Promise<PlainClient>): Promise<PlainClient> {
  const client = await person;
  await client.join('blue');
  return client;
}

describe('an address', () => {
  const { handshakes, failures } = addressBudget(1) as Record<'handshakes' | 'failures', { burst: number }>;
  const BEHIND_PROXY = { TRUST_PROXY: 'true', ADDRESS_PEERS_MAX: '1' };

  test('opens so many connections at once; one past it is refused until it may, and other addresses are not', async () => {
    const { url, person } = await openNode(BEHIND_PROXY);
    const headers = { 'x-forwarded-for': '203.0.113.66:51022' };
    let [opened, refusal] = [0, undefined as Error | undefined];
    while (refusal === undefined && opened < 2 * handshakes.burst) {
      const tries = await Promise.allSettled(Array.from({ length: 20 }, () => connect(url, { headers })));
      for (const each of tries) if (each.status === 'fulfilled') each.value.close();
      opened += tries.filter(({ status }) => status === 'fulfilled').length;
      refusal = tries.find((each) => each.status === 'rejected')?.reason;
    }
    expect(opened).toBeGreaterThanOrEqual(handshakes.burst);
    expect(refusal).toMatchObject({ data: { code: 'rate_limited', retry_after_ms: expect.any(Number) } });
    const ask = () => fetch(`${url}/regions`, { headers: { 'x-forwarded-for': '::ffff:203.0.113.66' } });
    let page = await ask();
    for (let n = 0; page.ok && n < 100; n++) page = await ask();
    expect(page.status).toBe(429);
    expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0);
    // Where WebSockets are, too.
    expect((await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers })).status).toBe(429);
    await person('203.0.113.7');
  });

  test('that floods with handshakes is cut at the door for as long as it goes on, and is let in again after it', async () => {
    const { url } = await openNode({ ADDRESS_PEERS_MAX: '1' });
    const knock = () =>
      fetch(`${url}/regions`).then(
        ({ status }) => status,
        () => 'cut' as const,
      );
    const answers = new Set<number | 'cut'>();
    for (let n = 0; n < 40 && !answers.has('cut'); n++)
      for (const each of await Promise.all(Array.from({ length: 20 }, knock))) answers.add(each);
    expect(answers).toEqual(new Set([200, 429, 'cut']));
    await eventually(async () => (await knock()) === 200, {
      everyMs: 500,
      timeoutMs: 20_000,
      what: 'it is let in again',
    });
  }, 40_000);

  test('that asks under foreign host names without end is cut at the door, too', async () => {
    const { url } = await openNode({ ADDRESS_PEERS_MAX: '1' });
    const { port } = new URL(url);
    const knock = () =>
      new Promise<number | 'cut'>((resolve) => {
        const asked = get({ port, host: '127.0.0.1', headers: { host: 'evil.example' }, agent: false });
        asked.on('response', ({ statusCode = 0 }) => resolve(statusCode));
        asked.on('error', () => resolve('cut'));
      });
    const answers = new Set<number | 'cut'>();
    for (let n = 0; n < 40 && !answers.has('cut'); n++)
      for (const each of await Promise.all(Array.from({ length: 20 }, knock))) answers.add(each);
    expect(answers).toEqual(new Set([421, 'cut']));
  });

  test('has ADDRESS_PEERS_MAX sessions at once, and an IPv6 /64 is one address', async () => {
    const { person } = await openNode(BEHIND_PROXY);
    await (await person('2001:db8::1')).join('blue');
    const neighbour = await person('[2001:db8::2]:51022');
    expect(await neighbour.ask('join', { id: 1, room: 'blue' })).toMatchObject({
      error: { code: 'rate_limited' },
    });
    await (await person('2001:db8:0:1::1')).join('blue');
  });

  test('with too many wrong tokens is not listened to for a while, and others are', async () => {
    const { url, person } = await openNode({ ...BEHIND_PROXY, AUTH: 'required', JWT_SECRET: SECRET });
    const wrong = () =>
      refusedHandshake(url, { headers: { 'x-forwarded-for': '203.0.113.66' }, auth: { token: 'bad' } });
    const refused = await Promise.all(Array.from({ length: failures.burst + 20 }, wrong));
    const codes = refused.map(({ code }) => code);
    expect(codes.filter((code) => code === 'unauthorized').length).toBeGreaterThanOrEqual(failures.burst);
    expect(await wrong()).toMatchObject({ code: 'rate_limited', retry_after_ms: expect.any(Number) });
    const ice = await fetch(`${url}/ice`, { headers: { 'x-forwarded-for': '203.0.113.66' } });
    expect(ice.status).toBe(429);
    await (await person('203.0.113.7', 'ann')).join('blue');
  });

  test('that goes on to be refused on ever new connections is closed ever sooner, and others are answered', async () => {
    const { person } = await openNode(BEHIND_PROXY);
    const refusedUntilClosed = async (from: string, times: number) => {
      const client = await person(from);
      let answered = 0;
      for (let n = 0; n < times && client.socket.connected; n++)
        if ((await client.ask('leave', { id: 2 }).catch(() => undefined)) !== undefined) answered += 1;
      client.close();
      return answered;
    };
    const { burst } = addressBudget(1).refusals ?? { burst: 0 };
    expect(await refusedUntilClosed('203.0.113.66', burst + 100)).toBeGreaterThanOrEqual(burst);
    expect(await refusedUntilClosed('203.0.113.66', 50)).toBeLessThan(20);
    expect(await refusedUntilClosed('203.0.113.7', 50)).toBe(50);
  });

  test('pays for what goes on and on after a close as for 50 handshakes', async () => {
    const { url } = await openNode({ ADDRESS_PEERS_MAX: '1' });
    const flood = '421["unheard-of",{}]';
    for (let n = 0; n < handshakes.burst / 50; n++) {
      const raw = await (await new RawClient(url).opened()).connect();
      raw.send(...Array.from({ length: 2_000 }, () => flood));
      await raw.closed();
    }
    expect(await refusedHandshake(url)).toMatchObject({ code: 'rate_limited' });
  });

  test('has a budget of frames for all its connections, and others have their own', async () => {
    const { url } = await openNode(BEHIND_PROXY);
    const opened = async (from: string) => {
      const raw = await (
        await new RawClient(url, { headers: { 'x-forwarded-for': from } }).opened()
      ).connect();
      closers.push(() => raw.close());
      return raw;
    };
    const pongs = (count: number) => Array.from({ length: count }, () => '3');
    const few = CONNECTION_BUDGET.frames.burst - 500;
    const raws: RawClient[] = [];
    const { burst } = addressBudget(1).frames ?? { burst: 0 };
    for (let n = 0; n <= burst / few; n++) raws.push((await opened('203.0.113.66')).send(...pongs(few)));
    await eventually(() => raws.some(({ closedWith }) => closedWith !== undefined), {
      what: 'one is closed',
    });
    const other = (await opened('203.0.113.7')).send(...pongs(few));
    expect(await other.ask('leave', { id: 2 })).toMatchObject({ ok: false });
  });

  test('pays for what is no request at all', async () => {
    const { url } = await openNode({ ADDRESS_PEERS_MAX: '1' });
    const { hostname, port, host } = new URL(url);
    for (let n = 0; n < handshakes.burst; n++) {
      const socket = connectTcp({ host: hostname, port: Number(port) }).on('error', () => {});
      socket.end(n % 2 === 0 ? 'nonsense\r\n\r\n' : `GET / HTTP/1.1\r\nHost: ${host}\r\nExpect: x\r\n\r\n`);
      await new Promise((resolve) => socket.resume().once('close', resolve));
    }
    expect((await fetch(`${url}/regions`)).status).toBe(429);
  });

  test('has a hundred requests of HTTP on one connection; what comes after them is not answered', async () => {
    const { url } = await openNode();
    const { hostname, port, host } = new URL(url);
    const socket = connectTcp({ host: hostname, port: Number(port) });
    socket.on('error', () => {});
    let answered = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      answered += text;
    });
    socket.write(`GET /regions HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(2_000));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answered.split('HTTP/1.1 ').length - 1).toBeLessThanOrEqual(100);
  });

  test('is not counted with ADDRESS_PEERS_MAX=0', async () => {
    const { person } = await openNode({ ...BEHIND_PROXY, ADDRESS_PEERS_MAX: '0' });
    for (let n = 0; n < handshakes.burst + 20; n++) (await person('203.0.113.66')).close();
  });
});

test('what is sent on behalf of somebody counts: a large room hears a large message less often', async () => {
  const { person } = await openNode();
  const ann = await person();
  await ann.join('hall');
  const crowd = await Promise.all(Array.from({ length: 60 }, () => joinedIn(person())));
  expect(crowd).toHaveLength(60);
  // 60 × 60 kB are 3.6 MB each: the burst of 32 MiB is 9 of them, and its log budget would be 34.
  const { taken, error } = await writeAll(ann);
  expect(taken).toBeLessThan(30);
  expect(error.code).toBe('rate_limited');
});

async function joinedIn(person: Promise<PlainClient>): Promise<PlainClient> {
  const client = await person;
  await client.join('hall');
  return client;
}

test('the joins of one user count on all nodes together, and while Redis is away each node counts for itself', async () => {
  const key = `test-${process.pid}-entries`;
  const limits = (client: Client) => redisEntryLimits(client, redisKeys(key), { user: 3 });
  const redis = new Redis(inject('redisUrl'));
  const away = new Redis(inject('redisUrl'), { lazyConnect: true, enableOfflineQueue: false });
  closers.push(() => [redis, away].map((client) => client.disconnect()));
  await once(redis, 'ready');
  const [beijing, shanghai, cutOff] = [limits(redis), limits(redis), limits(away)];
  const ann = { user: 'a-hash-of-ann' };
  /** Lets the count come back. */
  const take = async (node: EntryLimits, who = ann) => {
    const waitMs = node.take(who);
    await redis.ping();
    return waitMs;
  };
  expect([await take(beijing), await take(shanghai), await take(beijing)]).toEqual([0, 0, 0]);
  // Nobody waits for the count: each node learns with one more that it is over.
  expect([await take(beijing), await take(shanghai)]).toEqual([0, 0]);
  for (const node of [beijing, shanghai]) {
    const waitMs = await take(node);
    expect(waitMs).toBeGreaterThan(50_000);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  }
  expect(await take(beijing, { user: 'a-hash-of-bob' })).toBe(0);
  for (let n = 0; n < 4; n++) expect(await take(cutOff)).toBe(0);
  expect(await take(cutOff)).toBeGreaterThan(0);
  for (const each of await redis.keys(`${key}:*`)) expect(await redis.ttl(each)).toBeGreaterThan(0);
});
