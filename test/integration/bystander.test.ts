import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { type CountingProxy, startCountingProxy } from '../support/counting-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { connect } from '../support/plain-client.ts';

/** Three nodes, each with a proxy of its own on its way to Redis. */
let cluster: TestCluster;
let proxies: CountingProxy[];
beforeAll(async () => {
  const { port } = new URL(inject('redisUrl'));
  proxies = await Promise.all([1, 2, 3].map(() => startCountingProxy(Number(port))));
  cluster = await startCluster({
    nodes: 3,
    redisUrl: proxies.map((proxy) => `redis://127.0.0.1:${proxy.port}`),
  });
});
afterAll(async () => {
  await cluster?.stop();
  for (const proxy of proxies ?? []) await proxy.stop();
});

const WINDOW_MS = 4_000;
const MESSAGES = 400;
const DATA = 'x'.repeat(1_000);

test('a node without a peer in the room receives no byte of it, durable or ephemeral, directed or not', async () => {
  const [ann, bob] = await Promise.all([connect(cluster.nodes[0].url), connect(cluster.nodes[1].url)]);
  // The bystander has people of its own, in another room.
  const stranger = await connect(cluster.nodes[2]?.url ?? '');
  await stranger.join('elsewhere');
  await ann.join('busy');
  const { self } = await bob.join('busy');

  const idle = await bytesDuring(async () => {});
  const busy = await bytesDuring(async () => {
    for (let n = 0; n < MESSAGES; n++) {
      await ann.request('message', { topic: 'load', data: DATA });
      await ann.ask('message', { topic: 'load', data: DATA, ephemeral: true });
      await ann.ask('message', { topic: 'load', data: DATA, ephemeral: true, to: self.id });
    }
    expect(bob.all('message').length).toBeGreaterThanOrEqual(MESSAGES);
  });

  // What remains are its heartbeats and probes, as many in the same time; one of them may fall on either side.
  const expected = ((idle.bytes[2] ?? 0) * busy.elapsedMs) / idle.elapsedMs;
  expect(busy.bytes[2]).toBeLessThan(expected * 1.25 + 500);
  expect(busy.bytes[1]).toBeGreaterThan(2.5 * MESSAGES * DATA.length);
  for (const each of [ann, bob, stranger]) each.close();
});

test('however many are in a room, a node listens to one channel of it for what is ephemeral', async () => {
  const redis = new Redis(inject('redisUrl'));
  const people = await Promise.all([0, 0, 0, 1].map((node) => connect(cluster.nodes[node]?.url ?? '')));
  const channels = () =>
    redis.call('PUBSUB', 'SHARDCHANNELS', `${cluster.keyPrefix}:io#/#*`) as Promise<string[]>;
  const before = (await channels()).length;
  for (const each of people) await each.join('meeting');
  const room = await eventually(async () => {
    const all = await channels();
    expect(all.length).toBeGreaterThan(before);
    return all;
  });
  expect(room).toHaveLength(before + 1);
  for (const each of people) each.close();
  redis.disconnect();
});

/** What Redis sent to each node meanwhile, and how long that was: on a busy machine the action takes longer than the window. */
async function bytesDuring(action: () => Promise<void>) {
  const sinceMs = performance.now();
  for (const proxy of proxies) proxy.reset();
  const over = new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
  await action();
  await over;
  return { bytes: proxies.map((proxy) => proxy.bytesToClient), elapsedMs: performance.now() - sinceMs };
}
