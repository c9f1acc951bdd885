import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type CallBrowser, openBrowser, type Person } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { startCluster, type TestCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';

describe.skipIf(capabilities.chromium === false)('a call of two people in two browsers', () => {
  let browser: CallBrowser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  describe.each(['redis', 'memory'] as const)('on two nodes over %s', (backplane) => {
    let cluster: TestCluster;
    let wei: Person;
    let ana: Person;
    beforeAll(async () => {
      cluster = await startCluster({ nodes: 2, backplane });
    });
    afterAll(async () => {
      await browser?.closePages();
      await cluster?.stop();
    });

    test('each sees and hears the other, and the panel names the way between them', async () => {
      const [beijing, shanghai] = cluster.nodes;
      [wei, ana] = await Promise.all([
        browser.enter(beijing.url, { name: 'Wei', room: 'blue', media: 'camera' }),
        browser.enter(shanghai.url, { name: 'Ana', room: 'blue', media: 'camera' }),
      ]);
      await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
      const way = { node: 'shanghai-1', path: 'across', pair: expect.stringMatching(/^\w+-\w+$/) };
      expect(await wei.wayTo('Ana')).toMatchObject(way);
      expect(await ana.by('own-node').getAttribute('data-node')).toBe('shanghai-1');
    });

    test('a track that one adds arrives at the other, and goes when it is taken back', async () => {
      const offersBefore = await ana.wireLines('offer', 'in');
      await wei.by('second').click();
      const second = await ana.seesMoving(wei, 'second');
      expect(await ana.wireLines('offer', 'in')).toBeGreaterThan(offersBefore);

      await wei.by('second').click();
      await second.waitFor({ state: 'detached' });
    });

    test('tracks that both add at the same moment both arrive', async () => {
      await Promise.all([wei.by('second').click(), ana.by('second').click()]);
      const tiles = await Promise.all([ana.seesMoving(wei, 'second'), wei.seesMoving(ana, 'second')]);
      await Promise.all([wei.by('second').click(), ana.by('second').click()]);
      for (const tile of tiles) await tile.waitFor({ state: 'detached' });
    });

    test('what one writes is read by the other as it was written', async () => {
      const sly = '<img src=x onerror="document.title=1"> 你好 & <b>hi</b>';
      await wei.say(sly);
      await eventually(async () => expect(await ana.chat()).toEqual([sly]));
      await ana.say('received');
      await eventually(async () => expect(await wei.chat()).toEqual([sly, 'received']));
      expect(await ana.page.locator('.chat-text *').count()).toBe(0);
    });

    test('what one turns off is shown so to the other, and what is turned on again too', async () => {
      const tile = await ana.tileOf('Wei');
      await wei.by('microphone').click();
      await wei.by('camera').click();
      await eventually(async () => {
        expect(await tile.getAttribute('data-microphone')).toBe('off');
        expect(await tile.getAttribute('data-camera')).toBe('off');
      });
      await wei.by('microphone').click();
      await wei.by('camera').click();
      await ana.seesAndHears(wei);
      expect(await tile.getAttribute('data-microphone')).toBe('on');
    });

    test('nothing went wrong in the pages', () => {
      expect([...wei.faults, ...ana.faults]).toEqual([]);
    });
  });
});
