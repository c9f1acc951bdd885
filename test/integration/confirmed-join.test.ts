import { afterEach, expect, inject, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { startDelayProxy } from '../support/delay-proxy.ts';
import { connect } from '../support/plain-client.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';

const SUBSCRIBING_MS = 200;

let cluster: TestCluster;
let proxy: TcpProxy;
afterEach(async () => {
  await cluster?.stop();
  await proxy?.stop();
});

test('a join is acknowledged after its subscription was confirmed, so what is sent at once after it arrives', async () => {
  const { port } = new URL(inject('redisUrl'));
  // Only subscriptions of rooms are slow on Beijing's way: its scripts overtake them.
  proxy = await startDelayProxy(Number(port), (chunk) => (isRoomSubscription(chunk) ? SUBSCRIBING_MS : 0));
  cluster = await startCluster({ redisUrl: [`redis://127.0.0.1:${proxy.port}`, inject('redisUrl')] });
  const ann = await connect(cluster.nodes[0].url);
  const bob = await connect(cluster.nodes[1].url);
  await bob.join('blue');

  const askedAtMs = performance.now();
  const { self } = await ann.join('blue');
  expect(performance.now() - askedAtMs).toBeGreaterThan(SUBSCRIBING_MS * 0.9);
  await bob.request('signal', { to: self.id, candidate: null });

  // At once, not when heads are compared a few seconds later.
  expect(await ann.next('signal', 1_000)).toMatchObject({ candidate: null });
  for (const each of [ann, bob]) each.close();
});

function isRoomSubscription(chunk: Buffer): boolean {
  const text = chunk.toString('latin1').toLowerCase();
  return text.includes('ssubscribe') && text.includes(':log');
}
