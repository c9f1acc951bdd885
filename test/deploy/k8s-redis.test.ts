import { globSync, readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN_TOKEN, admin } from '../support/admin.ts';
import { capabilities } from '../support/capabilities.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient, SAMPLE_SDP } from '../support/plain-client.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { passwordOf, startRedisPods, usersAcl } from '../support/redis-pods.ts';

const SOURCES = 'services/signaling/backplane/redis';
const hasRedis = capabilities.redisServer && process.platform === 'linux';

/** The rules of one user, as `ACL SETUSER` takes them. */
function rulesOf(user: string): string[] {
  const line = usersAcl()
    .split('\n')
    .find((each) => each.startsWith(`user ${user} `));
  return line?.split(' ').slice(2) ?? [];
}

test('the nodes may send each command that a script of theirs calls, or that they send themselves', () => {
  const called = globSync(`${SOURCES}/*.lua`).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/redis\.call\('([A-Z]+)'/g)].map(([, name = '']) =>
      name.toLowerCase(),
    ),
  );
  const sent = globSync(`${SOURCES}/*.ts`).flatMap((file) =>
    [
      ...readFileSync(file, 'utf8').matchAll(
        /\b(?:client|commands|master|publisher|subscriber)\.([a-z]+)\(/g,
      ),
    ].map(([, name = '']) => name),
  );
  const commands = [...called, ...sent].filter(
    (name) => !['on', 'once', 'disconnect', 'nodes'].includes(name),
  );
  expect(new Set(commands).size).toBeGreaterThan(30);
  expect(rulesOf('fenghuo')).toEqual(
    expect.arrayContaining([...new Set(commands)].map((name) => `+${name}`)),
  );
});

describe.skipIf(!hasRedis)('nodes whose Redis lets them no further than they need', () => {
  test('do all that they do, on Redis with Sentinel as Kubernetes runs it, while its master is replaced', {
    timeout: 60_000,
  }, async () => {
    const pods = await startRedisPods();
    onTestFinished(pods.stop);
    const [first = '', second = '', third = ''] = pods.hosts;
    const cluster = await startNodes(pods.url);
    const people = await liveALittle(cluster);
    for (const host of pods.hosts) expect(await denials(pods.administrator(host))).toEqual([]);

    // As Kubernetes stops a pod in order, and starts it again.
    await pods.handOver(first);
    await pods.kill(first);
    await sayOnceMore(people, 4);
    const next = await pods.master(second);
    expect([second, third]).toContain(next);
    await pods.start(first);
    await pods.untilFollowed(next, 2);
    await sayOnceMore(people, 5);
    for (const host of pods.hosts) expect(await denials(pods.administrator(host))).toEqual([]);
  });

  test('do all that they do on a Redis Cluster', async () => {
    const redis = await startRedisCluster();
    onTestFinished(redis.stop);
    const masters = redis.masters.map(({ url }) => new Redis(url));
    onTestFinished(() => {
      for (const master of masters) master.disconnect();
    });
    for (const master of masters) await master.call('ACL', 'SETUSER', 'fenghuo', ...rulesOf('fenghuo'));
    await liveALittle(await startNodes(redis.url.replace('://', `://fenghuo:${passwordOf('fenghuo')}@`)));
    for (const master of masters) expect(await denials(master)).toEqual([]);

    const [node] = redis.masters;
    const thief = new Redis({ port: node?.port ?? 0, username: 'fenghuo', password: passwordOf('fenghuo') });
    onTestFinished(() => thief.disconnect());
    for (const [command, ...args] of FORBIDDEN)
      await expect(thief.call(command, ...args), command).rejects.toThrow(/NOPERM/);
  });
});

const FORBIDDEN: readonly [string, ...string[]][] = [
  ['GET', 'other'],
  ['HSET', 'other:{a}:state', 'a', 'b'],
  ['EVAL', 'return 1', '1', 'other'],
  ['SSUBSCRIBE', 'other'],
  ['SPUBLISH', 'other', 'x'],
  ['SUBSCRIBE', 'fenghuo:x'],
  ['KEYS', 'fenghuo:*'],
  ['SCAN', '0'],
  ['FLUSHALL'],
  ['CONFIG', 'GET', '*'],
  ['ACL', 'LIST'],
  ['CLIENT', 'KILL', 'TYPE', 'normal'],
  ['SHUTDOWN'],
];

interface People {
  readonly ann: PlainClient;
  /** His last request was the third. */
  readonly bob: PlainClient;
}

async function startNodes(redisUrl: string): Promise<TestCluster> {
  // The prefix of production: it is what the rules name.
  const cluster = await startCluster({ redisUrl, keyPrefix: 'fenghuo', settings: { ADMIN_TOKEN } });
  onTestFinished(cluster.stop);
  return cluster;
}

/** Everything that reaches Redis: people, their moderation, a resume, and operators. */
async function liveALittle({ nodes }: TestCluster): Promise<People> {
  const [ann, lost] = [await connect(nodes[0].url), await connect(nodes[1].url)];
  await ann.join('blue');
  const joined = await lost.join('blue');
  lost.socket.io.engine.close();
  await ann.next('peer_updated');
  const offer = { to: joined.self.id, description: { type: 'offer', sdp: SAMPLE_SDP } };
  expect(await ann.request('signal', offer)).toMatchObject({ ok: true, delivery: 'held' });
  const bob = await connect(nodes[0].url);
  expect(await bob.resume(joined)).toMatchObject({ ok: true, recovered: true });
  expect(await bob.next('signal')).toMatchObject({ description: { type: 'offer' } });
  onTestFinished(() => {
    for (const each of [ann, bob]) each.close();
  });

  const order = { action: 'mute', peer: joined.self.id, kinds: ['video'] };
  expect(await ann.request('moderate', order)).toMatchObject({ ok: true });
  expect(await bob.request('update', { name: 'Bob' })).toMatchObject({ ok: true });
  expect(await bob.request('message', { topic: 'chat', data: 1 })).toMatchObject({ ok: true });
  expect(await bob.ask('message', { topic: 'typing', data: 1, ephemeral: true })).toMatchObject({ ok: true });

  await eventually(async () => (await admin(nodes[1], '/nodes')).nodes?.length === 2, { what: 'two nodes' });
  expect(await admin(nodes[1], '/announcements', { level: 'info', text: 'hello' })).toMatchObject({
    connections: 2,
    silent: [],
  });
  await ann.next('announcement');
  await eventually(async () => (await admin(nodes[1], '/rooms')).total === 1, {
    what: 'a room that is listed',
  });
  expect(await admin(nodes[1], '/rooms/blue')).toMatchObject({ status: 200 });
  expect(await admin(nodes[0], `/nodes/${nodes[1].id}/drain`, {})).toMatchObject({ status: 202 });
  expect(await admin(nodes[0], `/nodes/${nodes[1].id}/drain`, undefined, { method: 'DELETE' })).toMatchObject(
    {
      status: 202,
    },
  );
  expect(await admin(nodes[1], '/events')).toMatchObject({ status: 200 });

  // A beat may have come between the two orders: then the node is drained until its next one.
  const carol = await eventually(() => connect(nodes[1].url), { what: 'a node that takes clients again' });
  await carol.join('green');
  expect(await carol.request('leave')).toEqual({ ok: true });
  carol.close();
  return { ann, bob };
}

/** A message that arrives, however long Redis is away: an answer that is not final is asked for again. */
async function sayOnceMore({ ann, bob }: People, id: number): Promise<void> {
  const say = async () => (await bob.ask('message', { id, topic: 'chat', data: `number ${id}` })).ok;
  await eventually(say, { what: 'a Redis that takes messages', timeoutMs: 15_000, everyMs: 100 });
  await eventually(() => ann.all('message').some(({ data }) => data === `number ${id}`), {
    what: 'the message',
  });
}

/** Who was refused what: "fenghuo: hgetall". */
async function denials(redis: Redis): Promise<string[]> {
  const entries = (await redis.call('ACL', 'LOG')) as string[][];
  return entries.map((entry) => {
    const value = (name: string) => entry[entry.indexOf(name) + 1];
    return `${value('username')}: ${value('reason')} ${value('object')}`;
  });
}
