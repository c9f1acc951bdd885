import { lookup } from 'node:dns/promises';
import { type IncomingMessage, request } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster, type TestNode } from '../support/cluster.ts';
import { connect } from '../support/plain-client.ts';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

async function oneNode(settings: Record<string, string> = {}): Promise<TestNode> {
  cluster = await startCluster({ backplane: 'memory', nodes: 1, settings });
  return cluster.nodes[0];
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Asks as a browser would that knows the node by another name. */
function ask(url: string, host: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { ...headers, host }, agent: false });
    const answered = async (response: IncomingMessage) =>
      resolve({ status: response.statusCode ?? 0, body: await text(response) });
    asked.on('response', answered).on('error', reject);
    asked.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy();
      resolve({ status: statusCode, body: '' });
    });
    asked.end();
  });
}

/** What comes back before the connection is closed. */
function send(url: string, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port, hostname: to } = new URL(url);
    const socket = connectTcp(Number(port), to, () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    let received = '';
    socket.on('data', (chunk) => (received += chunk));
    socket.on('close', () => resolve(received)).on('error', reject);
  });
}

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const SOCKET = '/socket.io/?EIO=4&transport=websocket';

const statusOf = async (url: string, host: string) => (await ask(url, host)).status;
/** Of each listener one route. */
const statusesAt = async ({ url, opsUrl }: TestNode, host: string) => [
  await statusOf(`${url}/regions`, host),
  await statusOf(`${opsUrl}/livez`, host),
];

describe('a name that somebody else points at the node (DNS rebinding)', () => {
  const evil = (url: string) => `evil.example:${new URL(url).port}`;

  test('gets no page, no ICE servers and no regions, and learns which setting would change that', async () => {
    const { url } = await oneNode({ TURN_URLS: 'turn:turn.example', TURN_SECRET: 't'.repeat(32) });
    const host = evil(url);
    for (const path of [
      '/',
      '/ice',
      '/regions',
      '/index.html',
      '/nowhere',
      '/socket.io/?EIO=4&transport=polling',
    ]) {
      const answer = await ask(`${url}${path}`, host, { origin: `http://${host}` });
      expect(answer, path).toEqual({ status: 421, body: expect.stringContaining('ALLOWED_HOSTS') });
      expect(JSON.parse(answer.body)).toMatchObject({ ok: false, error: { code: 'unknown_host' } });
      expect(answer.body).not.toContain('turn');
    }
  });

  test('gets no WebSocket: the upgrade is refused before there is a connection', async () => {
    const { url, opsUrl } = await oneNode();
    const host = evil(url);
    const answer = await ask(`${url}${SOCKET}`, host, { ...UPGRADE, origin: `http://${host}` });
    expect(answer).toEqual({ status: 421, body: expect.stringContaining('ALLOWED_HOSTS') });
    const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^signaling_connections_opened_total 0$/m);
    expect(metrics).toMatch(/^signaling_hosts_refused_total\{port="clients"\} 1$/m);
    expect(metrics).toMatch(/^signaling_hosts_refused_total\{port="operators"\} 0$/m);
    expect(metrics).not.toMatch(/^signaling_handshakes_refused_total\S* [1-9]/m);
    const [own, origin] = [`localhost:${new URL(url).port}`, `http://localhost:${new URL(url).port}`];
    expect(await ask(`${url}${SOCKET}`, own, { ...UPGRADE, origin })).toMatchObject({ status: 101 });
  });

  test("gets nothing of the operators' port", async () => {
    const token = 'a'.repeat(32);
    const { opsUrl } = await oneNode({ ADMIN_TOKEN: token });
    const headers = { authorization: `Bearer ${token}` };
    for (const path of [
      '/metrics',
      '/admin/v1/nodes',
      '/admin/v1/openapi.json',
      '/console',
      '/readyz',
      '/x',
    ]) {
      const answer = await ask(`${opsUrl}${path}`, evil(opsUrl), headers);
      expect(answer, path).toEqual({ status: 421, body: expect.stringContaining('ALLOWED_HOSTS') });
    }
    const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^signaling_hosts_refused_total\{port="operators"\} 6$/m);
    expect(await ask(`${opsUrl}/admin/v1/nodes`, 'localhost', headers)).toMatchObject({ status: 200 });
  });
});

describe('by itself a node is known', () => {
  /** As they stand now: containers come and go on a machine that runs tests. */
  const ownAddresses = () =>
    Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .map(({ family, address }) => (family === 'IPv6' ? `[${address}]` : address));

  test('on both ports, by loopback, its own addresses and the host’s name, with any port and in any spelling', async () => {
    const before = ownAddresses();
    const node = await oneNode();
    for (const host of ['localhost', 'LOCALHOST.:80', '127.9.9.9:1', '[::1]:3001', hostname()])
      expect(await statusesAt(node, host), host).toEqual([200, 200]);
    for (const host of before) {
      const statuses = await statusesAt(node, host);
      if (ownAddresses().includes(host)) expect(statuses, host).toEqual([200, 200]);
    }
  });

  test('by no other name or address', async () => {
    const node = await oneNode();
    for (const host of ['evil.example', 'localhost.evil.example', '192.0.2.1', '[2001:db8::1]', '128.0.0.1'])
      expect(await statusesAt(node, host), host).toEqual([421, 421]);
  });

  test('where it listens as localhost, at each of its addresses', async () => {
    const { url } = await oneNode({ HOST: 'localhost' });
    for (const { address, family } of await lookup('localhost', { all: true })) {
      const target = `http://${family === 6 ? `[${address}]` : address}:${new URL(url).port}`;
      expect(await statusOf(`${target}/regions`, 'localhost'), target).toBe(200);
      expect(await statusOf(`${target}/regions`, 'evil.example'), target).toBe(421);
      expect((await ask(`${target}${SOCKET}`, 'evil.example', UPGRADE)).status, target).toBe(421);
    }
  });

  test('where it listens at every address, that is no name of it', async () => {
    const node = await oneNode({ HOST: '0.0.0.0', OPS_HOST: '0.0.0.0' });
    expect(await statusesAt(node, '0.0.0.0')).toEqual([421, 421]);
    expect(await statusesAt(node, '[::]')).toEqual([421, 421]);
  });

  test('to clients, by the host of PUBLIC_URL and those of ALLOWED_ORIGINS; to operators by neither', async () => {
    const node = await oneNode({
      PUBLIC_URL: 'https://bj.example:8443/?region=beijing',
      ALLOWED_ORIGINS: 'https://app.example http://[2001:db8::7]:8080',
    });
    for (const host of ['bj.example', 'app.example:8443', '[2001:db8:0::7]:8080'])
      expect(await statusesAt(node, host), host).toEqual([200, 421]);
    for (const host of ['www.bj.example', 'app.example.evil.example'])
      expect(await statusesAt(node, host), host).toEqual([421, 421]);
  });

  test('a page of an allowed origin comes in under the name of another', async () => {
    const { url } = await oneNode({
      ALLOWED_ORIGINS: 'https://app.example',
      PUBLIC_URL: 'https://bj.example',
    });
    const client = await connect(url, { headers: { host: 'bj.example', origin: 'https://app.example' } });
    expect((await client.join('blue')).self.id).toBeTypeOf('string');
    client.close();
  });
});

describe('ALLOWED_HOSTS', () => {
  test('adds names and addresses on both ports, and these alone', async () => {
    const node = await oneNode({ ALLOWED_HOSTS: 'Calls.Example, beijing_1 203.0.113.9 2001:db8::1' });
    for (const host of [
      'calls.example:3001',
      'beijing_1:9101',
      '203.0.113.9',
      '[2001:DB8::1]:80',
      'localhost',
    ])
      expect(await statusesAt(node, host), host).toEqual([200, 200]);
    for (const host of [
      'www.calls.example',
      'calls.example.evil',
      'beijing_11',
      '203.0.113.8',
      '[2001:db8::2]',
    ])
      expect(await statusesAt(node, host), host).toEqual([421, 421]);
  });

  test('does not change which pages may connect', async () => {
    const { url } = await oneNode({ ALLOWED_HOSTS: 'calls.example' });
    const from = (origin: string) => ask(`${url}/ice`, 'calls.example', { origin });
    expect((await from('https://calls.example')).status).toBe(200);
    expect((await from('https://evil.example')).status).toBe(403);
  });

  test('with * lets every name be one of the node', async () => {
    const node = await oneNode({ ALLOWED_HOSTS: '*' });
    expect(await statusesAt(node, 'evil.example')).toEqual([200, 200]);
    expect((await ask(`${node.url}${SOCKET}`, 'evil.example', UPGRADE)).status).toBe(101);
  });
});

describe('a request', () => {
  test('with several Hosts, or what is no Host, is malformed', async () => {
    const { url, opsUrl } = await oneNode();
    for (const [target, path] of [
      [url, '/regions'],
      [opsUrl, '/livez'],
    ] as const) {
      const get = (...hosts: string[]) =>
        send(target, [`GET ${path} HTTP/1.1`, ...hosts.map((host) => `Host: ${host}`), 'Connection: close']);
      expect(await get('localhost')).toMatch(/^HTTP\/1\.1 200 /);
      for (const hosts of [['localhost', 'localhost'], ['localhost', 'evil.example'], ['x@localhost'], ['']])
        expect(await get(...hosts), hosts.join()).toMatch(/^HTTP\/1\.1 400 /);
    }
  });

  test('to upgrade with several Hosts is refused, too', async () => {
    const { url } = await oneNode();
    const upgrade = Object.entries(UPGRADE).map(([name, value]) => `${name}: ${value}`);
    const answer = await send(url, [
      `GET ${SOCKET} HTTP/1.1`,
      'Host: localhost',
      'Host: a.example',
      ...upgrade,
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('without a Host is none of a browser: load balancers ask so, in HTTP/1.0', async () => {
    const { opsUrl } = await oneNode();
    expect(await send(opsUrl, ['GET /readyz HTTP/1.0'])).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('is judged by its Host, whatever it says in X-Forwarded-Host', async () => {
    const { url } = await oneNode({ TRUST_PROXY: 'true' });
    const forwarded = (name: string) => ({ 'x-forwarded-host': name, 'x-forwarded-for': '192.0.2.1' });
    expect((await ask(`${url}/regions`, 'evil.example', forwarded('localhost'))).status).toBe(421);
    expect((await ask(`${url}/regions`, 'localhost', forwarded('evil.example'))).status).toBe(200);
  });
});
