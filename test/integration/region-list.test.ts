import { regionsReply } from '@fenghuo/protocol';
import { afterEach, expect, inject, test } from 'vitest';
import { capabilities } from '../support/capabilities.ts';
import { startCluster, type TestCluster, type TestNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { startTwoRegions } from '../support/two-regions.ts';

let cluster: TestCluster | undefined;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
  for (const close of closers.splice(0)) await close();
});

const ENTRANCES = ['https://calls.example/?region=beijing', 'https://shanghai.example'];

async function start(options: Parameters<typeof startCluster>[0] = {}): Promise<TestCluster> {
  const settingsOf = (index: number) => ({ PUBLIC_URL: ENTRANCES[index % 2] as string });
  cluster = await startCluster({ nodes: 3, settingsOf, ...options });
  return cluster;
}

/** What a node tells, held to the wire's contract. */
async function regionsAt(node: TestNode, headers: Record<string, string> = {}) {
  const answer = await fetch(`${node.url}/regions`, { headers });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return regionsReply.strict().parse(await answer.json());
}

async function untilKnown(node: TestNode, nodes: Record<string, number>) {
  return eventually(
    async () => {
      const reply = await regionsAt(node);
      expect(Object.fromEntries(reply.regions.map((each) => [each.name, each.nodes]))).toEqual(nodes);
      return reply;
    },
    { what: `${node.id} that knows ${JSON.stringify(nodes)}` },
  );
}

test.each(['redis', 'memory'] as const)(
  'any node lists the regions, where each is entered and how many nodes take clients there, its own first (%s)',
  async (backplane) => {
    const { nodes } = await start({ backplane });
    await untilKnown(nodes[0], { beijing: 2, shanghai: 1 });
    expect(await regionsAt(nodes[0])).toEqual({
      region: 'beijing',
      node: 'beijing-1',
      regions: [
        { name: 'beijing', endpoints: [ENTRANCES[0]], nodes: 2 },
        { name: 'shanghai', endpoints: [ENTRANCES[1]], nodes: 1 },
      ],
    });
    const { regions } = await untilKnown(nodes[1], { beijing: 2, shanghai: 1 });
    expect(regions.map(({ name }) => name)).toEqual(['shanghai', 'beijing']);
  },
);

test('a region whose nodes all drain stays in the list, with no node; one whose nodes are gone leaves it', async () => {
  const { nodes } = await start();
  await untilKnown(nodes[0], { beijing: 2, shanghai: 1 });
  await nodes[1].drain();
  const { regions } = await untilKnown(nodes[0], { beijing: 2, shanghai: 0 });
  expect(regions[1]?.endpoints).toEqual([ENTRANCES[1]]);
  await nodes[1].stop();
  await untilKnown(nodes[0], { beijing: 2 });
});

test('nodes that were told of no way in are counted, and name none', async () => {
  const { nodes } = await start({ settingsOf: () => ({}) });
  const { regions } = await untilKnown(nodes[0], { beijing: 2, shanghai: 1 });
  expect(regions.map(({ endpoints }) => endpoints)).toEqual([[], []]);
});

test('while Redis is away the list is the one that was true last', async () => {
  const redis = new URL(inject('redisUrl'));
  let isAway = false;
  const proxy = await startTcpProxy(Number(redis.port), () => ({
    toServer: (chunk, pass) => !isAway && pass(chunk),
    toClient: (chunk, pass) => !isAway && pass(chunk),
  }));
  closers.push(() => proxy.stop());
  const redisUrl = `redis://127.0.0.1:${proxy.port}`;
  const { nodes } = await start({ nodes: 2, redisUrl });
  const before = await untilKnown(nodes[0], { beijing: 1, shanghai: 1 });
  isAway = true;
  await eventually(async () => (await fetch(`${nodes[0].opsUrl}/readyz`)).status === 503, {
    timeoutMs: 15_000,
    what: 'a node that misses its Redis',
  });
  expect(await regionsAt(nodes[0])).toEqual(before);
});

test.skipIf(!capabilities.redisServer)(
  'with a home in each region the list stays whole while a link between them is cut',
  async () => {
    const settingsOf = (index: number) => ({ PUBLIC_URL: ENTRANCES[index % 2] as string });
    const regions = await startTwoRegions({ settingsOf });
    closers.push(() => regions.stop());
    for (const node of regions.nodes) await untilKnown(node, { beijing: 1, shanghai: 1 });
    regions.links.beijing.cut();
    await eventually(
      async () => {
        const metrics = await (await fetch(`${regions.beijing.opsUrl}/metrics`)).text();
        expect(metrics).toContain('signaling_redis_up{home="shanghai"} 0');
      },
      { timeoutMs: 15_000, what: 'Beijing misses the home of Shanghai' },
    );
    await untilKnown(regions.beijing, { beijing: 1, shanghai: 1 });
    await untilKnown(regions.shanghai, { beijing: 1, shanghai: 1 });
  },
);

test('pages of allowed origins may read it, others are refused, and nobody needs a token', async () => {
  const settings = { AUTH: 'required', JWT_SECRET: 's'.repeat(32), ALLOWED_ORIGINS: 'https://app.example' };
  const { nodes } = await start({ nodes: 1, backplane: 'memory', settings });
  const get = (origin: string) => fetch(`${nodes[0].url}/regions`, { headers: { origin } });
  const allowed = await get('https://app.example');
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
    200,
    'https://app.example',
  ]);
  const refused = await get('https://evil.example');
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  expect(await refused.json()).toMatchObject({ ok: false, error: { code: 'origin_forbidden' } });
});
