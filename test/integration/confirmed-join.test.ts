import { afterEach, expect, inject, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { startDelayProxy } from '../support/delay-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { connect } from '../support/plain-client.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';

const SUBSCRIBING_MS = 200;

let cluster: TestCluster;
let proxy: TcpProxy;
afterEach(async () => {
  await cluster?.stop();
  await proxy?.stop();
});

test('a join is acknowledged once its node hears, so what is sent at once after it arrives', async () => {
  const { port } = new URL(inject('redisUrl'));
  let hearsAtMs = Infinity;
  // Only subscriptions are slow on Beijing's way: its scripts overtake them.
  proxy = await startDelayProxy(Number(port), (chunk) => {
    if (!isSubscription(chunk)) return 0;
    hearsAtMs = performance.now() + SUBSCRIBING_MS;
    return SUBSCRIBING_MS;
  });
  cluster = await startCluster({ redisUrl: [`redis://127.0.0.1:${proxy.port}`, inject('redisUrl')] });
  const ann = await connect(cluster.nodes[0].url);
  const bob = await connect(cluster.nodes[1].url);
  await bob.join('blue');
  hearsAtMs = Infinity;
  proxy.cut();

  const joined = (await eventually(
    async () => {
      const reply = (await ann.ask('join', { id: 1, room: 'blue' })) as { ok: boolean; self: { id: string } };
      return reply.ok && reply;
    },
    { everyMs: 5, what: 'a join' },
  )) as { self: { id: string } };
  expect(performance.now()).toBeGreaterThan(hearsAtMs);
  await bob.request('signal', { to: joined.self.id, candidate: null });

  // At once, not when heads are compared a few seconds later.
  expect(await ann.next('signal', 1_000)).toMatchObject({ candidate: null });
  for (const each of [ann, bob]) each.close();
});

test('a node whose subscription is confirmed too late asks again, and takes joins from then on', async () => {
  const { port } = new URL(inject('redisUrl'));
  let delays = 1;
  // Longer than a node waits for it.
  proxy = await startDelayProxy(Number(port), (chunk) => (isSubscription(chunk) && delays-- > 0 ? 600 : 0));
  cluster = await startCluster({ redisUrl: [`redis://127.0.0.1:${proxy.port}`, inject('redisUrl')] });
  const ann = await connect(cluster.nodes[0].url);
  await eventually(async () => ((await ann.ask('join', { id: 1, room: 'blue' })) as { ok: boolean }).ok, {
    what: 'a join',
  });
  ann.close();
});

/** Of a node to its own channel, on which all rooms ring. */
function isSubscription(chunk: Buffer): boolean {
  const text = chunk.toString('latin1').toLowerCase();
  return text.includes('ssubscribe') && text.includes(':node:');
}
