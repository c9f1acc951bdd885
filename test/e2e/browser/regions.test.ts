import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CallBrowser, openBrowser, type Person } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { eventually } from '../../support/eventually.ts';
import { SHANGHAI_MS, startRegions, type TestRegions } from '../../support/regions.ts';
import { startTwoRegions } from '../../support/two-regions.ts';

describe.skipIf(!capabilities.chromium || !capabilities.redisServer)('a cluster in two regions', () => {
  let browser: CallBrowser;
  let regions: TestRegions;
  beforeAll(async () => {
    browser = await openBrowser();
    regions = await startRegions({ nodes: 4, start: startTwoRegions });
  });
  afterAll(async () => {
    await browser?.close();
    await regions?.stop();
  });

  const region = (person: Person) => person.by('own-node').getAttribute('data-region');
  const options = (person: Person) => person.by('region').locator('option').allTextContents();

  test('is entered at the nearest region, whichever the page came from, or where one wants to', async () => {
    const { beijing, shanghai } = regions;
    const wei = await browser.open(shanghai.url, { query: { room: 'green' } });
    await wei.by('region').waitFor();
    expect(await options(wei)).toEqual([
      expect.stringMatching(/^Nearest: beijing · [\d.]+ ms$/),
      expect.stringMatching(/^beijing · [\d.]+ ms$/),
      expect.stringMatching(/^shanghai · \d+ ms$/),
    ]);
    await wei.enter('Wei');
    expect(await region(wei)).toBe('beijing');
    await wei.leave();

    await wei.by('region').selectOption('shanghai');
    await wei.enter('Wei');
    expect(await region(wei)).toBe('shanghai');
    await wei.page.reload();
    await wei.by('region').waitFor();
    expect(await wei.by('region').inputValue()).toBe('shanghai');
    await wei.by('region').selectOption('');
    await wei.enter('Wei');
    expect(await region(wei)).toBe('beijing');
    expect(wei.faults).toEqual([]);

    const ana = await browser.open(beijing.url, { query: { room: 'green', region: 'shanghai', lang: 'zh' } });
    await ana.by('region').waitFor();
    expect((await options(ana))[0]).toContain('最近：beijing');
    await ana.enter('Ana');
    expect(await region(ana)).toBe('shanghai');
    await browser.closePages();
  });

  test('shows which way signals take to each person, how long a word takes there and back, and where the room is kept', async () => {
    const { cluster, beijing, shanghai } = regions;
    const room = 'blue@shanghai';
    const at = (url = '') => ({ room, query: { nodes: url } });
    const wei = await browser.enter(beijing.url, { name: 'Wei', ...at(beijing.url) });
    const [ana, bo] = await Promise.all([
      browser.enter(beijing.url, { name: 'Ana', ...at(shanghai.url) }),
      browser.enter(beijing.url, { name: 'Bo', ...at(cluster.nodes[2]?.url) }),
    ]);
    await eventually(
      async () => {
        const [toAna, toBo] = [await wei.wayTo('Ana'), await wei.wayTo('Bo')];
        expect([toAna?.path, toBo?.path]).toEqual(['across', 'region']);
        expect(toAna?.echoMs).toBeGreaterThan(SHANGHAI_MS - 1);
        expect(toAna?.echoMs).toBeLessThan(1_000);
        expect(toBo?.echoMs).toBeLessThan(toAna?.echoMs ?? 0);
      },
      { timeoutMs: 30_000, what: 'the ways to Ana and Bo, with their times' },
    );
    expect((await ana.wayTo('Wei'))?.path).toBe('across');
    expect((await wei.wireLog()).filter((line) => line.includes('message'))).toEqual([]);
    // The room is kept where Ana is.
    expect(await wei.by('room-home').getAttribute('data-home')).toBe('shanghai');
    expect(await ana.by('room-home').count()).toBe(0);
    expect([...wei.faults, ...ana.faults, ...bo.faults]).toEqual([]);
  });
});
