import { regionsReply } from '@fenghuo/protocol';
import { afterEach, expect, test } from 'vitest';
import { join, type RoomSession, type SessionState } from '../../services/client/index.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { startDelayProxy } from '../support/delay-proxy.ts';
import { eventually } from '../support/eventually.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Entrance extends TcpProxy {
  readonly url: string;
}

/** Where clients enter a region, so far from them. */
async function startEntrance(delayMs: number, port: () => number): Promise<Entrance> {
  const proxy = await startDelayProxy(port, () => delayMs);
  closers.push(() => proxy.stop());
  return Object.assign(proxy, { url: `http://127.0.0.1:${proxy.port}` });
}

/** A node in Beijing and one in Shanghai; clients are near Beijing. */
async function startRegions() {
  let cluster: TestCluster | undefined;
  const portOf = (index: number) => Number(new URL(cluster?.nodes[index]?.url ?? '').port);
  const beijing = await startEntrance(2, () => portOf(0));
  const shanghai = await startEntrance(40, () => portOf(1));
  cluster = await startCluster({
    nodes: 2,
    settingsOf: (index) => ({ PUBLIC_URL: index === 0 ? beijing.url : shanghai.url }),
  });
  closers.push(() => cluster?.stop());
  for (const { id, url } of cluster.nodes) {
    const knowsBoth = async () => {
      const { regions } = regionsReply.parse(await (await fetch(`${url}/regions`)).json());
      return regions.filter(({ nodes }) => nodes === 1).length === 2;
    };
    await eventually(knowsBoth, { what: `${id} knows both regions` });
  }
  return { cluster, beijing, shanghai };
}

function follow(session: RoomSession) {
  closers.push(() => session.leave());
  const heard: unknown[] = [];
  const states: SessionState['phase'][] = [];
  session.on('message', ({ data }) => heard.push(data));
  session.on('state', ({ phase }) => states.push(phase));
  return { heard, states };
}

test('a session enters the nearest region, keeps to it, and goes on in the other one with nothing lost', async () => {
  const { cluster, beijing, shanghai } = await startRegions();
  // He only knows the far one, which tells him of the near one.
  const wei = join(shanghai.url, { room: 'blue', name: 'Wei', discover: true });
  const { heard } = follow(wei);
  await wei.joined;
  expect(wei.region).toBe('beijing');
  const [nearest, next] = wei.regionTimes;
  expect([nearest?.name, next?.name]).toEqual(['beijing', 'shanghai']);
  expect(nearest?.roundTripMs).toBeLessThan(38);
  expect(next?.roundTripMs).toBeGreaterThan(39);

  const ana = join(cluster.nodes[1].url, { room: 'blue', name: 'Ana' });
  follow(ana);
  await ana.joined;
  const said: number[] = [];
  const say = async () => {
    said.push(said.length);
    await ana.message('count', said.length - 1);
  };

  await say();
  beijing.cut();
  await say();
  await eventually(() => expect(heard).toEqual(said), { what: 'Wei, back in Beijing, who has heard all' });
  expect([wei.state.phase, wei.region]).toEqual(['connected', 'beijing']);

  await beijing.stop();
  for (let count = 0; count < 20; count++) await say();
  await eventually(() => expect(heard).toEqual(said), { what: 'Wei, gone to Shanghai, who has heard all' });
  expect([wei.state.phase, wei.region]).toEqual(['connected', 'shanghai']);
  expect(ana.peers.get(wei.self?.id as never)).toMatchObject({ region: 'shanghai', connected: true });
  await wei.message('count', 'over');
});

test('a region is left for the next one when its nodes are drained, and no connection is missed', async () => {
  const { cluster, beijing } = await startRegions();
  const wei = join(beijing.url, { room: 'blue', name: 'Wei', discover: true });
  const { states } = follow(wei);
  await wei.joined;
  expect(wei.region).toBe('beijing');
  await cluster.nodes[0].drain();
  await eventually(() => wei.region === 'shanghai', { timeoutMs: 10_000, what: 'Wei, sent to Shanghai' });
  expect(states).toEqual(['connected']);
});
