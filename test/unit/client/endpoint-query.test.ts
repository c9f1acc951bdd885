import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';

import { join } from '../../../services/client/index.ts';

test("an endpoint's query goes along with its handshake, for the load balancer in front; the path stays", async () => {
  const balancer = createServer();
  balancer.listen(0, '127.0.0.1');
  await once(balancer, 'listening');
  const { port } = balancer.address() as AddressInfo;
  const upgrade = once(balancer, 'upgrade');
  const session = join(`http://127.0.0.1:${port}/?region=beijing`, { room: 'blue', name: 'Wei' });
  session.joined.catch(() => {});
  const [request, socket] = (await upgrade) as [IncomingMessage, { destroy(): void }];
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://balancer');
  expect(pathname).toBe('/socket.io/');
  expect(searchParams.get('region')).toBe('beijing');
  expect(searchParams.get('transport')).toBe('websocket');
  socket.destroy();
  session.leave();
  balancer.close();
});
