import { afterEach, expect, test } from 'vitest';
import { join, type RoomSession, type SessionState } from '../../services/client/index.ts';
import { eventually } from '../support/eventually.ts';
import { SHANGHAI_MS, startRegions } from '../support/regions.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start() {
  const regions = await startRegions();
  closers.push(() => regions.stop());
  return regions;
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
  const { cluster, beijing, shanghai } = await start();
  // He only knows the far one, which tells him of the near one.
  const wei = join(shanghai.url, { room: 'blue', name: 'Wei', discover: true });
  const { heard } = follow(wei);
  await wei.joined;
  expect(wei.region).toBe('beijing');
  const [nearest, next] = wei.regionTimes;
  expect([nearest?.name, next?.name]).toEqual(['beijing', 'shanghai']);
  expect(nearest?.roundTripMs).toBeLessThan(SHANGHAI_MS);
  expect(next?.roundTripMs).toBeGreaterThan(SHANGHAI_MS - 1);

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
  const { cluster, beijing } = await start();
  const wei = join(beijing.url, { room: 'blue', name: 'Wei', discover: true });
  const { states } = follow(wei);
  await wei.joined;
  expect(wei.region).toBe('beijing');
  await cluster.nodes[0].drain();
  await eventually(() => wei.region === 'shanghai', { timeoutMs: 10_000, what: 'Wei, sent to Shanghai' });
  expect(states).toEqual(['connected']);
});
