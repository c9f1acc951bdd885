import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type JoinOptions,
  join,
  type Region,
  SignalingError,
  surveyRegions,
} from '../../../services/client/index.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeCluster } from './fake-cluster.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0)) await close();
});

/** What answers `GET /regions` in a region: a real server, so far away. */
async function entrance(
  delayMs: number,
  reply: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end('{}'),
): Promise<{ url: string; asked: string[]; sockets: () => number }> {
  const asked: string[] = [];
  const sockets = new Set();
  const server = createServer(async (request, response) => {
    asked.push(request.url ?? '');
    sockets.add(request.socket);
    await sleep(delayMs);
    reply(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, asked, sockets: () => sockets.size };
}

/** Nobody listens there. */
async function deadUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
}

const names = (regions: readonly { name: string }[]) => regions.map(({ name }) => name);

describe('a survey', () => {
  test('puts the nearest region first, by its shortest round trip on a connection that is open', async () => {
    const [far, near] = [await entrance(120), await entrance(30)];
    const regions = await surveyRegions([
      { name: 'shanghai', endpoints: [far.url] },
      { name: 'beijing', endpoints: [near.url] },
    ]);
    expect(names(regions)).toEqual(['beijing', 'shanghai']);
    expect(regions[0]?.roundTripMs).toBeGreaterThan(29);
    expect(regions[0]?.roundTripMs).toBeLessThan(90);
    expect(regions[1]?.roundTripMs).toBeGreaterThan(119);
    expect(near.asked).toHaveLength(3);
    expect(near.sockets()).toBeLessThan(3);
  });

  test('waits a second and a half for all together; who is dead, silent or without nodes comes last', async () => {
    const [near, silent] = [await entrance(40), await entrance(60_000)];
    const broken = await entrance(0, (_, response) => response.writeHead(503).end());
    const startedAt = performance.now();
    const regions = await surveyRegions([
      { name: 'silent', endpoints: [silent.url] },
      { name: 'dead', endpoints: [await deadUrl()] },
      { name: 'broken', endpoints: [broken.url] },
      { name: 'near', endpoints: [near.url] },
    ]);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    expect(regions.map(({ name, roundTripMs }) => [name, roundTripMs !== undefined])).toEqual([
      ['near', true],
      ['silent', false],
      ['dead', false],
      ['broken', false],
    ]);
  });

  test("a region's next endpoint is measured where the first does not answer", async () => {
    const [near, far] = [await entrance(0), await entrance(60)];
    const regions = await surveyRegions([
      { name: 'beijing', endpoints: [far.url] },
      { name: 'shanghai', endpoints: [await deadUrl(), near.url] },
    ]);
    expect(names(regions)).toEqual(['shanghai', 'beijing']);
  });

  test('of regions that are as near, the one that was named first comes first; a chosen one in any case', async () => {
    const servers = [await entrance(0), await entrance(0), await entrance(60)];
    const given = servers.map(({ url }, index) => ({ name: `region-${index}`, endpoints: [url] }));
    expect(names(await surveyRegions(given))[0]).toBe('region-0');
    expect(names(await surveyRegions([...given].reverse()))[0]).toBe('region-1');
    expect(names(await surveyRegions(given, { region: 'region-2' }))[0]).toBe('region-2');
    expect(names(await surveyRegions(given, { region: 'atlantis' }))[0]).toBe('region-0');
  });

  test('a region whose nodes take nobody comes after all others', async () => {
    const [near, far] = [await entrance(0), await entrance(60)];
    const regions = await surveyRegions([
      { name: 'drained', endpoints: [near.url], nodes: 0 },
      { name: 'far', endpoints: [far.url], nodes: 1 },
    ]);
    expect(names(regions)).toEqual(['far', 'drained']);
  });

  test('asks the cluster which regions there are, at the next address where one does not tell', async () => {
    const shanghai = await entrance(0);
    const told = {
      region: 'beijing',
      node: 'beijing-1',
      regions: [
        { name: 'beijing', endpoints: [], nodes: 1 },
        { name: 'shanghai', endpoints: [shanghai.url], nodes: 1 },
        { name: 'nowhere', endpoints: [], nodes: 1 },
        { name: 'evil', endpoints: ['javascript:alert(1)', 'http://', 'ws://evil.example'], nodes: 1 },
      ],
    };
    const asked = await entrance(0, (_, response) => response.end(JSON.stringify(told)));
    const older = await entrance(0, (_, response) => response.writeHead(404).end('{"error":"Not Found"}'));
    const liar = await entrance(0, (_, response) =>
      response.end('{"region":"x","regions":[{"name":"x","endpoints":"http://x"}]}'),
    );
    const url = `${asked.url}?region=beijing`;
    const regions = await surveyRegions([await deadUrl(), older.url, liar.url, url]);
    expect(regions.map(({ name, endpoints }) => [name, endpoints])).toEqual([
      ['beijing', [url]],
      ['shanghai', [shanghai.url]],
    ]);
    expect(asked.asked[0]).toBe('/regions?region=beijing');
    expect(await surveyRegions([older.url, liar.url])).toEqual([]);
  });
});

test('who asks by https is led nowhere where a token could be read', async () => {
  const told = {
    region: 'beijing',
    node: 'beijing-1',
    regions: [
      { name: 'beijing', endpoints: ['http://bj.example', 'https://bj.example'], nodes: 1 },
      { name: 'shanghai', endpoints: ['http://sh.example'], nodes: 1 },
    ],
  };
  const fetch = async () => new Response(JSON.stringify(told));
  const endpoints = async (url: string) =>
    (await surveyRegions([url], { fetch })).map((region) => region.endpoints);
  expect(await endpoints('https://calls.example')).toEqual([
    ['https://bj.example/', 'https://calls.example/'],
  ]);
  expect(await endpoints('http://calls.example')).toHaveLength(2);
});

describe('a session', () => {
  /** Wei, who is near beijing; the nodes there and in shanghai are the test's. */
  async function wei(options: Partial<JoinOptions> = {}) {
    const [beijing, shanghai] = [await entrance(10), await entrance(70)];
    const ofBeijing = [beijing.url, `${beijing.url}?second`] as const;
    const regions: Region[] = [
      { name: 'shanghai', endpoints: [shanghai.url] },
      { name: 'beijing', endpoints: ofBeijing },
    ];
    const cluster = new FakeCluster();
    const session = join(regions, { room: 'blue', connect: cluster.connect, random: () => 0, ...options });
    session.joined.catch(() => {});
    closers.push(() => void session.leave());
    const opened = (count: number) => eventually(() => cluster.number(count));
    const entered = async () => {
      (await opened(1)).admit('wei', 7);
      await session.joined;
    };
    return { session, cluster, opened, entered, beijing: ofBeijing, shanghai: shanghai.url };
  }

  test('enters at the nearest, tells what was measured, and comes back there when its connection is lost', async () => {
    const { session, cluster, opened, entered, beijing } = await wei();
    await entered();
    expect(names(session.regionTimes)).toEqual(['beijing', 'shanghai']);
    expect(cluster.newest.endpoint).toBe(beijing[0]);
    cluster.newest.hear('welcome', { node: 'beijing-1', region: 'beijing', protocol: 1 });
    cluster.newest.lose();
    expect((await opened(2)).endpoint).toBe(beijing[0]);
  });

  test('goes on in the next region when no endpoint of its own answers, and stays there', async () => {
    const { cluster, opened, entered, beijing, shanghai } = await wei();
    await entered();
    for (const url of beijing) cluster.down.add(url);
    cluster.newest.lose();
    (await opened(2)).resume();
    expect(cluster.tries.map(({ endpoint }) => endpoint).slice(1)).toEqual([
      beijing[0],
      beijing[1],
      shanghai,
    ]);
    cluster.down.clear();
    cluster.newest.lose();
    expect((await opened(3)).endpoint).toBe(shanghai);
  });

  async function fled() {
    const scene = await wei();
    await scene.entered();
    for (const url of scene.beijing) scene.cluster.down.add(url);
    scene.cluster.newest.lose();
    (await scene.opened(2)).resume();
    scene.cluster.down.clear();
    return scene;
  }

  test('returns to the nearest when a node asks it to go', async () => {
    const { cluster, opened, beijing } = await fled();
    cluster.newest.hear('go_away', { reason: 'rebalance', reconnect_after_ms: 0, deadline_ms: 30_000 });
    expect((await opened(3)).endpoint).toBe(beijing[0]);
  });

  test('returns to the nearest when it has expired, and enters anew there', async () => {
    const { cluster, opened, beijing, shanghai } = await fled();
    cluster.newest.lose();
    const third = await opened(3);
    expect(third.endpoint).toBe(shanghai);
    third.refuse('resume', 'session_expired');
    const fourth = await opened(4);
    expect(fourth.endpoint).toBe(beijing[0]);
    expect(third.sent('join')).toEqual([]);
    fourth.admit('wei', 20);
  });

  test('goes where a person wants it to', async () => {
    const { cluster, entered, shanghai } = await wei({ region: 'shanghai' });
    await entered();
    expect(cluster.newest.endpoint).toBe(shanghai);
  });

  test('that is sent to another node stays in its region', async () => {
    const { cluster, opened, entered, beijing } = await wei();
    await entered();
    cluster.newest.hear('go_away', { reason: 'drain', reconnect_after_ms: 0, deadline_ms: 30_000 });
    expect((await opened(2)).endpoint).toBe(beijing[1]);
  });

  test('measures anew before it is sent elsewhere, and still goes to another node of its region', async () => {
    const { session, cluster, opened, entered, beijing } = await wei();
    await entered();
    const measured = session.regionTimes;
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 61_000);
    cluster.newest.hear('go_away', { reason: 'rebalance', reconnect_after_ms: 0, deadline_ms: 30_000 });
    expect((await opened(2)).endpoint).toBe(beijing[1]);
    expect(session.regionTimes).not.toBe(measured);
  });

  test('enters by the address that it was given where nobody tells of regions', async () => {
    const cluster = new FakeCluster();
    const url = await deadUrl();
    cluster.refusals.push(new SignalingError('unavailable'));
    const session = join(url, { room: 'blue', connect: cluster.connect, random: () => 0, discover: true });
    const connection = await eventually(() => cluster.number(1));
    expect(connection.endpoint).toBe(url);
    connection.admit('wei', 7);
    await session.joined;
    expect(session.regionTimes).toEqual([]);
    closers.push(() => void session.leave());
  });

  test('tries every endpoint where none can be measured', async () => {
    const cluster = new FakeCluster();
    const urls = ['http://one/', 'http://two/', 'http://three/'];
    for (const url of urls.slice(0, 2)) cluster.down.add(url);
    const regions = urls.map((url) => ({ name: url, endpoints: [url] }));
    const fetch = () => Promise.reject(new TypeError('no page of this origin may'));
    const session = join(regions, { room: 'blue', connect: cluster.connect, random: () => 0, fetch });
    closers.push(() => void session.leave());
    const connection = await eventually(() => cluster.number(1));
    connection.admit('wei', 7);
    await session.joined;
    expect(cluster.tries.map(({ endpoint }) => endpoint)).toEqual(urls);
  });

  test('that begins while nobody answers looks again, until somebody does', async () => {
    let isOffline = true;
    const fetch: typeof globalThis.fetch = async (...args) => {
      if (isOffline) throw new TypeError('offline');
      return globalThis.fetch(...args);
    };
    const [far, near] = [await entrance(60), await entrance(0)];
    const cluster = new FakeCluster();
    for (const { url } of [far, near]) cluster.down.add(url);
    const regions = [far, near].map(({ url }) => ({ name: url, endpoints: [url] }));
    const session = join(regions, { room: 'blue', connect: cluster.connect, random: () => 0.5, fetch });
    session.joined.catch(() => {});
    closers.push(() => void session.leave());
    await eventually(() => cluster.tries.length > 1);
    expect(session.regionTimes).toEqual([]);
    isOffline = false;
    cluster.down.clear();
    const connection = await eventually(() => cluster.number(1));
    connection.admit('wei', 7);
    await session.joined;
    expect([connection.endpoint, session.regionTimes[0]?.name]).toEqual([near.url, near.url]);
  });

  test('that was left while it measured connects to nobody', async () => {
    const [one, two] = [await entrance(300), await entrance(300)];
    const cluster = new FakeCluster();
    const regions = [one, two].map(({ url }) => ({ name: url, endpoints: [url] }));
    const session = join(regions, { room: 'blue', connect: cluster.connect });
    session.joined.catch(() => {});
    await eventually(() => one.asked.length > 0);
    await session.leave();
    await sleep(1_000);
    expect(cluster.tries).toEqual([]);
  });

  test('is a mistake without any endpoint', () => {
    expect(() => join([{ name: 'beijing', endpoints: [] }], { room: 'blue' })).toThrow(TypeError);
  });
});
