import { IncomingMessage, Server } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { isOriginAllowed } from '../../services/signaling/domain/origin.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { connect, refusedHandshake } from '../support/plain-client.ts';

let cluster: TestCluster;
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
  return cluster?.stop();
});

const oneNode = async (settings: Record<string, string> = {}) => {
  cluster = await startCluster({ backplane: 'memory', nodes: 1, settings });
  return cluster.nodes[0];
};

test('a page of another origin is refused with origin_forbidden; pages of the node itself come in', async () => {
  const { url } = await oneNode();
  expect(await refusedHandshake(url, { headers: { origin: 'https://evil.example' } })).toMatchObject({
    code: 'origin_forbidden',
    message: expect.stringContaining('ALLOWED_ORIGINS'),
  });
  const own = await connect(url, { headers: { origin: url } });
  own.close();
});

describe('ALLOWED_ORIGINS', () => {
  test('lets the listed origins in and no others, not even the node itself', async () => {
    const allowed =
      'https://App.example:443 https://other.example:8443 capacitor://localhost https://*.wild.example';
    const { url } = await oneNode({ ALLOWED_ORIGINS: allowed });
    for (const origin of [
      ...['https://app.example', 'https://other.example:8443', 'capacitor://localhost'],
      ...['https://a.wild.example', 'https://b.a.wild.example'],
    ]) {
      const listed = await connect(url, { headers: { origin } });
      listed.close();
    }
    for (const origin of [
      ...['https://app.example.evil.example', 'http://app.example', 'null', url],
      ...['https://wild.example', 'https://evilwild.example', 'capacitor://elsewhere'],
    ]) {
      expect(await refusedHandshake(url, { headers: { origin } })).toMatchObject({
        code: 'origin_forbidden',
      });
    }
  });

  test.each([
    [undefined, 'node:3001', undefined, true],
    ['http://node:3002', 'node:3001', undefined, true],
    ['http://node.evil', 'node:3001', undefined, false],
    ['null', 'node:3001', undefined, false],
    ['http://[::1]:80', '[::1]:3001', undefined, true],
    ['http://localhost:5173', '127.0.0.1:3001', undefined, true],
    ['http://127.0.0.1:5173', 'node:3001', undefined, true],
    ['http://localhost.evil.example', '127.0.0.1:3001', undefined, false],
    ['http://localhost:5173', 'node:3001', ['https://app.example'], false],
    ['https://any.example', 'node:3001', ['*'], true],
  ] as const)('origin %s at host %s with %s: %s', (origin, host, allowed, expected) => {
    expect(isOriginAllowed(origin, host, allowed)).toBe(expected);
  });
});

test('behind a proxy people of one name are told apart by where they come from', async () => {
  const { url } = await oneNode({ TRUST_PROXY: 'true' });
  const from = async (address: string) => {
    const client = await connect(url, { headers: { 'x-forwarded-for': `10.0.0.1, ${address}` } });
    closers.push(() => client.close());
    return client;
  };
  const host = await from('203.0.113.1');
  await host.join('blue');
  const { self } = await (await from('203.0.113.2')).join('blue', { name: 'Bob' });
  expect(await host.request('moderate', { action: 'ban', peer: self.id })).toMatchObject({ ok: true });
  const again = await from('203.0.113.2');
  expect(await again.ask('join', { id: 1, room: 'blue', name: 'Bob' })).toMatchObject({
    error: { code: 'banned' },
  });
  await (await from('203.0.113.3')).join('blue', { name: 'Bob' });
});

test('only WebSocket is served: polling needs sticky sessions', async () => {
  const { url } = await oneNode();
  const polling = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
  expect(polling.status).toBe(400);
});

test('a namespace other than / is refused', async () => {
  const { url } = await oneNode();
  await expect(connect(`${url}/other`)).rejects.toThrow('Invalid namespace');
});

test('nothing is kept of the request with which a connection began, while it is open', async () => {
  const { url } = await oneNode();
  const requests = watchUpgrades();
  const client = await connect(url);
  closers.push(() => client.close());
  expect(requests).toHaveLength(1);
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  await expect
    .poll(() => {
      collectGarbage();
      return requests[0]?.deref();
    })
    .toBeUndefined();
  expect((await client.join('blue')).self.id).toBeTypeOf('string');
});

/** The requests that any server of this process gets from now on, without keeping them. */
function watchUpgrades(): readonly WeakRef<IncomingMessage>[] {
  const requests: WeakRef<IncomingMessage>[] = [];
  const { emit } = Server.prototype;
  Server.prototype.emit = function (this: Server, name: string, ...args: unknown[]) {
    if (name === 'upgrade' && args[0] instanceof IncomingMessage) requests.push(new WeakRef(args[0]));
    return Reflect.apply(emit, this, [name, ...args]);
  } as typeof emit;
  closers.push(() => {
    Server.prototype.emit = emit;
  });
  return requests;
}
