import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN_TOKEN, admin } from '../support/admin.ts';
import { capabilities } from '../support/capabilities.ts';
import { type ClusterOptions, startCluster, type TestCluster, type TestNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { startNodeProcesses } from '../support/node-processes.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';
import { startLocalRedis } from '../support/redis.ts';

const people: PlainClient[] = [];
let cluster: TestCluster | undefined;
afterEach(async () => {
  for (const each of people.splice(0)) each.close();
  await cluster?.stop();
  cluster = undefined;
});

/** Nodes that know of each other. */
async function nodes(options: ClusterOptions = {}): Promise<TestCluster['nodes']> {
  cluster = await startCluster({ ...options, settings: { ADMIN_TOKEN, ...options.settings } });
  for (const node of cluster.nodes) await untilItKnows(node, cluster.nodes.length);
  return cluster.nodes;
}

async function untilItKnows(node: Pick<TestNode, 'opsUrl'>, count: number): Promise<void> {
  await eventually(async () => (await admin(node, '/nodes')).nodes?.length === count, {
    what: `a node that knows ${count}`,
    timeoutMs: 10_000,
  });
}

async function crowd(node: { readonly url: string }, count: number): Promise<PlainClient[]> {
  // A busy node turns newcomers away for a moment; they come again.
  const one = () => eventually(() => connect(node.url), { timeoutMs: 20_000, what: 'a connection' });
  const clients = (await Promise.all(Array.from({ length: count }, one))) as PlainClient[];
  people.push(...clients);
  return clients;
}

const text = 'Wartung um 20 Uhr. 二十点维护。';

describe.each([
  ['Redis', { backplane: 'redis' }],
  ['memory', { backplane: 'memory' }],
] as const)('an announcement on %s', (_, options) => {
  test('to everyone reaches each of 300 connections on three nodes once', async () => {
    const all = await nodes({ ...options, nodes: 3 });
    const clients = (await Promise.all(all.map((node) => crowd(node, 100)))).flat();
    const told = await admin(all[1], '/announcements', { level: 'warning', text });
    expect(told).toEqual({
      status: 200,
      ok: true,
      id: expect.stringMatching(/^[A-Za-z0-9_-]{16}$/),
      connections: 300,
      nodes: expect.arrayContaining(all.map(({ id }) => ({ id, connections: 100 }))),
      silent: [],
    });
    for (const client of clients)
      expect(await client.next('announcement')).toEqual({ id: told.id, level: 'warning', text });
    // A second one comes after whatever might still be on its way of the first.
    await admin(all[0], '/announcements', { level: 'info', text: 'that was all' });
    for (const client of clients) await client.next('announcement');
    for (const client of clients) expect(client.all('announcement')).toHaveLength(2);
  });

  test('to a region, a node or a room reaches those who are there, and nobody else', async () => {
    const [beijing, shanghai, beijingToo] = (await nodes({ ...options, nodes: 3 })) as [
      TestNode,
      TestNode,
      TestNode,
    ];
    const [ann, bob, carol] = (
      await Promise.all([beijing, shanghai, beijingToo].map((node) => crowd(node, 1)))
    ).flat() as [PlainClient, PlainClient, PlainClient];
    await ann.join('blue');
    await bob.join('blue');
    await carol.join('red');
    const say = async (text: string, to: object) => {
      const { status, nodes, silent } = await admin(shanghai, '/announcements', { level: 'info', text, to });
      expect({ status, silent }).toEqual({ status: 200, silent: [] });
      return Object.fromEntries(
        nodes.map((each: { id: string; connections: number }) => [each.id, each.connections]),
      );
    };
    expect(await say('region', { region: 'beijing' })).toEqual({ 'beijing-1': 1, 'beijing-2': 1 });
    expect(await say('node', { node: 'beijing-2' })).toEqual({ 'beijing-2': 1 });
    expect(await say('room', { room: 'blue' })).toMatchObject({
      'beijing-1': 1,
      'shanghai-1': 1,
      'beijing-2': 0,
    });
    expect(await say('nobody', { room: 'empty' })).toMatchObject({ 'beijing-1': 0 });
    await say('all', { room: 'red@main' });
    const heard = async (client: PlainClient, last: string) => {
      await eventually(() => client.all('announcement').at(-1)?.text === last, { what: last });
      return client.all('announcement').map((each) => each.text);
    };
    expect(await heard(ann, 'room')).toEqual(['region', 'room']);
    expect(await heard(bob, 'room')).toEqual(['room']);
    expect(await heard(carol, 'all')).toEqual(['region', 'node', 'all']);
  });
});

test.skipIf(!capabilities.redisServer)(
  'a node that hangs is named within about a second, while the others tell their people',
  async () => {
    const redis = await startLocalRedis();
    onTestFinished(() => redis.stop());
    const processes = await startNodeProcesses(redis.url, { ADMIN_TOKEN });
    onTestFinished(() => processes.stop());
    const [beijing, shanghai] = processes.nodes;
    await untilItKnows(beijing, 2);
    const [ann] = (await crowd(beijing, 1)) as [PlainClient];
    await crowd(shanghai, 1);
    shanghai.pause();
    const startedAtMs = performance.now();
    const told = await admin(beijing, '/announcements', { level: 'info', text });
    expect(performance.now() - startedAtMs).toBeLessThan(1_500);
    expect(told).toMatchObject({
      status: 200,
      connections: 1,
      nodes: [{ id: beijing.id, connections: 1 }],
      silent: [shanghai.id],
    });
    expect(await ann.next('announcement')).toMatchObject({ text });
  },
);

test.each([
  ['no level', { text }, 'level'],
  ['no text', { level: 'info' }, 'text'],
  ['an unknown level', { level: 'shout', text }, 'level'],
  ['an empty text', { level: 'info', text: '' }, 'text'],
  ['a text of 501 characters', { level: 'info', text: '烽'.repeat(501) }, '500'],
  ['an audience of nothing', { level: 'info', text, to: {} }, 'to'],
  ['an audience of two kinds', { level: 'info', text, to: { region: 'beijing', node: 'beijing-1' } }, 'to'],
  ['a room that cannot be', { level: 'info', text, to: { room: 'a{b}' } }, 'room'],
  ['a room of another cluster', { level: 'info', text, to: { room: 'blue@mars' } }, 'room'],
])('%s is refused, and the fault named', async (_, body, named) => {
  const [node] = await nodes({ backplane: 'memory', nodes: 1 });
  const refused = await admin(node, '/announcements', body);
  expect(refused).toMatchObject({ status: 400, ok: false, error: { code: 'invalid_request' } });
  expect(refused.error.message).toContain(named);
});

test('for a node that is not there is refused', async () => {
  const [node] = await nodes({ backplane: 'memory', nodes: 1 });
  expect(
    await admin(node, '/announcements', { level: 'info', text, to: { node: 'beijing-7' } }),
  ).toMatchObject({ status: 404, error: { code: 'node_not_found' } });
});
