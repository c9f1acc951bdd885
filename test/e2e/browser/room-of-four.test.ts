import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type CallBrowser, LAPTOP, openBrowser, type Person } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { startCluster, type TestCluster } from '../../support/cluster.ts';

const OUTPUT = fileURLToPath(new URL('../../output/', import.meta.url));

const SMALL = { viewport: { width: 640, height: 480 } };

describe.skipIf(capabilities.chromium === false).each(['redis', 'memory'] as const)(
  'four people across two nodes on %s',
  (backplane) => {
    let browser: CallBrowser;
    let cluster: TestCluster;
    let wei: Person;
    let ana: Person;
    let lin: Person;
    let max: Person;
    beforeAll(async () => {
      browser = await openBrowser();
      cluster = await startCluster({ nodes: 2, backplane });
    });
    afterAll(async () => {
      await browser?.close();
      await cluster?.stop();
    });

    test('three of them are connected, each with each', async () => {
      const [beijing, shanghai] = cluster.nodes;
      const context = { viewport: LAPTOP, colorScheme: 'dark' } as const;
      // Only Wei's page is looked at, the host's; what is drawn for the others costs them the processor.
      wei = await browser.enter(beijing.url, { name: 'Wei', room: 'yumen', context });
      [ana, lin] = await Promise.all([
        browser.enter(shanghai.url, { name: 'Ana', room: 'yumen', context: SMALL }),
        browser.enter(beijing.url, { name: 'Lin', room: 'yumen', context: SMALL }),
      ]);
      await everyoneSeesAndHears([wei, ana, lin]);
    });

    test('one who comes late is connected with everybody', async () => {
      max = await browser.enter(cluster.nodes[1].url, { name: 'Max', room: 'yumen', context: SMALL });
      await everyoneSeesAndHears([wei, ana, lin, max]);
      const paths = (await wei.ways()).map(({ name, path }) => `${name} ${path}`).sort();
      expect(paths).toEqual(['Ana across', 'Lin local', 'Max across']);
      mkdirSync(OUTPUT, { recursive: true });
      if (backplane === 'redis') await wei.page.screenshot({ path: `${OUTPUT}four-person-call.png` });
    });

    test('one who leaves is gone from every page', async () => {
      await lin.leave();
      await Promise.all([
        wei.seesOnly(ana, max),
        ana.seesOnly(max, wei),
        max.seesOnly(ana, wei),
        lin.by('enter').waitFor(),
      ]);
    });

    test('one whose window is closed is gone from every page, and the others go on', async () => {
      await ana.page.close();
      await Promise.all([wei.seesOnly(max), max.seesOnly(wei)]);
      await wei.seesAndHears(max);
    });
  },
);

async function everyoneSeesAndHears(people: readonly Person[]): Promise<void> {
  await Promise.all(
    people.map((person) => person.seesAndHears(...people.filter((other) => other !== person))),
  );
}
