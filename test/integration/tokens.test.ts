import { createHmac, generateKeyPairSync } from 'node:crypto';
import { RoomSession } from '@fenghuo/client';
import type { JoinReply } from '@fenghuo/protocol';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { RemoteKeys } from '../../services/signaling/tokens/remote-keys.ts';
import { type ClusterOptions, startCluster, type TestCluster, type TestNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { joinUntilTaken, type NodeOnMemory, nodesOnMemory } from '../support/node-parts.ts';
import { connect, PlainClient, refusedHandshake } from '../support/plain-client.ts';

const SECRET = 'a-secret-of-at-least-thirty-two-bytes';
const NEXT_SECRET = 'the-secret-that-is-about-to-follow-it';

const { openNodes } = nodesOnMemory();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Two nodes that want tokens. */
async function openCluster(
  settings: Record<string, string> = { JWT_SECRET: SECRET },
  options: ClusterOptions = {},
): Promise<TestCluster> {
  const cluster = await startCluster({
    nodes: 2,
    ...options,
    settings: { AUTH: 'required', ...settings },
  });
  closers.push(() => cluster.stop());
  return cluster;
}

async function openIssuer(): Promise<Issuer> {
  const issuer = await startIssuer();
  closers.push(() => issuer.close());
  return issuer;
}

async function come(node: TestNode, token: string): Promise<PlainClient> {
  const client = await connect(node.url, { auth: { token } });
  closers.push(() => client.close());
  return client;
}

const refusal = (node: TestNode, token: unknown) => refusedHandshake(node.url, { auth: { token } });

function nowS(): number {
  return Math.floor(Date.now() / 1_000);
}

function sign(claims: JWTPayload = {}, secret = SECRET, alg = 'HS256'): Promise<string> {
  return new SignJWT({ sub: 'ann', exp: nowS() + 3_600, ...claims })
    .setProtectedHeader({ alg })
    .sign(Buffer.from(secret));
}

async function metric(node: TestNode, series: string): Promise<number> {
  const text = await (await fetch(`${node.opsUrl}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')[1],
  );
}

describe('a handshake', () => {
  test('with a good token comes in, on any node; one without a token is told that it needs one', async () => {
    const { nodes } = await openCluster();
    for (const node of nodes) await (await come(node, await sign())).join('blue');
    expect(await refusedHandshake(nodes[0].url)).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('there is none'),
    });
    expect(await metric(nodes[0], 'signaling_handshakes_refused_total{code="unauthorized"}')).toBe(1);
    expect(await metric(nodes[0], 'signaling_tokens_refused_total{reason="missing"}')).toBe(1);
  });

  test('is refused as unauthorized, and the node goes on, whatever the token is', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const { nodes } = await openCluster({ JWT_PUBLIC_KEY: pem, JWT_SECRET: SECRET });
    const good = await sign();
    const [header, payload, signature] = good.split('.');
    const bad = [
      new UnsecuredJWT({ sub: 'ann', exp: nowS() + 60 }).encode(),
      await sign({}, pem),
      await sign({}, SECRET.repeat(2), 'HS512'),
      await sign({}, NEXT_SECRET),
      await sign({ exp: nowS() - 31 }),
      await sign({ nbf: nowS() + 60 }),
      `${header}.${payload}A.${signature}`,
      `${header}.${payload}.`,
      'x'.repeat(100_000),
      `${header}.${'A'.repeat(100_000)}.${signature}`,
      '',
      7,
      true,
      null,
      [good],
      { token: good },
    ];
    for (const token of bad) expect(await refusal(nodes[0], token)).toMatchObject({ code: 'unauthorized' });
    expect(await refusedHandshake(nodes[0].url, { auth: { jwt: good } })).toMatchObject({
      code: 'unauthorized',
    });
    // What is no object is not of Socket.IO: the connection is closed.
    const list = new PlainClient(nodes[0].url, { auth: [good] });
    await new Promise((resolve) => list.socket.io.once('close', resolve));
    await (await come(nodes[0], good)).join('blue');
  });

  test('is taken under both secrets of a rotation', async () => {
    const { nodes } = await openCluster({ JWT_SECRET: `${NEXT_SECRET} ${SECRET}` });
    await come(nodes[0], await sign());
    await come(nodes[0], await sign({}, NEXT_SECRET));
  });

  test('asks the origin before it looks at the token', async () => {
    const { nodes } = await openCluster({ JWT_SECRET: SECRET, ALLOWED_ORIGINS: 'https://app.example' });
    const headers = { origin: 'https://evil.example' };
    expect(await refusedHandshake(nodes[0].url, { headers, auth: { token: await sign() } })).toMatchObject({
      code: 'origin_forbidden',
    });
  });

  test('in an open cluster takes no notice of a token', async () => {
    const { nodes } = await openCluster({ AUTH: 'open' });
    const client = await connect(nodes[0].url, {
      auth: { token: await sign({ room: 'red', name: 'Tess' }) },
    });
    closers.push(() => client.close());
    expect(await client.join('blue', { name: 'Ann' })).toMatchObject({ self: { name: 'Ann', role: 'host' } });
    expect(await client.request('update', { name: 'Anna', token: 'nonsense' })).toMatchObject({
      ok: true,
      peer: { name: 'Anna' },
    });
  });
});

describe('keys from a JWKS endpoint', () => {
  test('verify; a key that is not among them does not', async () => {
    const issuer = await openIssuer();
    const stranger = await openIssuer();
    const { nodes } = await openCluster({ JWKS_URL: issuer.jwksUrl });
    await (await come(nodes[0], await issuer.sign())).join('blue');
    expect(await refusal(nodes[0], await stranger.sign())).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('key'),
    });
    expect(await refusal(nodes[0], await sign())).toMatchObject({ code: 'unauthorized' });
  });

  test('follow a rotation: the new key is fetched when a token names it, the withdrawn one is dropped', async () => {
    const issuer = await openIssuer();
    const { nodes } = await openCluster({ JWKS_URL: issuer.jwksUrl });
    const before = await issuer.sign();
    await come(nodes[0], before);
    issuer.rotate();
    // Not sooner than a second after the last time: else made-up key ids would storm the endpoint.
    const client = await eventually(async () => come(nodes[0], await issuer.sign()), { everyMs: 100 });
    expect(await (client as PlainClient).join('blue')).toMatchObject({ peers: [] });
    expect(await refusal(nodes[0], before)).toMatchObject({ code: 'unauthorized' });
  });

  test('are all tried where a token does not say which it is signed with', async () => {
    const issuer = await openIssuer();
    const before = await issuer.sign({}, false);
    issuer.rotate('kept');
    const { nodes } = await openCluster({ JWKS_URL: issuer.jwksUrl });
    for (const token of [before, await issuer.sign({}, false), await issuer.sign()])
      await come(nodes[0], token);
    const stranger = await openIssuer();
    expect(await refusal(nodes[0], await stranger.sign({}, false))).toMatchObject({ code: 'unauthorized' });
    issuer.rotate();
    await eventually(async () => come(nodes[0], await issuer.sign({}, false)), { everyMs: 100 });
  });

  test('are asked for once in a second, however many tokens name unknown ones', async () => {
    const issuer = await openIssuer();
    const stranger = await openIssuer();
    const { nodes } = await openCluster({ JWKS_URL: issuer.jwksUrl });
    await come(nodes[0], await issuer.sign());
    const startedAt = performance.now();
    const before = issuer.asked;
    const token = await stranger.sign();
    const refusals = await Promise.all(Array.from({ length: 40 }, () => refusal(nodes[0], token)));
    expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(['unauthorized']));
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(issuer.asked - before).toBeLessThanOrEqual(1 + seconds);
  });

  test.each(['hang', 'fail'] as const)('go on serving while the endpoint is away (%s)', async (how) => {
    const issuer = await openIssuer();
    const { nodes } = await openCluster({ JWKS_URL: issuer.jwksUrl });
    const token = await issuer.sign();
    await come(nodes[0], token);
    issuer.behave(how);
    await (await come(nodes[0], token)).join('blue');

    issuer.rotate();
    const fresh = await issuer.sign();
    const unknown = await eventually(async () => {
      const startedAt = performance.now();
      const { code, retry_after_ms } = await refusal(nodes[0], fresh);
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      return code === 'unavailable' ? { code, retry_after_ms } : false;
    });
    expect(unknown).toMatchObject({ retry_after_ms: expect.any(Number) });
    await come(nodes[0], token);

    issuer.behave('well');
    await eventually(async () => come(nodes[0], fresh), { everyMs: 100 });
    expect(await metric(nodes[0], 'signaling_jwks_fetches_total{outcome="failed"}')).toBeGreaterThan(0);
  });

  test('that cannot be had name what is in the way', async () => {
    const issuer = await openIssuer();
    await issuer.close();
    const { fetches } = openKeys(issuer);
    expect(await eventually(() => fetches.length > 0 && fetches)).toEqual(['ECONNREFUSED']);
  });

  describe('with time at our command', () => {
    afterEach(() => void vi.useRealTimers());

    test('go on serving for as long as the endpoint is away', async () => {
      const issuer = await openIssuer();
      const { find } = openKeys(issuer);
      expect(await find()).toHaveLength(1);
      issuer.behave('fail');
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 86_400_000 });
      expect(await find()).toHaveLength(1);
    });

    test('are asked for every five minutes, so that a withdrawn one is dropped', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const issuer = await openIssuer();
      const { find, fetches } = openKeys(issuer);
      const withdrawn = issuer.header();
      expect(await find(withdrawn)).toHaveLength(1);
      issuer.rotate();
      vi.advanceTimersByTime(299_000);
      expect(fetches).toHaveLength(1);
      vi.advanceTimersByTime(1_000);
      vi.useRealTimers();
      await eventually(() => fetches.length === 2);
      expect(await find(withdrawn)).toBe('unknown_key');
    });
  });

  test('that were never to be had leave a handshake unavailable, until they are', async () => {
    const issuer = await openIssuer();
    issuer.behave('hang');
    const { nodes } = await openCluster({ JWKS_URL: issuer.jwksUrl, JWT_SECRET: SECRET });
    const token = await issuer.sign();
    const startedAt = performance.now();
    expect(await refusal(nodes[0], token)).toMatchObject({ code: 'unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    await come(nodes[0], await sign());
    issuer.behave('well');
    await eventually(async () => come(nodes[0], token), { everyMs: 100 });
  });
});

/** The keys of an issuer, as a verifier keeps them. */
function openKeys(issuer: Issuer) {
  const fetches: (string | undefined)[] = [];
  const keys = new RemoteKeys(new URL(issuer.jwksUrl), { onFetched: (problem) => fetches.push(problem) });
  closers.push(() => keys.close());
  return { fetches, find: async (header = issuer.header()) => keys.find(header) };
}

describe('a join', () => {
  test('is forbidden in a room that the token does not name', async () => {
    const { nodes } = await openCluster();
    const client = await come(nodes[0], await sign({ room: ['blue', 'red@main'] }));
    expect(await client.ask('join', { id: 1, room: 'green' })).toMatchObject({
      ok: false,
      error: { code: 'forbidden', message: expect.stringContaining('room') },
    });
    await client.join('red');
    await client.request('leave');
    await client.join('blue@main');
  });

  test('takes name and role from the token', async () => {
    const { nodes } = await openCluster();
    const first = await come(nodes[0], await sign({ sub: 'a' }));
    expect(await first.join('blue', { name: 'Ann' })).toMatchObject({
      self: { name: 'Ann', role: 'speaker' },
    });
    for (const role of ['host', 'moderator', 'listener']) {
      const client = await come(nodes[1], await sign({ sub: role, role, name: `the ${role}` }));
      expect(await client.join('blue', { name: 'Mallory' })).toMatchObject({
        self: { name: `the ${role}`, role },
      });
      expect(await first.next('peer_joined')).toMatchObject({ peer: { name: `the ${role}`, role } });
      expect(await client.request('update', { name: 'Mallory' })).toMatchObject({
        peer: { name: `the ${role}` },
      });
    }
  });

  test('under the key of another person does not continue that session', async () => {
    const { nodes } = await openCluster();
    const ann = await come(nodes[0], await sign());
    const key = 'k'.repeat(32);
    const { self } = await ann.join('blue', { key });
    const mallory = await come(nodes[1], await sign({ sub: 'mallory' }));
    expect(await mallory.join('blue', { key })).toMatchObject({ peers: [{ id: self.id, connected: true }] });
    const again = await come(nodes[1], await sign());
    expect(await again.join('blue', { key })).toMatchObject({ self: { id: self.id } });
    expect(await ann.next('removed')).toEqual({ reason: 'replaced' });
  });

  test('leaves a room without a host where no token names one', async () => {
    const { nodes } = await openCluster();
    const [ann, bob] = [await come(nodes[0], await sign()), await come(nodes[1], await sign({ sub: 'bob' }))];
    await ann.join('blue');
    await bob.join('blue');
    await ann.request('leave');
    expect(await bob.next('peer_left')).toMatchObject({ reason: 'left' });
    expect(bob.all('peer_updated')).toEqual([]);
  });
});

describe('a session whose token expires', () => {
  /** Tokens of this cluster expire when the test says so: real nodes under a clock of its own. */
  async function openOnClock(options: ClusterOptions = {}) {
    let aheadMs = 0;
    const cluster = await openCluster(undefined, { ...options, wallMs: () => Date.now() + aheadMs });
    return {
      nodes: cluster.nodes,
      passS: (seconds: number) => (aheadMs += seconds * 1_000),
      nowS: () => nowS() + aheadMs / 1_000,
    };
  }

  test.each(['memory', 'redis'] as const)(
    'ends 60 s after it, and the others are told why (%s)',
    async (backplane) => {
      const { nodes, passS } = await openOnClock({ backplane });
      const ann = await come(nodes[0], await sign({ exp: nowS() + 100 }));
      const bob = await come(nodes[1], await sign({ sub: 'bob' }));
      const idle = await come(nodes[0], await sign({ exp: nowS() + 100 }));
      const { self } = await ann.join('blue');
      await bob.join('blue');
      passS(150);
      expect(await ann.request('message', { topic: 'chat', data: 1 })).toMatchObject({ ok: true });
      passS(15);
      expect(await ann.next('removed')).toEqual({ reason: 'token_expired' });
      expect(await bob.next('peer_left')).toMatchObject({ peer: self.id, reason: 'token_expired' });
      expect(await idle.next('removed')).toEqual({ reason: 'token_expired' });
      await eventually(() => !ann.socket.connected && !idle.socket.connected);
      expect(bob.socket.connected).toBe(true);
      expect(await metric(nodes[0], 'signaling_tokens_expired_total')).toBe(2);
    },
  );

  test('goes on with a fresh one, as long as that is good', async () => {
    const { nodes, passS } = await openOnClock();
    const ann = await come(nodes[0], await sign({ exp: nowS() + 100, name: 'Ann' }));
    const bob = await come(nodes[1], await sign({ sub: 'bob', exp: nowS() + 100 }));
    await ann.join('blue');
    await bob.join('blue');
    const between = { id: 2, token: await sign({ exp: nowS() + 150 }) };
    expect(await ann.ask('update', between)).toMatchObject({ ok: true });
    const token = await sign({ exp: nowS() + 1_000, name: 'Anna', role: 'host' });
    expect(await ann.ask('update', { id: 3, token, name: 'Mallory' })).toMatchObject({
      ok: true,
      peer: { name: 'Anna', role: 'speaker' },
    });
    // A repeat brings an older token than the one that counts.
    expect(await ann.ask('update', between)).toMatchObject({ ok: true });
    passS(250);
    await bob.next('removed');
    expect(await ann.next('peer_left')).toMatchObject({ reason: 'token_expired' });
    passS(750);
    expect(await ann.ask('message', { id: 4, topic: 'chat', data: 1 })).toMatchObject({ ok: true });
    passS(100);
    expect(await ann.next('removed')).toEqual({ reason: 'token_expired' });
  });

  test('of our SDK outlives its tokens, where a function brings fresh ones', async () => {
    const { nodes, passS, nowS } = await openOnClock();
    const bob = await come(nodes[1], await sign({ sub: 'bob', exp: nowS() + 500 }));
    await bob.join('blue');
    let brought = 0;
    const token = () => {
      brought += 1;
      return sign({ iat: nowS(), exp: nowS() + 2, name: `Ann with ${brought}` });
    };
    const ann = new RoomSession(nodes[0].url, { room: 'blue', token });
    closers.push(() => ann.leave());
    await ann.joined;
    // The first one would end the session in seven seconds from now; each of the others lasts two.
    passS(55);
    await eventually(() => bob.all('peer_updated').length >= 5, {
      timeoutMs: 20_000,
      what: 'five fresh tokens',
    });
    expect(bob.all('peer_updated').at(-1)).toMatchObject({
      peer: { name: expect.stringMatching(/^Ann with \d/) },
    });
    expect(bob.all('peer_left')).toEqual([]);
    expect(ann.state).toMatchObject({ phase: 'connected' });
  });

  test('is ended as soon as the backplane takes it, where that is away at the time', async () => {
    let aheadMs = 0;
    const settings = { AUTH: 'required', JWT_SECRET: SECRET };
    const wallMs = () => Date.now() + aheadMs;
    const { beijing, shanghai } = await openNodes(
      { id: 'beijing-1', settings, wallMs },
      { id: 'shanghai-1', settings },
    );
    const client = (node: NodeOnMemory, token: string) => connect(node.url, { auth: { token } });
    const ann = await client(beijing, await sign({ exp: nowS() + 100 }));
    const bob = await client(shanghai, await sign({ sub: 'bob' }));
    closers.push(
      () => ann.close(),
      () => bob.close(),
    );
    await joinUntilTaken(ann, 'blue', 'Ann');
    await joinUntilTaken(bob, 'blue', 'Bob');
    const { rooms } = beijing.backplane;
    const { leave } = rooms;
    let tries = 0;
    rooms.leave = (...call) => {
      tries += 1;
      return leave(...call);
    };
    beijing.isCutOff = true;
    aheadMs = 200_000;
    await eventually(() => tries >= 2);
    expect(ann.socket.connected).toBe(true);
    beijing.isCutOff = false;
    expect(await ann.next('removed')).toEqual({ reason: 'token_expired' });
    expect(await bob.next('peer_left')).toMatchObject({ reason: 'token_expired' });
  });

  test('does not begin anything more: neither a join nor a resume', async () => {
    const { nodes, passS } = await openOnClock();
    const token = await sign({ exp: nowS() + 100 });
    const ann = await come(nodes[0], token);
    const joined = await ann.join('blue');
    const [idle, other] = [await come(nodes[1], token), await come(nodes[1], token)];
    passS(140);
    expect(await other.ask('join', { id: 1, room: 'red' })).toMatchObject({
      error: { code: 'unauthorized' },
    });
    expect(await idle.resume(joined)).toMatchObject({ error: { code: 'unauthorized' } });
    expect(await refusal(nodes[1], token)).toMatchObject({ code: 'unauthorized' });
    expect(await (await come(nodes[1], await sign({ exp: nowS() + 500 }))).resume(joined)).toMatchObject({
      ok: true,
    });
  });
});

describe('a fresh token in an update', () => {
  test('is refused for good where it is not of the same person, of this room, or not good', async () => {
    const { nodes } = await openCluster();
    const ann = await come(nodes[0], await sign());
    const bob = await come(nodes[1], await sign({ sub: 'bob' }));
    await ann.join('blue');
    await bob.join('blue');
    for (const token of [
      await sign({ sub: 'bob' }),
      await sign({ room: 'red' }),
      await sign({ exp: nowS() - 60 }),
      await sign({}, NEXT_SECRET),
      'nonsense',
      '',
      'x'.repeat(60_000),
    ])
      expect(await ann.request('update', { token, name: 'Mallory' })).toMatchObject({
        ok: false,
        error: { code: 'unauthorized', message: expect.stringContaining('token') },
      });
    expect(await ann.request('update', { token: await sign({ room: 'blue' }) })).toMatchObject({
      ok: true,
      peer: { name: '' },
    });
    expect(await ann.request('message', { topic: 'chat', data: 1 })).toMatchObject({ ok: true });
    await bob.next('message');
    expect(bob.all('peer_updated')).toHaveLength(1);
  });

  test('keeps its place among the requests, while its key is being fetched', async () => {
    const issuer = await openIssuer();
    const { nodes } = await openCluster({ JWKS_URL: issuer.jwksUrl });
    const ann = await come(nodes[0], await issuer.sign());
    await ann.join('blue');
    issuer.rotate();
    const token = await issuer.sign({ name: 'Anna' });
    // Both nodes may ask again at about the same time, this one before the other.
    await eventually(() => come(nodes[1], token), { everyMs: 100 });
    const update = { id: 2, token };
    const message = { id: 3, topic: 'chat', data: 1, echo: true };
    const [updated, sent] = await Promise.all([ann.ask('update', update), ann.ask('message', message)]);
    expect(updated).toMatchObject({ ok: true, peer: { name: 'Anna' } });
    // Whoever comes before its turn is told to come again: nothing overtakes what it must not.
    if (!sent.ok) expect(sent.error).toMatchObject({ code: 'unavailable' });
    expect(await ann.ask('message', message)).toMatchObject({ ok: true });
    const [named, said] = [await ann.next('peer_updated'), await ann.next('message')];
    expect(said.seq).toBeGreaterThan(named.seq);
    expect(ann.all('message')).toHaveLength(1);
  });
});

describe('a resume', () => {
  test.each(['memory', 'redis'] as const)('wants a token of the same person (%s)', async (backplane) => {
    const { nodes } = await openCluster(undefined, { backplane });
    const ann = await come(nodes[0], await sign());
    const joined = await ann.join('blue');
    ann.close();
    const mallory = await come(nodes[1], await sign({ sub: 'mallory' }));
    expect(await mallory.resume(joined)).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
    const elsewhere = await come(nodes[1], await sign({ room: 'red' }));
    expect(await elsewhere.resume(joined)).toMatchObject({ error: { code: 'unauthorized' } });
    const back = await come(nodes[1], await sign({ name: 'Ann' }));
    expect(await back.resume(joined)).toMatchObject({ ok: true, recovered: true });
  });
});

describe('ICE servers', () => {
  const TURN = {
    STUN_URLS: 'stun:stun.example.org',
    TURN_URLS: 'turn:turn.example.org turns:turn.example.org',
    TURN_SECRET: 'north south',
    TURN_TTL_S: '600',
  };

  /** As coturn checks it. */
  function expectGood(
    { ice_servers, ttl_s }: Pick<JoinReply, 'ice_servers' | 'ttl_s'>,
    user: string | undefined,
  ) {
    expect(ttl_s).toBe(600);
    const [stun, turn, ...others] = ice_servers;
    expect(others).toEqual([]);
    expect(stun).toEqual({ urls: ['stun:stun.example.org'] });
    const [expiry, name] = turn?.username?.split(':') ?? [];
    expect(Number(expiry) - nowS()).toBeGreaterThan(590);
    expect(Number(expiry) - nowS()).toBeLessThanOrEqual(600);
    if (user !== undefined) expect(name).toBe(user);
    expect(turn?.credential).toBe(createHmac('sha1', 'north').update(`${turn?.username}`).digest('base64'));
    return name;
  }

  test('come with a join, and with the snapshot of a resume', async () => {
    const { nodes } = await openCluster({ ...TURN, JWT_SECRET: SECRET });
    const ann = await come(nodes[0], await sign({ name: 'Ann' }));
    const joined = await ann.join('blue');
    expectGood(joined, joined.self.id);
    const back = await come(nodes[1], await sign());
    const snapshot = await back.resume({ ...joined, epoch: joined.epoch - 1 });
    expect(snapshot).toMatchObject({ ok: true, recovered: false });
    expectGood(snapshot, joined.self.id);
    expect(await metric(nodes[0], 'signaling_ice_credentials_total')).toBe(1);
  });

  test('are given by GET /ice to whoever bears a token, under no name of theirs', async () => {
    const { nodes } = await openCluster({ ...TURN, JWT_SECRET: SECRET });
    const ask = (authorization?: string) =>
      fetch(`${nodes[0].url}/ice`, { headers: authorization === undefined ? {} : { authorization } });
    const answer = await ask(`Bearer ${await sign({ sub: 'ann@example.org', name: 'Ann' })}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const given = (await answer.json()) as JoinReply;
    expect(given).toEqual({ ice_servers: expect.any(Array), ttl_s: 600 });
    expect(expectGood(given, undefined)).not.toContain('ann');
    for (const wrong of [
      undefined,
      'Bearer',
      'Bearer x',
      `Basic ${await sign()}`,
      `Bearer ${'x'.repeat(9_000)}`,
    ]) {
      const refused = await ask(wrong);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
      expect(await refused.json()).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
    }
  });

  test('are given by GET /ice to anybody in an open cluster', async () => {
    const { nodes } = await openCluster({ ...TURN, AUTH: 'open' });
    expectGood((await (await fetch(`${nodes[0].url}/ice`)).json()) as JoinReply, undefined);
  });

  test('may be asked for by pages of allowed origins, and by no others', async () => {
    const { nodes } = await openCluster({
      ...TURN,
      JWT_SECRET: SECRET,
      ALLOWED_ORIGINS: 'https://app.example',
    });
    const ask = async (origin: string, method = 'GET') =>
      fetch(`${nodes[0].url}/ice`, { method, headers: { origin, authorization: `Bearer ${await sign()}` } });
    const preflight = await ask('https://app.example', 'OPTIONS');
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization/i);
    const given = await ask('https://app.example');
    expect(given.status).toBe(200);
    expect(given.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(given.headers.get('vary')).toContain('Origin');
    for (const method of ['GET', 'OPTIONS']) {
      const refused = await ask('https://evil.example', method);
      expect(refused.status).toBe(403);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
      expect(await refused.json()).toMatchObject({ error: { code: 'origin_forbidden' } });
    }
  });

  test('are refused with 503 and a time to come back while the keys cannot be had', async () => {
    const issuer = await openIssuer();
    issuer.behave('fail');
    const { nodes } = await openCluster({ ...TURN, JWKS_URL: issuer.jwksUrl });
    const answer = await fetch(`${nodes[0].url}/ice`, {
      headers: { authorization: `Bearer ${await issuer.sign()}` },
    });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ error: { code: 'unavailable' } });
  });
});
