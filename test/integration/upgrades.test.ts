import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({ backplane: 'memory', nodes: 1, settings: { ADMIN_TOKEN: 't'.repeat(32) } });
});
afterAll(() => cluster.stop());

type Headers = Readonly<Record<string, string>>;

interface Asked {
  readonly method?: string;
  readonly version?: string;
  readonly headers?: Headers;
  readonly body?: string;
}

/** Sends one request by hand, and reads what comes back before the connection ends, or until `isEnough`. */
function send(url: string, path: string, asked: Asked = {}, isEnough = isWhole): Promise<string> {
  const { method = 'GET', version = '1.1', headers = {}, body = '' } = asked;
  const { port, hostname, host } = new URL(url);
  const fields = { host, ...headers, ...(body && { 'content-length': String(body.length) }) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = connectTcp(Number(port), hostname, () =>
      socket.write(`${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n${body}`),
    );
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
      if (isEnough(received)) socket.destroy();
    });
    socket.on('close', () => resolve(received)).on('error', reject);
  });
}

/** The head, and as much of a body as it announces. */
function isWhole(received: string): boolean {
  const [head = '', ...rest] = received.split('\r\n\r\n');
  if (/^transfer-encoding: chunked/im.test(head)) return received.endsWith('\r\n0\r\n\r\n');
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.POSITIVE_INFINITY);
  return rest.length > 0 && Buffer.byteLength(rest.join('\r\n\r\n')) >= length;
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
const jsonOf = (answer: string) => JSON.parse(/\{.*\}/s.exec(answer)?.[0] ?? '');

/** As curl --http2 and Java's HttpClient offer it with every first request. */
const H2C = {
  connection: 'Upgrade, HTTP2-Settings',
  upgrade: 'h2c',
  'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
};
const WEB_SOCKET = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const PATH = '/socket.io/?EIO=4&transport=websocket';

describe('what offers HTTP/2 is answered in HTTP/1.1', () => {
  test('at the clients’ port', async () => {
    const answer = await send(cluster.nodes[0].url, '/regions', { headers: H2C });
    expect(statusOf(answer)).toBe(200);
    expect(jsonOf(answer)).toHaveProperty('regions');
  });

  test('at the operators’ port, an order with a body too', async () => {
    const { opsUrl } = cluster.nodes[0];
    expect(statusOf(await send(opsUrl, '/livez', { headers: H2C }))).toBe(200);
    const headers = { ...H2C, authorization: `Bearer ${'t'.repeat(32)}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ level: 'info', text: 'Hello' });
    const announced = await send(opsUrl, '/admin/v1/announcements', { method: 'POST', headers, body });
    expect(jsonOf(announced)).toMatchObject({ ok: true, connections: 0 });
  });

  test('at the path of WebSockets', async () => {
    expect(jsonOf(await send(cluster.nodes[0].url, PATH, { headers: H2C }))).toEqual({
      code: 3,
      message: 'Bad request',
    });
  });
});

test.each(['/', '/nowhere', '/socket.io', '/ws'])('no WebSocket is at %s', async (path) => {
  const { url, opsUrl } = cluster.nodes[0];
  const plain = statusOf(await send(url, path));
  expect(statusOf(await send(url, path, { headers: WEB_SOCKET }))).toBe(plain);
  expect(statusOf(await send(opsUrl, path, { headers: WEB_SOCKET }))).toBe(404);
});

test.each([
  ['an old protocol', '/socket.io/?EIO=3&transport=websocket', {}, 400, 5, 'Unsupported protocol version'],
  ['an unknown session', `${PATH}&sid=unknown`, {}, 400, 1, 'Session ID unknown'],
  ['another transport', '/socket.io/?EIO=4&transport=polling', {}, 400, 0, 'Transport unknown'],
  ['a key that is none', PATH, { 'sec-websocket-key': 'short' }, 400, 3, expect.stringContaining('-Key')],
  ['another version', PATH, { 'sec-websocket-version': '7' }, 426, 3, expect.stringContaining('-Version')],
])(
  'who asks for a WebSocket with %s learns why there is none',
  async (_, path, headers, status, code, message) => {
    const answer = await send(
      cluster.nodes[0].url,
      path,
      { headers: { ...WEB_SOCKET, ...headers } },
      () => false,
    );
    expect(statusOf(answer)).toBe(status);
    expect(jsonOf(answer)).toEqual({ code, message });
    if (status === 426) expect(answer).toMatch(/^sec-websocket-version: 13/im);
  },
);

test('what is no WebSocket by its method or its HTTP is answered as any other request', async () => {
  const { url } = cluster.nodes[0];
  const posted = await send(url, PATH, { method: 'POST', headers: WEB_SOCKET });
  expect(jsonOf(posted)).toMatchObject({ code: 3 });
  expect(jsonOf(await send(url, PATH, { version: '1.0', headers: WEB_SOCKET }))).toMatchObject({ code: 3 });
});

test.each(['WebSocket', 'websocket, h2c', 'h2c, websocket'])(
  'an offer of %s becomes a WebSocket',
  async (upgrade) => {
    const asked = { headers: { ...WEB_SOCKET, upgrade } };
    const answer = await send(cluster.nodes[0].url, PATH, asked, (received) => received.includes('"sid"'));
    expect(statusOf(answer)).toBe(101);
  },
);
