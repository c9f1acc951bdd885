import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { capabilities } from '../support/capabilities.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { seriesIn } from '../support/exposition.ts';
import { connect, PlainClient, refusedHandshake } from '../support/plain-client.ts';
import { RawClient } from '../support/raw-client.ts';
import { startLocalRedis } from '../support/redis.ts';

let cluster: TestCluster | undefined;
const closers: (() => void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await cluster?.stop();
  cluster = undefined;
});

async function openNode(settings: Record<string, string>) {
  cluster = await startCluster({ backplane: 'memory', nodes: 1, settings });
  return openedNode(cluster);
}

function openedNode({ nodes: [node] }: TestCluster) {
  const told = async (name: string, labels = '') =>
    seriesIn(await (await fetch(`${node.opsUrl}/metrics`)).text()).find(
      (series) => series.name === name && series.labels === labels,
    )?.value ?? Number.NaN;
  const isReady = async () => (await fetch(`${node.opsUrl}/readyz`)).ok;
  return { ...node, told, isReady, port: Number(new URL(node.url).port) };
}

/** Sockets from an address that connect to the node and say what they are told to, at most. */
async function silent(port: number, count: number, from: string, text = ''): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => {
    const socket = connectTcp({ port, host: '127.0.0.1', localAddress: from });
    socket.on('error', () => {});
    socket.on('connect', () => void socket.write(text));
    closers.push(() => socket.destroy());
    return socket;
  });
  await eventually(() => sockets.every((socket) => !socket.connecting), { what: 'all are connected' });
  return sockets;
}

const isOpen = (socket: Socket) => !socket.destroyed && socket.readyState === 'open';

test('sockets that say nothing are counted, hold a share of the places, and keep nobody else out', async () => {
  const { url, port, told, isReady } = await openNode({ CONNECTIONS_MAX: '200' });
  const sockets = await silent(port, 300, '127.0.0.66');
  await eventually(() => sockets.filter(isOpen).length === 50, { what: 'a quarter of the places is held' });
  expect(await told('signaling_connections')).toBe(50);
  expect(await told('signaling_connections_unjoined')).toBe(50);
  expect(await isReady()).toBe(true);
  const people = Array.from({ length: 20 }, () => connect(url));
  for (const person of await Promise.all(people)) {
    closers.push(() => person.close());
    expect((await person.join('blue')).self.id).toBeTypeOf('string');
  }
});

test('clients that connect and never join make room for those who do', async () => {
  const { url, told } = await openNode({ CONNECTIONS_MAX: '20' });
  for (let n = 0; n < 20; n++) {
    const raw = new RawClient(url, { from: '127.0.0.66' });
    closers.push(() => raw.close());
    // Those that are too many for one address are cut.
    await raw.opened().then(
      () => raw.send('40'),
      () => {},
    );
  }
  for (let n = 0; n < 20; n++) {
    const person = await connect(url);
    closers.push(() => person.close());
    expect((await person.join(`room ${n}`)).self.id).toBeTypeOf('string');
  }
  expect(await told('signaling_connections_dropped_total', 'reason="crowded"')).toBeGreaterThan(0);
});

test('a node in which CONNECTIONS_MAX have joined refuses with node_full, and is not ready until one goes', async () => {
  const { url, isReady } = await openNode({ CONNECTIONS_MAX: '2' });
  const [ann, bob] = [await connect(url), await connect(url)];
  closers.push(() => bob.close());
  await ann.join('blue');
  expect(await isReady()).toBe(true);
  await bob.join('blue');
  expect(await isReady()).toBe(false);
  expect(await refusedHandshake(url)).toMatchObject({
    code: 'node_full',
    retry_after_ms: expect.any(Number),
  });
  ann.close();
  await eventually(isReady, { what: 'the node is ready again' });
  (await connect(url)).close();
});

test('a connection that is in no room for JOIN_WITHIN_MS is closed, and one in a room is not', async () => {
  const { url, told } = await openNode({ JOIN_WITHIN_MS: '1000' });
  const [idle, left, joined] = [await connect(url), await connect(url), await connect(url)];
  closers.push(() => joined.close());
  await joined.join('blue');
  await left.join('blue');
  await left.request('leave');
  await eventually(() => !idle.socket.connected && !left.socket.connected, { what: 'both are closed' });
  expect(joined.socket.connected).toBe(true);
  expect(await told('signaling_connections_dropped_total', 'reason="not_joined"')).toBe(2);
});

test('a connection that only tries to get into rooms holds its place no longer', async () => {
  const { url } = await openNode({ JOIN_WITHIN_MS: '1000' });
  const raw = await (await new RawClient(url).opened()).connect();
  closers.push(() => raw.close());
  const sinceMs = performance.now();
  for (let id = 1; raw.closedWith === undefined && performance.now() - sinceMs < 5_000; id++) {
    raw.send(`42${id}["resume",{"resume_token":"forged","seq":1,"epoch":1}]`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(raw.closedWith).toBeDefined();
});

test('who sends more than a CONNECT and pongs before it is let in is cut off', async () => {
  const { url } = await openNode({});
  const patient = await new RawClient(url).opened();
  const pushy = await new RawClient(url).opened();
  closers.push(() => patient.close());
  patient.send(...Array.from({ length: 15 }, () => '3'));
  pushy.send(...Array.from({ length: 17 }, () => '6'));
  await pushy.closed();
  await patient.connect();
});

test.skipIf(!capabilities.redisServer)(
  'who goes in the middle of a join leaves no place behind',
  async () => {
    const redis = await startLocalRedis();
    try {
      cluster = await startCluster({ nodes: 1, redisUrl: redis.url, settings: { CONNECTIONS_MAX: '20' } });
      const { url, told } = openedNode(cluster);
      const raws = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const raw = new RawClient(url, { from: '127.0.0.66' });
          return (await raw.opened()).connect();
        }),
      );
      redis.pause();
      for (const raw of raws) raw.send('420["join",{"id":1,"room":"blue"}]');
      await eventually(async () => (await told('signaling_connections_unjoined')) === 0, {
        what: 'all are on their way',
      });
      for (const raw of raws) raw.close();
      await eventually(async () => (await told('signaling_connections')) === 0, { what: 'all are gone' });
      redis.resume();

      for (let n = 0; n < 20; n++) {
        const person = await connect(url);
        closers.push(() => person.close());
        expect((await person.join('green')).self.id).toBeTypeOf('string');
      }
      expect(await told('signaling_connections_unjoined')).toBe(0);
      for (const close of closers.splice(0)) close();
      await eventually(async () => (await told('signaling_connections')) === 0, {
        what: 'all are gone again',
      });
      expect(await told('signaling_connections_unjoined')).toBe(0);
    } finally {
      await redis.stop();
    }
  },
);

test('a request that comes a byte at a time is cut within seconds', async () => {
  const { port } = await openNode({});
  const [socket] = (await silent(port, 1, '127.0.0.66', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ')) as [
    Socket,
  ];
  const drip = setInterval(() => socket.write('x'), 100);
  closers.push(() => clearInterval(drip));
  await eventually(() => !isOpen(socket), { timeoutMs: 9_000, what: 'the slow request is cut' });
}, 15_000);

test('a socket that says nothing at all is closed within seconds, too', async () => {
  const { port } = await openNode({});
  const [socket] = (await silent(port, 1, '127.0.0.66')) as [Socket];
  await eventually(() => !isOpen(socket), { timeoutMs: 9_000, what: 'the silent socket is closed' });
}, 15_000);

test('behind a proxy the share is held by those whom it names, not by the proxy', async () => {
  const { url } = await openNode({ CONNECTIONS_MAX: '40', TRUST_PROXY: 'true' });
  const open = async (from: string) => {
    const client = new PlainClient(url, { headers: { 'x-forwarded-for': from } });
    closers.push(() => client.close());
    await new Promise((resolve) => client.socket.once('connect', () => resolve(undefined)));
    return client;
  };
  const honest = await open('203.0.113.1');
  const idle: PlainClient[] = [];
  for (let n = 0; n < 16; n++) idle.push(await open('203.0.113.66'));
  await eventually(() => idle.some((client) => !client.socket.connected), {
    what: 'one of the crowd has to go',
  });
  expect(honest.socket.connected).toBe(true);
});
