import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { type CallBrowser, openBrowser, PHONE } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { startCluster, type TestCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';

describe.skipIf(capabilities.chromium === false)('the call page', () => {
  let browser: CallBrowser;
  let cluster: TestCluster;
  beforeAll(async () => {
    browser = await openBrowser();
    cluster = await startCluster({ nodes: 2, backplane: 'memory' });
  });
  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
  });
  afterEach(() => browser.closePages());

  test('is entered, used and left by keyboard alone', async () => {
    const wei = await browser.open(cluster.nodes[0].url, { query: { room: 'old' } });
    const { keyboard } = wei.page;
    await keyboard.type('Wei'); // The first field has the focus.
    await keyboard.press('Tab');
    await keyboard.press('ControlOrMeta+a');
    await keyboard.type('new room');
    await keyboard.press('Enter');
    await wei.isConnected();
    expect(await wei.by('room-name').textContent()).toBe('new room');
    await keyboard.press('v');
    expect(await wei.by('own-tile').getAttribute('data-camera')).toBe('off');
    expect(await wei.by('camera').getAttribute('aria-pressed')).toBe('false');

    expect(await untabbed(wei.page)).toEqual([]);
    await wei.by('leave').focus();
    await keyboard.press('Enter');
    await wei.by('enter').waitFor();
  });

  test('speaks Chinese, and changes its language in the middle of a call', async () => {
    const wei = await browser.enter(cluster.nodes[0].url, {
      name: '魏',
      room: '玉门关',
      query: { lang: 'zh' },
    });
    expect(await wei.page.locator('html').getAttribute('lang')).toBe('zh-Hans');
    expect(await wei.page.title()).toBe('玉门关 · 烽火');
    expect(await wei.by('leave').textContent()).toBe('离开');
    expect(await wei.page.locator('body').innerText()).not.toMatch(/undefined|\[object/);
    await wei.by('language-en').click();
    expect(await wei.by('leave').textContent()).toBe('Leave');
    expect(await wei.page.locator('html').getAttribute('lang')).toBe('en');
  });

  test('fits a phone: nothing is wider than the window, in the lobby, in a call and in the panel', async () => {
    const context = { viewport: PHONE, isMobile: true, hasTouch: true, deviceScaleFactor: 1 };
    const room = 'a-rather-long-name-of-a-room-at-the-western-end';
    const ana = await browser.enter(cluster.nodes[1].url, { name: 'Ana', room });
    const wei = await browser.open(cluster.nodes[0].url, { context, query: { room } });
    expect(await wei.overflowPx()).toBe(0);
    await wei.enter('Wei of the long wall and of sixty-four letters, as many as fit in');
    await wei.seesOnly(ana);
    expect(await wei.overflowPx()).toBe(0);
    expect(await wei.by('panel').isVisible()).toBe(false);
    await wei.by('show-signals').tap();
    await wei.by('way').waitFor();
    expect(await wei.overflowPx()).toBe(0);
    await ana.by('close-panel').click();
    expect(await ana.overflowPx()).toBe(0);
  });

  test('says what is wrong with a name before it asks for the camera, and enters once it is mended', async () => {
    const before = () => {
      const { getUserMedia } = navigator.mediaDevices;
      navigator.mediaDevices.getUserMedia = (asked) => {
        document.documentElement.dataset.asked = 'camera';
        return getUserMedia.call(navigator.mediaDevices, asked);
      };
    };
    const room = 'dangling\u200d';
    const wei = await browser.open(cluster.nodes[0].url, { media: 'camera', query: { room }, before });
    const submit = async (name: string, to: string) => {
      await wei.by('name').fill(name);
      await wei.by('room').fill(to);
      await wei.by('enter').click();
    };
    for (const [name, bad, words] of [
      ['Wei', room, 'joins nothing'],
      ['Wei', '{blue}', 'a character that none may have'],
      ['Wei', '🔥'.repeat(129), 'longer than 128'],
      ['Wei', 'blue@bei jing', 'After the @'],
    ] as const) {
      await submit(name, bad);
      await wei.by('notice').filter({ hasText: words }).waitFor();
    }
    expect(await wei.page.locator('html').getAttribute('data-asked')).toBeNull();
    await submit('\u202eWei', '👨‍👩‍👧');
    await wei.isConnected();
    expect(await wei.by('room-name').textContent()).toBe('👨‍👩‍👧');
    expect(await wei.page.locator('html').getAttribute('data-asked')).toBe('camera');
    expect(wei.faults).toEqual([]);
  });

  test('works without a camera: the others see a drawn picture and hear a tone', async () => {
    const room = 'drawn';
    const wei = await browser.enter(cluster.nodes[0].url, {
      name: 'Wei',
      room,
      media: 'camera',
      before: () => {
        navigator.mediaDevices.getUserMedia = () =>
          Promise.reject(new DOMException('Permission denied', 'NotAllowedError'));
      },
    });
    const ana = await browser.enter(cluster.nodes[1].url, { name: 'Ana', room });
    await wei.by('notice').waitFor();
    await ana.seesAndHears(wei);
  });

  test('where a browser wants a touch first, shows the others without sound and asks for it', async () => {
    const room = 'link';
    const wei = await browser.open(cluster.nodes[0].url, { query: { room }, before: wantTouchBeforeSound });
    await wei.page.keyboard.type('Wei');
    await wei.page.keyboard.press('Enter');
    const ana = await browser.enter(cluster.nodes[1].url, { name: 'Ana', room });
    const tap = wei.page.getByRole('button', { name: 'Tap to hear the others' });
    const video = wei.page.locator('[data-testid=tile] video');
    await tap.waitFor();
    await eventually(async () =>
      expect(await video.evaluate(sounds)).toEqual({ muted: true, paused: false }),
    );
    await tap.click();
    await tap.waitFor({ state: 'detached' });
    expect(await video.evaluate(sounds)).toEqual({ muted: false, paused: false });
    await eventually(async () => ((await wei.wayTo(ana.name))?.audioEnergy ?? 0) > 0);
  });

  test('says in words why a room is not entered', async () => {
    const wei = await browser.open(cluster.nodes[0].url, { query: { room: 'blue@nowhere', name: 'Wei' } });
    await wei.by('enter').click();
    const notice = wei.by('notice');
    await notice.waitFor();
    expect(await notice.getAttribute('data-code')).toBe('invalid_request');
    expect(await notice.getAttribute('role')).toBe('alert');
  });

  test('says that the node is out of reach, and comes back when it answers again', async () => {
    const lone = await startCluster({ nodes: 1, backplane: 'memory' });
    const { port } = new URL(lone.nodes[0].url);
    const wei = await browser.enter(lone.nodes[0].url, { name: 'Wei', room: 'blue' });
    await lone.stop();
    await wei.by('waiting').waitFor();
    expect(await wei.by('connection').getAttribute('data-phase')).toBe('reconnecting');
    const again = await startCluster({ nodes: 1, backplane: 'memory', settings: { PORT: port } });
    await wei.isConnected();
    await eventually(async () => expect(await wei.by('waiting').count()).toBe(0));
    await again.stop();
  });

  test('gives a link that leads others into the room', async () => {
    const wei = await browser.enter(cluster.nodes[0].url, { name: 'Wei', room: 'blue & 玉' });
    const link = (await wei.by('copy-link').getAttribute('data-link')) ?? '';
    const ana = await browser.open(cluster.nodes[1].url);
    await ana.page.goto(link);
    expect(await ana.by('room').inputValue()).toBe('blue & 玉');
    expect(link).not.toContain('Wei');
  });
});

/** What browsers do at their discretion, always. */
function wantTouchBeforeSound(): void {
  const { play } = HTMLMediaElement.prototype;
  let isTouched = false;
  addEventListener('pointerdown', () => (isTouched = true), { capture: true });
  HTMLMediaElement.prototype.play = function () {
    if (this.muted || isTouched) return play.call(this);
    return Promise.reject(new DOMException('no touch yet', 'NotAllowedError'));
  };
}

function sounds(video: Element): unknown {
  return video instanceof HTMLVideoElement && { muted: video.muted, paused: video.paused };
}

/** The call's controls that Tab does not reach. */
async function untabbed(page: Page): Promise<string[]> {
  const wanted = await page
    .locator('.controls button')
    .evaluateAll((all) => all.map((one) => one.dataset.testid));
  const reached = new Set<string | undefined>();
  for (let presses = 0; presses < wanted.length + 10; presses++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.testid));
  }
  return wanted.filter((id) => id !== undefined && !reached.has(id)) as string[];
}
