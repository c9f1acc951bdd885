import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type CallBrowser, openBrowser } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { definePairs, type OpenPair } from '../../support/page-links.ts';
import { openSdkPage } from '../../support/sdk-page.ts';

describe.skipIf(capabilities.chromium === false)('two links in Chromium', () => {
  let browser: CallBrowser;
  let page: Page;
  beforeAll(async () => {
    browser = await openBrowser();
    page = await openSdkPage(browser);
    await page.evaluate(definePairs);
  });
  afterAll(() => browser?.close());

  test.each([1, 2])(
    'offer as little after 200 changes of the second picture as after two, %i at once',
    async (sides) => {
      const result = await page.evaluate(async (sides) => {
        const open = (window as unknown as { openPair: OpenPair }).openPair;
        const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
        const pair = open({ delayMs: 10, offerPatienceMs: 2_000 });
        await pair.settle(10_000);
        const links = pair.links.slice(0, sides);
        const shown = () => links.map((link) => ({ link, ...pair.drawn() }));
        for (let times = 0; times < 100; times++) {
          const pictures = shown();
          for (const { link, track, stream } of pictures) link.addTrack(track, stream);
          await sleep((times % 5) * 10);
          for (const { link, track } of pictures) link.removeTrack(track);
          await sleep((times % 7) * 5);
        }
        const last = shown();
        for (const { link, track, stream } of last) link.addTrack(track, stream);
        const isSettled = await pair.settle(10_000);
        await sleep(300);
        const names = pair.links.map((link) => link.streams.map(({ id }) => id));
        const result = { ...pair.result(), isSettled, names, last: last.map(({ stream }) => stream.id) };
        pair.close();
        return result;
      }, sides);
      expect(result).toMatchObject({ isSettled: true, heard: [sides, 2], faults: [] });
      for (const [side, id] of result.last.entries()) expect(result.names[1 - side]).toContain(id);
      const { offerBytes } = result;
      // Numbers grow by a digit or two, and the other side's m-line is there or not.
      expect((offerBytes.at(-1) ?? 0) - (offerBytes[1] ?? 0)).toBeLessThan(200 + (sides - 1) * 6_000);
    },
  );

  test('come to an agreement whatever meets and stalls', async () => {
    const results = await page.evaluate(async (count) => {
      const open = (window as unknown as { openPair: OpenPair }).openPair;
      const one = async (run: number) => {
        const pair = open({ delayMs: 60, offerPatienceMs: run % 2 === 0 ? 2_000 : Math.random() * 330 });
        for (let turn = 0; turn < 6; turn++) {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
          if (turn === 3 && run % 3 === 0) pair.stall(run % 2, 1_000);
          for (const link of pair.links) {
            const { track, stream } = pair.drawn();
            link.addTrack(track, stream);
          }
        }
        const isSettled = await pair.settle(20_000);
        const result = { ...pair.result(), isSettled };
        pair.close();
        return result;
      };
      const results = [];
      for (let run = 0; run < count; run += 4)
        results.push(...(await Promise.all([run, run + 1, run + 2, run + 3].map(one))));
      return results;
    }, 12);
    for (const result of results)
      expect(result).toMatchObject({ isSettled: true, heard: [7, 7], faults: [] });
  });

  test('take another connection when one of them has begun anew, and go on', async () => {
    const result = await page.evaluate(async () => {
      const open = (window as unknown as { openPair: OpenPair }).openPair;
      const pair = open({ delayMs: 5, offerPatienceMs: 2_000 });
      await pair.settle(10_000);
      const [first] = pair.links;
      // What no browser takes.
      first.receive({ description: { type: 'offer', sdp: 'v=0\r\nnonsense\r\n' } });
      await new Promise((resolve) => setTimeout(resolve, 50));
      const isSettled = await pair.settle(15_000);
      const result = { ...pair.result(), isSettled };
      pair.close();
      return result;
    });
    expect(result).toMatchObject({ isSettled: true, heard: [1, 1] });
    expect(result.faults.length).toBeGreaterThan(0);
  });
});
