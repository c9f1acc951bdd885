import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { doctor } from '../../services/signaling/doctor/index.ts';
import { capabilities } from '../support/capabilities.ts';
import { startCluster, type TestCluster, type TestNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect } from '../support/plain-client.ts';
import { type LocalRedis, startLocalRedis } from '../support/redis.ts';

const ADMIN_TOKEN = 'aT7xQ2mVk9LcR4sWb8HdY3fJn6PgZ1eU';
const KEY_PREFIX = 'fenghuo';

/** What shares a Redis, and is not to be taken for one. */
describe.skipIf(!capabilities.redisServer)('one Redis', () => {
  let redis: LocalRedis;
  const clusters: TestCluster[] = [];
  beforeAll(async () => {
    redis = await startLocalRedis();
  });
  afterEach(async () => {
    for (const cluster of clusters.splice(0)) await cluster.stop();
    await redis.flush();
  });
  afterAll(() => redis.stop());

  async function start(database: number, settings: Record<string, string> = {}): Promise<TestCluster> {
    const cluster = await startCluster({
      redisUrl: `${redis.url}/${database}`,
      keyPrefix: KEY_PREFIX,
      settings: { ADMIN_TOKEN, ...settings },
    });
    clusters.push(cluster);
    return cluster;
  }

  test('two living processes of one NODE_ID both serve, lose nobody, and say so', async () => {
    const { nodes } = await start(0, { NODE_ID: 'twin' });
    const [ann, bob] = [await connect(nodes[0].url), await connect(nodes[1].url)];
    let dropped = 0;
    for (const each of [ann, bob]) each.socket.on('disconnect', () => dropped++);
    await ann.join('blue');
    await bob.join('blue');
    for (const node of nodes)
      await eventually(
        async () => expect(await told(node)).toMatch(/NODE_ID: 1 more living bear the name twin/),
        {
          timeoutMs: 10_000,
        },
      );
    await eventually(async () => {
      const { nodes: listed } = await admin(nodes[0], 'nodes');
      expect(listed).toMatchObject([{ id: 'twin', processes: 2, peers: 2 }]);
    });
    await ann.request('message', { topic: 'chat', data: 'still here' });
    expect(await bob.next('message')).toMatchObject({ data: 'still here' });
    expect(dropped).toBe(0);
    expect(await examined({ REDIS_URL: redis.url, NODE_ID: 'twin' })).toContain(
      '2 more living bear the name twin',
    );
    expect(await examined({ REDIS_URL: redis.url, NODE_ID: 'single' })).toContain(
      'nobody else is named single',
    );
    for (const each of [ann, bob]) each.close();
  });

  test('clusters in two of its databases hear nothing of each other', async () => {
    const [first, second] = [await start(0), await start(1)];
    const [ann, bob, carl] = await Promise.all(
      [first.nodes[0], second.nodes[0], second.nodes[1]].map(({ url }) => connect(url)),
    );
    for (const each of [ann, bob, carl]) await each?.join('blue');
    await ann?.ask('message', { topic: 'chat', data: 'from the first', ephemeral: true });
    await admin(first.nodes[0], 'announcements', { level: 'info', text: 'to the first' });
    await carl?.ask('message', { topic: 'chat', data: 'from the second', ephemeral: true });
    await admin(second.nodes[1], 'announcements', { level: 'info', text: 'to the second' });
    expect(await bob?.next('message')).toMatchObject({ data: 'from the second' });
    expect(await bob?.next('announcement')).toMatchObject({ text: 'to the second' });
    for (const each of [ann, bob, carl]) each?.close();
  });

  test('a database that it does not have makes no node ready, and nobody writes into another one', async () => {
    const started = startCluster({ nodes: 1, redisUrl: `${redis.url}/16`, keyPrefix: KEY_PREFIX });
    await expect(started).rejects.toThrow(/is not ready.*DB index is out of range/);
    const client = new Redis(redis.url);
    expect(await client.dbsize()).toBe(0);
    client.disconnect();
  });
});

async function told(node: TestNode): Promise<string> {
  const answer = await fetch(`${node.opsUrl}/readyz`);
  expect(answer.status).toBe(200);
  const { warnings = [] } = (await answer.json()) as { warnings?: string[] };
  return warnings.join();
}

async function examined(environment: Record<string, string>): Promise<string> {
  let text = '';
  await doctor([], { AUTH: 'open', PORT: '0', OPS_PORT: '0', ...environment }, (part) => {
    text += part;
  });
  return text;
}

// biome-ignore lint/suspicious/noExplicitAny: each route answers with members of its own
async function admin(node: TestNode, route: string, body?: object): Promise<any> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
  const how = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const answer = await fetch(`${node.opsUrl}/admin/v1/${route}`, { headers, ...how });
  expect(answer.ok).toBe(true);
  return answer.json();
}
