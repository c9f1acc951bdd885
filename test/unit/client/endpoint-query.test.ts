import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';

import { join, surveyRegions } from '../../../services/client/index.ts';

test.each([
  ['/?region=beijing', '/socket.io/'],
  ['/fenghuo?region=beijing', '/fenghuo/socket.io/'],
  ['/calls/fenghuo/?region=beijing', '/calls/fenghuo/socket.io/'],
])(
  "an endpoint's path and query go along with its handshake, for what stands in front: %s",
  async (endpoint, path) => {
    const balancer = createServer();
    balancer.listen(0, '127.0.0.1');
    await once(balancer, 'listening');
    const { port } = balancer.address() as AddressInfo;
    const upgrade = once(balancer, 'upgrade');
    const session = join(`http://127.0.0.1:${port}${endpoint}`, { room: 'blue', name: 'Wei' });
    session.joined.catch(() => {});
    const [request, socket] = (await upgrade) as [IncomingMessage, { destroy(): void }];
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://balancer');
    expect(pathname).toBe(path);
    expect(searchParams.get('region')).toBe('beijing');
    expect(searchParams.get('transport')).toBe('websocket');
    socket.destroy();
    session.leave();
    balancer.close();
  },
);

test("regions are asked for under an endpoint's path, too", async () => {
  const asked: string[] = [];
  const fetch = async (url: unknown) => {
    asked.push(String(url));
    return new Response('{}', { status: 404 });
  };
  await surveyRegions(['http://calls.example/fenghuo?region=beijing'], {
    fetch: fetch as typeof globalThis.fetch,
  });
  expect(asked).toEqual(['http://calls.example/fenghuo/regions?region=beijing']);
});
