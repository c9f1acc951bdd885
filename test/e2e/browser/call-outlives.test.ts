import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type CallBrowser, openBrowser, type Person } from '../../support/browser.ts';
import { changeTheCall, watchBoth } from '../../support/call.ts';
import { capabilities } from '../../support/capabilities.ts';
import { startCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { type ProcessCluster, startNodeProcesses } from '../../support/node-processes.ts';
import { type LocalRedis, startLocalRedis } from '../../support/redis.ts';

/** The less is drawn, the less the machine has to do that is not looked at here. */
const SMALL = { viewport: { width: 880, height: 480 } };

describe.skipIf(capabilities.chromium === false)('a call outlives', () => {
  let browser: CallBrowser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());
  afterEach(() => browser?.closePages());

  test('a connection: the pictures go on, the panel tells of the resume, and a track added then arrives', async () => {
    const cluster = await startCluster({ nodes: 2 });
    try {
      const [wei, ana] = await callOf(browser, [cluster.nodes[0].url], [cluster.nodes[1].url]);
      const id = await wei.ownId();
      const frames = await watchBoth(wei, ana);

      await wei.by('drop-socket').focus();
      await wei.page.keyboard.press('Enter');
      expect(await wei.isBack()).toBeLessThan(1_000);
      await eventually(async () => {
        expect(await wei.wireLines('connection_lost', 'here')).toBe(1);
        expect(await wei.wireLines('resume', 'out')).toBe(1);
      });
      expect(await wei.ownId()).toBe(id);

      await wei.by('second').click();
      await ana.seesMoving(wei, 'second');
      await frames.haveNoGap();
      expect([...wei.faults, ...ana.faults]).toEqual([]);
    } finally {
      await cluster.stop();
    }
  });

  describe.skipIf(!capabilities.redisServer)('on a Redis of its own', () => {
    let redis: LocalRedis;
    let cluster: ProcessCluster;
    beforeEach(async () => {
      redis = await startLocalRedis();
    });
    afterEach(async () => {
      await cluster?.stop();
      await redis?.stop();
    });

    test('a node that is killed: the other one takes the session over, and the call can be changed through it', async () => {
      cluster = await startNodeProcesses(redis.url);
      const [beijing, shanghai] = cluster.nodes;
      const [wei, ana] = await callOf(browser, [beijing.url, shanghai.url], [shanghai.url, beijing.url]);
      const id = await wei.ownId();
      const frames = await watchBoth(wei, ana);

      await beijing.kill();
      expect(await wei.isBack()).toBeLessThan(5_000);
      expect(await wei.by('own-node').getAttribute('data-node')).toBe('shanghai-1');
      expect(await wei.ownId()).toBe(id);
      await eventually(async () =>
        expect(await ana.wayTo('Wei')).toMatchObject({ node: 'shanghai-1', isConnected: true }),
      );
      await frames.haveNoGap();

      const max = await browser.enter(shanghai.url, { name: 'Max', room: 'blue', context: SMALL });
      await Promise.all([max.seesAndHears(wei, ana), wei.seesAndHears(max), ana.seesAndHears(max)]);
      await changeTheCall(wei, ana);
    });

    test('a node that drains: the other one takes the session over before the first lets go', async () => {
      cluster = await startNodeProcesses(redis.url);
      const [beijing, shanghai] = cluster.nodes;
      const [wei, ana] = await callOf(browser, [beijing.url, shanghai.url], [shanghai.url, beijing.url]);
      const id = await wei.ownId();
      const frames = await watchBoth(wei, ana);

      const drained = beijing.drain();
      expect(await wei.isBack()).toBeLessThan(1_000);
      await drained;
      expect(await wei.by('own-node').getAttribute('data-node')).toBe('shanghai-1');
      expect(await wei.ownId()).toBe(id);
      await eventually(async () => expect(await wei.wireLines('go_away', 'in')).toBe(1));
      expect(await wei.wireLines('connection_lost', 'here')).toBe(0);
      await frames.haveNoGap();
      await changeTheCall(wei, ana);
      expect([...wei.faults, ...ana.faults]).toEqual([]);
    });

    test('a Redis that comes back empty: the nodes restore the room, and whoever comes meets everyone', async () => {
      const nodes = await startCluster({ nodes: 2, redisUrl: redis.url });
      try {
        const [beijing, shanghai] = nodes.nodes;
        const [wei, ana] = await callOf(browser, [beijing.url], [shanghai.url]);
        const ids = [await wei.ownId(), await ana.ownId()];
        const frames = await watchBoth(wei, ana);

        await redis.restart();
        for (const person of [wei, ana]) {
          await eventually(async () => (await person.wireLines('resync', 'in')) > 0, {
            timeoutMs: 20_000,
            what: `${person.name} was told that Redis lost data`,
          });
        }
        expect([await wei.ownId(), await ana.ownId()]).toEqual(ids);
        await frames.haveNoGap();

        const max = await browser.enter(shanghai.url, { name: 'Max', room: 'blue', context: SMALL });
        await Promise.all([max.seesAndHears(wei, ana), wei.seesAndHears(max), ana.seesAndHears(max)]);
        await changeTheCall(wei, ana);
      } finally {
        await nodes.stop();
      }
    });
  });
});

/** Wei and Ana in a call, each with the nodes that they know, the first preferred. */
async function callOf(
  browser: CallBrowser,
  ...nodes: [readonly string[], readonly string[]]
): Promise<[Person, Person]> {
  const [wei, ana] = await Promise.all(
    (['Wei', 'Ana'] as const).map((name, index) => {
      const urls = nodes[index] as readonly [string, ...string[]];
      return browser.enter(urls[0], { name, room: 'blue', query: { nodes: urls.join() }, context: SMALL });
    }),
  );
  const people = [wei, ana] as [Person, Person];
  await Promise.all([people[0].seesAndHears(people[1]), people[1].seesAndHears(people[0])]);
  return people;
}
