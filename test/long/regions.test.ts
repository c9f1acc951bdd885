import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Direction } from '../../services/cluster/link.ts';
import { ASKED_TTL_MS } from '../../services/signaling/backplane/claims.ts';
import { registrarOf } from '../../services/signaling/domain/homes.ts';
import { capabilities } from '../support/capabilities.ts';
import type { TestNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';
import { startTwoRegions, type TwoRegions } from '../support/two-regions.ts';

const HOMES = ['beijing', 'shanghai'];

const people: PlainClient[] = [];
afterEach(() => {
  for (const each of people.splice(0)) each.close();
});

async function person(node: TestNode): Promise<PlainClient> {
  const client = await connect(node.url);
  people.push(client);
  return client;
}

async function open(): Promise<TwoRegions> {
  const regions = await startTwoRegions({ delayMs: 15 });
  onTestFinished(() => regions.stop());
  return regions;
}

/** Two people in a room, one of whom sends numbered messages to the other. */
async function pair(sender: TestNode, receiver: TestNode, room: string) {
  const [from, to] = [await person(sender), await person(receiver)];
  await from.join(room);
  const joined = await to.join(room);
  await from.next('peer_joined');
  let sent = 0;
  return {
    from,
    to,
    joined,
    get sent() {
      return sent;
    },
    /** The longest that an acknowledgement took, in milliseconds, at twenty messages a second. */
    async talk(forMs: number): Promise<number> {
      let longestMs = 0;
      for (const endMs = performance.now() + forMs; performance.now() < endMs; await sleep(50)) {
        const sinceMs = performance.now();
        const reply = await from.request('message', { topic: 'count', data: sent });
        expect(reply).toMatchObject({ ok: true });
        sent += 1;
        longestMs = Math.max(longestMs, performance.now() - sinceMs);
      }
      return longestMs;
    },
    heardBy(client: PlainClient): number[] {
      return client.all('message').map(({ data }) => data as number);
    },
  };
}

/** As clients do: on a new connection, again and again; one that the node dropped meanwhile is of no use any more. */
async function comeBack(node: TestNode, former: Parameters<PlainClient['resume']>[0]): Promise<PlainClient> {
  const back = await eventually(
    async () => {
      const client = await person(node);
      const reply = await client.resume(former);
      if (!reply.ok) throw new Error(reply.error.code);
      expect(reply.recovered).toBe(true);
      return client;
    },
    { timeoutMs: 15_000, everyMs: 250, what: 'a session that goes on' },
  );
  return back as PlainClient;
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

async function metric(node: TestNode, line: string): Promise<boolean> {
  return (await (await fetch(`${node.opsUrl}/metrics`)).text()).includes(`${line}\n`);
}

const isReady = async (node: TestNode) => (await fetch(`${node.opsUrl}/readyz`)).status === 200;

describe.skipIf(!capabilities.redisServer)('between two regions', () => {
  const CUTS: [string, Direction[], number][] = [
    ['both ways, for 20 s', [], 20_000],
    ['one way, there', ['there'], 9_000],
    ['one way, back', ['back'], 9_000],
  ];
  test.each(CUTS)(
    'a link that is cut %s costs rooms at home nothing, and whoever is across loses nothing',
    async (_, directions, cutMs) => {
      const regions = await open();
      const { beijing, shanghai, links } = regions;
      const atHome = [
        await pair(beijing, beijing, 'a@beijing'),
        await pair(shanghai, shanghai, 'b@shanghai'),
      ];
      const across = await pair(beijing, shanghai, 'c@beijing');
      for (const link of Object.values(links)) link.cut(...directions);
      const talking = Promise.all([...atHome, across].map((each) => each.talk(cutMs)));

      // Whoever is across is told within a second to try again, and then to try elsewhere (rule H2).
      const sinceMs = performance.now();
      const refused = await across.to.ask('message', { id: 2, topic: 'chat', data: 'hello?' });
      expect(refused).toMatchObject({ ok: false, error: { code: 'unavailable' } });
      expect(refused.error.retry_after_ms).toBeGreaterThan(0);
      expect(performance.now() - sinceMs).toBeLessThan(1_500);
      expect(await across.to.next('go_away', 15_000)).toMatchObject({ reason: 'rebalance' });
      expect(await isReady(beijing)).toBe(true);
      expect(await isReady(shanghai)).toBe(true);
      await eventually(() => metric(shanghai, 'signaling_redis_up{home="beijing"} 0'), {
        what: 'the link that is cut, in the metrics',
      });
      expect(await metric(shanghai, 'signaling_redis_up{home="shanghai"} 1')).toBe(true);

      const [, , longestMs] = await talking;
      expect(longestMs).toBeLessThan(2_000);
      for (const each of atHome) {
        expect(each.heardBy(each.to)).toEqual(upTo(each.sent));
        for (const client of [each.from, each.to]) {
          expect(client.socket.connected).toBe(true);
          for (const event of ['peer_updated', 'peer_left', 'resync', 'go_away'])
            expect(client.all(event)).toEqual([]);
        }
      }

      for (const link of Object.values(links)) link.mend();
      const again = await comeBack(shanghai, across.joined);
      await across.talk(200);
      await eventually(() => across.heardBy(again).length >= across.sent, { what: 'all that was sent' });
      expect(across.heardBy(again)).toEqual(upTo(across.sent));
      expect(across.from.all('peer_left')).toEqual([]);
    },
  );

  test('H2: a region whose Redis is gone takes only its own rooms along, and gives them back', async () => {
    const regions = await open();
    const { beijing, shanghai, redis } = regions;
    const local = await pair(beijing, beijing, 'a@beijing');
    const across = await pair(beijing, shanghai, 'b@shanghai');
    const name = ['x', 'y', 'z', 'w'].find((each) => registrarOf(each, HOMES) === 'shanghai');
    await redis.shanghai.kill();
    const sinceMs = performance.now();
    const newcomer = await person(beijing);
    expect(await newcomer.ask('join', { id: 1, room: name ?? '', name: 'Dan' })).toMatchObject({
      ok: false,
      error: { code: 'unavailable' },
    });
    expect(performance.now() - sinceMs).toBeLessThan(1_000);
    // A room that somebody here is in is found without the registrar, and a suffix needs none.
    expect(await newcomer.ask('join', { id: 1, room: 'a@beijing', name: 'Dan' })).toMatchObject({ ok: true });
    expect(await across.from.ask('message', { id: 2, topic: 'chat', data: 1 })).toMatchObject({
      ok: false,
      error: { code: 'unavailable' },
    });
    await local.talk(3_000);
    expect(local.heardBy(local.to)).toEqual(upTo(local.sent));
    expect(await isReady(beijing)).toBe(true);
    await eventually(async () => !(await isReady(shanghai)), { what: 'a node that misses its own home' });

    await redis.shanghai.restart();
    await eventually(() => isReady(shanghai), { timeoutMs: 20_000, what: 'a node that is ready again' });
    const sent = await eventually(
      async () => {
        const reply = await across.from.ask('message', { id: 2, topic: 'count', data: 0 });
        return reply.ok && reply;
      },
      { timeoutMs: 15_000, what: 'a room that is served again' },
    );
    expect(sent).toMatchObject({ ok: true });
    await eventually(() => across.heardBy(across.to).includes(0), { what: 'what was sent' });
  });

  test('H1: a region whose Redis is gone claims no names for itself, and finds those of the other', async () => {
    const { beijing, shanghai, redis } = await open();
    const [fresh = '', known = ''] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].filter(
      (each) => registrarOf(each, HOMES) === 'shanghai',
    );
    await eventually(async () => (await person(shanghai)).join(known), {
      what: 'a room of the other region',
    });
    await redis.beijing.kill();
    await eventually(() => metric(beijing, 'signaling_redis_up{home="beijing"} 0'), {
      what: 'a home that is known to be away',
    });
    expect(await (await person(beijing)).ask('join', { id: 1, room: fresh, name: 'Dan' })).toMatchObject({
      ok: false,
      error: { code: 'unavailable' },
    });
    expect((await (await person(shanghai)).join(fresh)).room).toMatchObject({ home: 'shanghai' });
    expect((await (await person(beijing)).join(known)).peers).toHaveLength(1);
    expect((await (await person(beijing)).join(fresh)).peers).toHaveLength(1);
  });

  test('H1: a registrar that loses its data while the link is cut is told of the names once it is mended', async () => {
    const regions = await open();
    const { beijing, shanghai, links, redis } = regions;
    const name = ['x', 'y', 'z', 'w'].find((each) => registrarOf(each, HOMES) === 'shanghai') ?? '';
    const registrar = new Redis(redis.shanghai.url);
    onTestFinished(() => registrar.disconnect());
    const claim = `${regions.keyPrefix}:{${name}@}:state`;
    await eventually(async () => (await person(beijing)).join(name), { what: 'a room' });
    await eventually(async () => (await registrar.pttl(claim)) > ASKED_TTL_MS, {
      what: 'a name that is kept',
    });
    for (const link of Object.values(links)) link.cut();
    await redis.shanghai.flush();
    await redis.shanghai.restart();
    const others = ['a', 'b', 'c', 'd'].map((each) => `other-${each}`);
    const other = others.find((each) => registrarOf(each, HOMES) === 'shanghai') ?? '';
    await eventually(async () => (await person(shanghai)).join(other), {
      timeoutMs: 20_000,
      everyMs: 250,
      what: 'a registrar that gives names again',
    });
    for (const link of Object.values(links)) link.mend();
    await eventually(() => metric(beijing, 'signaling_redis_up{home="shanghai"} 1'), {
      timeoutMs: 10_000,
      what: 'a link that is mended',
    });
    await eventually(async () => (await registrar.hget(claim, 'home')) === 'beijing', {
      what: 'a name that is claimed again',
    });
    const joined = (await (await person(shanghai)).join(name)) as { room: unknown };
    expect(joined.room).toMatchObject({ home: 'beijing' });
  });
});
