import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CallBrowser, openBrowser } from '../../support/browser.ts';
import { changeTheCall, watchBoth } from '../../support/call.ts';
import { capabilities } from '../../support/capabilities.ts';
import { startTwoRegions, type TwoRegions } from '../../support/two-regions.ts';

/** The less is drawn, the less the machine has to do that is not looked at here. */
const SMALL = { viewport: { width: 880, height: 480 } };
/** The others count out who is across after six seconds, and ask for nothing more before thirty. */
const CUT_MS = 12_000;

describe.skipIf(!capabilities.chromium || !capabilities.redisServer)('a call across two regions', () => {
  let browser: CallBrowser;
  let regions: TwoRegions;
  beforeAll(async () => {
    browser = await openBrowser();
    regions = await startTwoRegions({ delayMs: 15 });
  });
  afterAll(async () => {
    await browser?.close();
    await regions?.stop();
  });

  test('outlives the link between them: the pictures go on, and the call can be changed when it is mended', async () => {
    const { beijing, shanghai, links } = regions;
    const enter = (name: string, url: string) =>
      browser.enter(url, { name, room: 'blue@beijing', query: { nodes: url }, context: SMALL });
    const [wei, ana] = [await enter('Wei', beijing.url), await enter('Ana', shanghai.url)];
    await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
    const ids = [await wei.ownId(), await ana.ownId()];
    const frames = await watchBoth(wei, ana);
    for (const link of Object.values(links)) link.cut();
    await sleep(CUT_MS);
    for (const link of Object.values(links)) link.mend();
    await ana.isBack();
    await frames.haveNoGap();
    expect([await wei.ownId(), await ana.ownId()]).toEqual(ids);
    expect(await wei.wayTo('Ana')).toMatchObject({ isConnected: true });
    await changeTheCall(wei, ana);
  });
});
