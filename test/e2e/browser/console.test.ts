import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import {
  type CallBrowser,
  LAPTOP,
  type OpenOptions,
  openBrowser,
  type Person,
  PHONE,
} from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { startCluster, type TestCluster, type TestNode } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { connect, type PlainClient } from '../../support/plain-client.ts';
import { startLocalRedis } from '../../support/redis.ts';

const ADMIN_TOKEN = 'a-token-of-operators-in-tests-0123456789';
/** What a browser itself writes of an answer that a test provokes. */
const PROVOKED = /status of (40[134]|503)|ERR_INTERNET_DISCONNECTED/;

describe.skipIf(capabilities.chromium === false)("the operators' console", () => {
  let browser: CallBrowser;
  let cluster: TestCluster;
  const clients: PlainClient[] = [];
  const operators: Person[] = [];
  beforeAll(async () => {
    browser = await openBrowser();
    cluster = await startCluster({ nodes: 3, settings: { ADMIN_TOKEN } });
  });
  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
  });
  afterEach(async () => {
    const faults = operators.splice(0).flatMap((operator) => operator.faults);
    for (const client of clients.splice(0)) client.close();
    await browser.closePages();
    expect(faults.filter((fault) => !PROVOKED.test(fault))).toEqual([]);
  });

  /** A person of the given name at a node, in a room, by the wire alone. */
  async function enter(node: TestNode | undefined, room: string, name: string) {
    if (node === undefined) throw new Error('there is no such node');
    const client = await connect(node.url);
    clients.push(client);
    const { self } = await client.join(room, { name });
    return { client, id: self.id };
  }

  async function open(node: TestNode, options: OpenOptions & { hash?: string } = {}): Promise<Person> {
    const context = { viewport: LAPTOP, ...options.context };
    const operator = await browser.open(`${node.opsUrl}/console${options.hash ?? ''}`, {
      ...options,
      context,
    });
    operators.push(operator);
    return operator;
  }

  /** An operator who has signed in at a node, and sees figures. */
  async function signIn(node: TestNode, options: OpenOptions & { hash?: string } = {}): Promise<Person> {
    const operator = await open(node, options);
    await operator.by('token').fill(ADMIN_TOKEN);
    await operator.by('enter').click();
    await operator.page.locator('[data-testid=freshness][data-state=live]').waitFor();
    return operator;
  }

  async function openRoom(operator: Person, room: string): Promise<void> {
    await operator.by('view-rooms').click();
    await operator.page.getByRole('link', { name: room, exact: true }).click();
    await operator.page.locator('[data-testid=open-room][data-state=there]').waitFor();
  }

  const nodeRow = (operator: Person, id: string) =>
    operator.page.locator(`[data-testid=node][data-node="${id}"]`);
  const personRow = (operator: Person, id: string) =>
    operator.page.locator(`[data-testid=person][data-peer="${id}"]`);

  test('a wrong token is told to be wrong; the right one is kept by the tab, and by no address', async () => {
    const [beijing] = cluster.nodes;
    const operator = await open(beijing);
    await operator.by('token').fill('not-the-token-of-this-cluster-at-all');
    await operator.page.keyboard.press('Enter');
    await operator.page.locator('[data-testid=failure][data-why=unauthorized]').waitFor();
    expect(await operator.by('console').count()).toBe(0);

    await operator.by('token').fill(ADMIN_TOKEN);
    await operator.page.keyboard.press('Enter');
    await operator.by('console').waitFor();
    expect(operator.page.url()).not.toContain(ADMIN_TOKEN);
    await operator.page.reload();
    await operator.by('console').waitFor();

    await operator.by('sign-out').click();
    await operator.by('token').waitFor();
    expect(await operator.page.evaluate(() => JSON.stringify([sessionStorage, localStorage]))).not.toContain(
      ADMIN_TOKEN,
    );
  });

  test('a node that no longer takes the token signs its operator out, and says so', async () => {
    const operator = await signIn(cluster.nodes[0]);
    await operator.page.route('**/admin/v1/**', (route) =>
      route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer of-yesterday' } }),
    );
    await operator.page.locator('[data-testid=failure][data-why=signedOut]').waitFor();
  });

  test('where the admin API is off, the console says how to turn it on', async () => {
    const off = await startCluster({ nodes: 2, backplane: 'memory' });
    try {
      const operator = await open(off.nodes[0]);
      await operator.by('token').fill(ADMIN_TOKEN);
      await operator.by('enter').click();
      await operator.page.locator('[data-testid=failure][data-why=forbidden]').waitFor();
      expect(await operator.by('failure').textContent()).toContain('ADMIN_TOKEN');
    } finally {
      await off.stop();
    }
  });

  test('any node shows all nodes by region, with their load, in a table, in charts and in words', async () => {
    for (const node of cluster.nodes) await enter(node, 'figures', `at ${node.id}`);
    const operator = await signIn(cluster.nodes[2] ?? cluster.nodes[0]);
    await operator.by('node').nth(2).waitFor();
    const order = await operator
      .by('node')
      .evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.node));
    expect(order).toEqual(['beijing-1', 'beijing-2', 'shanghai-1']);
    await eventually(async () => (await operator.by('total-people').locator('b').textContent()) === '3', {
      what: 'three people in the totals',
    });
    expect(await operator.by('total-nodes').textContent()).toContain('3 ready');
    expect(await nodeRow(operator, 'shanghai-1').getAttribute('data-state')).toBe('ready');
    await eventually(
      async () =>
        /beijing-1: now 1,.*shanghai-1: now 1,/.test((await figuresOf(operator, 'connections')) ?? ''),
      { what: 'the connections of each node in words' },
    );
    for (const measure of ['connections', 'messages_per_second'])
      expect(await isDrawn(operator.page, measure)).toBe(true);
    await operator.page
      .locator('[data-testid=chart-connections] .u-over')
      .hover({ position: { x: 300, y: 20 } });
    const tip = operator.page.locator('[data-testid=chart-connections] .tip');
    await tip.getByText('shanghai-1').waitFor();
  });

  test('rooms stand by size, and are found by a part of their name', async () => {
    const [beijing, shanghai] = cluster.nodes;
    for (const name of ['Wei', 'Lin', 'Ana']) await enter(beijing, 'sizes-large', name);
    await enter(shanghai, 'sizes-small', 'Max');
    const operator = await signIn(shanghai);
    await operator.by('view-rooms').click();
    await operator.by('filter').fill('SIZES-');
    await eventually(async () =>
      expect(await roomsOf(operator)).toEqual(['sizes-large@main', 'sizes-small@main']),
    );
    await operator.by('sort').selectOption('name');
    await operator.by('filter').fill('small');
    await eventually(async () => expect(await roomsOf(operator)).toEqual(['sizes-small@main']));
    await operator.by('filter').fill('no such room');
    await operator.page.getByText('No room has a name like that.').waitFor();
  });

  test('many rooms come in pages', async () => {
    const [beijing] = cluster.nodes;
    for (let number = 10; number < 62; number++) await enter(beijing, `paged-${number}`, 'Wei');
    const operator = await signIn(beijing);
    await operator.by('view-rooms').click();
    await operator.by('sort').selectOption('name');
    await operator.by('filter').fill('paged-');
    await operator.by('next').click(); // Which waits for a listing of this filter and order.
    await eventually(async () => expect(await roomsOf(operator)).toEqual(['paged-60@main', 'paged-61@main']));
    await operator.by('previous').click();
    await eventually(async () => expect(await roomsOf(operator)).toHaveLength(50));
  });

  test('a node is drained and taken back from the console of another', async () => {
    const [beijing, shanghai] = cluster.nodes;
    const { client } = await enter(shanghai, 'drained', 'Wei');
    const operator = await signIn(beijing);
    await nodeRow(operator, shanghai.id).getByTestId('drain').click();
    await operator.by('field-text').fill('Back in an hour.');
    await operator.by('confirm').click();
    expect(await client.next('go_away')).toMatchObject({ reason: 'drain', text: 'Back in an hour.' });
    await nodeRow(operator, shanghai.id).and(operator.page.locator('[data-state^=drain]')).waitFor();
    client.close();
    await operator.page.locator(`[data-node="${shanghai.id}"][data-state=drained]`).waitFor();
    await nodeRow(operator, shanghai.id).getByTestId('undrain').click();
    await operator.page.locator(`[data-node="${shanghai.id}"][data-state=ready]`).waitFor();
  });

  test('a peer on another node is kicked; those who stay see it, and the console too', async () => {
    const [beijing, shanghai] = cluster.nodes;
    const wei = await enter(beijing, 'kicked', 'Wei');
    const lin = await enter(shanghai, 'kicked', 'Lin');
    const operator = await signIn(beijing);
    await openRoom(operator, 'kicked');
    await personRow(operator, lin.id).getByTestId('kick').click();
    expect(await operator.by('dialog').locator('h2').textContent()).toBe('Kick Lin out of kicked@main?');
    await operator.by('field-reason').fill('shouting');
    await operator.by('confirm').click();
    expect(await lin.client.next('removed')).toMatchObject({ reason: 'kicked' });
    expect(await wei.client.next('peer_left')).toMatchObject({ peer: lin.id, reason: 'kicked' });
    await personRow(operator, lin.id).waitFor({ state: 'detached' });
    await operator.page.locator('[data-testid=note][data-tone=good]').waitFor();
    expect(await personRow(operator, wei.id).count()).toBe(1);
  });

  test('whoever is banned cannot come back', async () => {
    const [beijing, shanghai] = cluster.nodes;
    await enter(beijing, 'banned', 'Wei');
    const lin = await enter(shanghai, 'banned', 'Lin');
    const operator = await signIn(beijing);
    await openRoom(operator, 'banned');
    await personRow(operator, lin.id).getByTestId('ban').click();
    await operator.by('confirm').click();
    expect(await lin.client.next('removed')).toMatchObject({ reason: 'banned' });
    await expect(enter(beijing, 'banned', 'Lin')).rejects.toThrow('banned');
  });

  test('kinds, roles and the lock are changed, and the room and the console see them changed', async () => {
    const [beijing, shanghai] = cluster.nodes;
    const wei = await enter(beijing, 'ruled', 'Wei');
    const lin = await enter(shanghai, 'ruled', 'Lin');
    const operator = await signIn(cluster.nodes[2] ?? beijing);
    await openRoom(operator, 'ruled');
    const row = personRow(operator, lin.id);

    await row.getByTestId('mute-audio').click();
    expect(await wei.client.next('peer_updated')).toMatchObject({ peer: { id: lin.id, muted: ['audio'] } });
    await row.locator('[data-testid=mute-audio][aria-pressed=true]').waitFor();
    await row.getByTestId('mute-audio').click();
    expect(await wei.client.next('peer_updated')).toMatchObject({ peer: { muted: [] } });

    await row.getByTestId('role').selectOption('listener');
    expect(await row.getByTestId('role').inputValue()).toBe('speaker'); // Until it is confirmed, and so.
    await operator.by('confirm').click();
    expect(await wei.client.next('peer_updated')).toMatchObject({ peer: { id: lin.id, role: 'listener' } });
    await eventually(async () => (await row.getByTestId('role').inputValue()) === 'listener');
    expect(await row.getByTestId('mute-audio').isDisabled()).toBe(true);

    await operator.by('lock').click();
    expect(await wei.client.next('room_updated')).toMatchObject({ room: { locked: true } });
    await operator.page.locator('[data-testid=room-lock][data-state=locked]').waitFor();
    await expect(enter(beijing, 'ruled', 'Ana')).rejects.toThrow('room_locked');
    await operator.by('lock').click();
    expect(await wei.client.next('room_updated')).toMatchObject({ room: { locked: false } });

    await operator.by('mute-all').click();
    await operator.by('field-kinds').selectOption('video');
    await operator.by('confirm').click();
    expect(await lin.client.next('peer_updated')).toBeDefined();
    await personRow(operator, wei.id).locator('[data-testid=mute-video][aria-pressed=true]').waitFor();
  });

  test('a message reaches a room, or one peer in it, from the server', async () => {
    const [beijing, shanghai] = cluster.nodes;
    const wei = await enter(beijing, 'told', 'Wei');
    const lin = await enter(shanghai, 'told', 'Lin');
    const operator = await signIn(beijing);
    await openRoom(operator, 'told');
    await operator.by('say').click();
    await operator.by('field-data').fill('to all');
    await operator.by('confirm').click();
    for (const { client } of [wei, lin])
      expect(await client.next('message')).toMatchObject({
        from: 'server',
        topic: 'chat',
        data: { text: 'to all' },
      });
    await personRow(operator, lin.id).getByTestId('say-to').click();
    await operator.by('field-topic').fill('cue');
    await operator.by('field-data').fill('{"step": 2}');
    await operator.by('confirm').click();
    expect(await lin.client.next('message')).toMatchObject({
      from: 'server',
      topic: 'cue',
      data: { step: 2 },
    });
    expect(wei.client.all('message')).toHaveLength(1);
  });

  test('a room is closed, and everyone in it is told, on each node', async () => {
    const [beijing, shanghai] = cluster.nodes;
    const people = [await enter(beijing, 'closed', 'Wei'), await enter(shanghai, 'closed', 'Lin')];
    const operator = await signIn(shanghai);
    await openRoom(operator, 'closed');
    await operator.by('close-room').click();
    expect(await operator.by('dialog').textContent()).toContain('Everyone (2)');
    await operator.by('confirm').click();
    for (const { client } of people) expect(await client.next('removed')).toMatchObject({ reason: 'closed' });
    await operator.page.locator('[data-testid=open-room][data-state=gone]').waitFor();
    await operator.by('events').waitFor({ state: 'detached' });
    await operator.by('view-events').click();
    await operator.page.locator('[data-testid=event]', { hasText: 'Operator: close room' }).first().waitFor();
  });

  test('an announcement is counted: to everyone, and to one region', async () => {
    const people = await Promise.all(cluster.nodes.map((node) => enter(node, 'heard', node.id)));
    const operator = await signIn(cluster.nodes[0]);
    await operator.by('announce').click();
    await operator.by('field-text').fill('The cluster moves at noon.');
    await operator.by('confirm').click();
    for (const { client } of people)
      expect(await client.next('announcement')).toMatchObject({
        level: 'info',
        text: 'The cluster moves at noon.',
      });
    await operator.page.getByText('Announced: 3 connections took it').waitFor();

    await operator.by('announce').click();
    await operator.by('field-to').selectOption({ label: 'Region shanghai' });
    await operator.by('field-level').selectOption('warning');
    await operator.by('field-text').fill('Shanghai first.');
    await operator.by('confirm').click();
    expect(await people[1]?.client.next('announcement')).toMatchObject({ level: 'warning' });
    await operator.page.getByText('Announced: 1 connection took it').waitFor();
    expect(people.map(({ client }) => client.all('announcement').length)).toEqual([1, 2, 1]);
  });

  test('what is refused is said in the dialog, which stays open', async () => {
    const [beijing, shanghai] = cluster.nodes;
    await enter(beijing, 'refused', 'Wei');
    const lin = await enter(shanghai, 'refused', 'Lin');
    const operator = await signIn(beijing);
    await openRoom(operator, 'refused');
    await personRow(operator, lin.id).getByTestId('kick').click();
    await lin.client.request('leave');
    await personRow(operator, lin.id).waitFor({ state: 'detached' });
    await operator.by('confirm').click();
    await operator.page.locator('[data-testid=dialog] [data-code=peer_not_found]').waitFor();
    await operator.by('cancel').click();
    await operator.by('dialog').waitFor({ state: 'detached' });
  });

  test('a kick is found, asked, declined and given by keyboard alone', async () => {
    const [beijing, shanghai] = cluster.nodes;
    await enter(beijing, 'typed', 'Wei');
    const lin = await enter(shanghai, 'typed', 'Lin');
    const operator = await open(beijing);
    const { keyboard } = operator.page;
    await tabTo(operator.page, 'Admin token');
    await keyboard.type(ADMIN_TOKEN);
    await keyboard.press('Enter');
    await operator.by('console').waitFor();
    await tabTo(operator.page, 'Rooms');
    await keyboard.press('Enter');
    await operator.by('room').first().waitFor();
    await tabTo(operator.page, 'Rooms whose name contains');
    await keyboard.type('typed');
    await eventually(async () => expect(await operator.by('room').count()).toBe(1));
    await tabTo(operator.page, 'typed');
    await keyboard.press('Enter');
    await personRow(operator, lin.id).waitFor();

    await tabTo(operator.page, 'Kick Lin');
    await keyboard.press('Enter');
    await operator.by('dialog').waitFor();
    expect(await focused(operator.page)).toBe('Cancel'); // A key held down must not confirm.
    await keyboard.press('Escape');
    await operator.by('dialog').waitFor({ state: 'detached' });
    expect(await focused(operator.page)).toBe('Kick Lin');
    expect(lin.client.all('removed')).toEqual([]);

    await keyboard.press('Enter');
    await operator.by('dialog').waitFor();
    await tabTo(operator.page, 'Kick out');
    await keyboard.press('Enter');
    expect(await lin.client.next('removed')).toMatchObject({ reason: 'kicked' });
    await personRow(operator, lin.id).waitFor({ state: 'detached' });
    await eventually(async () => expect(await focused(operator.page)).toBe('typed')); // The room's heading.
  });

  test('every control can be reached by Tab, and has a name', async () => {
    const [beijing] = cluster.nodes;
    await enter(beijing, 'named', 'Wei');
    const operator = await signIn(beijing);
    await operator.by('node').nth(2).waitFor();
    expect(await unnamed(operator.page)).toEqual([]);
    await openRoom(operator, 'named');
    expect(await unnamed(operator.page)).toEqual([]);
    await operator.by('announce').click();
    expect(await unnamed(operator.page)).toEqual([]);
  });

  test('speaks Chinese, and changes its language without losing its place', async () => {
    const [beijing] = cluster.nodes;
    await enter(beijing, '玉门关', '魏');
    const operator = await open(beijing, { context: { locale: 'zh-CN' } });
    expect(await operator.page.locator('html').getAttribute('lang')).toBe('zh-Hans');
    await operator.by('token').fill(ADMIN_TOKEN);
    await operator.page.getByRole('button', { name: '登录' }).click();
    await operator.by('view-rooms').click();
    await operator.page.getByRole('link', { name: '玉门关' }).click();
    await operator.page.getByRole('button', { name: '请出 魏' }).click();
    expect(await operator.by('dialog').locator('h2').textContent()).toBe('将 魏 请出 玉门关@main？');
    await operator.page.keyboard.press('Escape');
    expect(await operator.page.locator('body').innerText()).not.toMatch(/undefined|null|NaN|\[object/);
    await operator.by('language-en').click();
    await operator.page.getByRole('button', { name: 'Kick 魏' }).waitFor();
    expect(await operator.page.title()).toBe('Fenghuo console');
  });

  test('fits a phone: nothing is wider than the window, in any view or dialog', async () => {
    const [beijing, shanghai] = cluster.nodes;
    const room = 'a-rather-long-name-of-a-room-at-the-western-end';
    await enter(beijing, room, 'Wei of the long wall and of sixty-four letters, as many as fit i');
    await enter(shanghai, room, 'Lin');
    const context = { viewport: PHONE, isMobile: true, hasTouch: true, deviceScaleFactor: 1 };
    const operator = await signIn(beijing, { context });
    await operator.by('node').nth(2).waitFor();
    expect(await operator.overflowPx()).toBe(0);
    await openRoom(operator, room);
    await operator.by('person').nth(1).waitFor();
    expect(await operator.overflowPx()).toBe(0);
    await operator.by('kick').first().tap();
    const box = await operator.by('dialog').boundingBox();
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(PHONE.width);
    await operator.by('cancel').tap();
    await operator.by('view-events').tap();
    expect(await operator.overflowPx()).toBe(0);
  });

  test('a console without its node says that its figures are old, and is live again by itself', async () => {
    const operator = await signIn(cluster.nodes[0]);
    await operator.page.context().setOffline(true);
    await operator.page.locator('[data-testid=stale] [data-code=unreachable]').waitFor();
    expect(await operator.by('node').count()).toBe(3);
    await operator.page.context().setOffline(false);
    await operator.page.locator('[data-testid=freshness][data-state=live]').waitFor();
  });

  test.skipIf(capabilities.redisServer === false)(
    'while Redis is away the console says that its figures are old, and an order that its outcome is unknown',
    async () => {
      const redis = await startLocalRedis();
      const away = await startCluster({ nodes: 2, redisUrl: redis.url, settings: { ADMIN_TOKEN } });
      try {
        await enter(away.nodes[1], 'away', 'Lin');
        const operator = await signIn(away.nodes[0]);
        await openRoom(operator, 'away');
        redis.pause();
        await operator.page.locator('[data-testid=stale] [data-code=unavailable]').waitFor();
        expect(await operator.by('person').count()).toBe(1);
        await operator.by('lock').click();
        await operator.page.locator('[data-testid=note][data-code=unavailable]').waitFor();
        redis.resume();
        await operator.page.locator('[data-testid=freshness][data-state=live]').waitFor();
      } finally {
        await away.stop();
        await redis.stop();
      }
    },
  );

  test('a hidden console asks nothing, and looks at once when it is seen again', async () => {
    const operator = await signIn(cluster.nodes[0]);
    await operator.page.clock.install();
    await operator.page.reload();
    await operator.by('node').first().waitFor();
    const asked: string[] = [];
    operator.page.on('request', (request) => asked.push(request.url()));
    const looked = operator.page.waitForRequest('**/nodes');
    await operator.page.clock.fastForward(60_000);
    await looked;

    await setHidden(operator.page, true);
    asked.length = 0;
    await operator.page.clock.fastForward(60_000);
    expect(asked).toEqual([]);
    await setHidden(operator.page, false);
    await eventually(() => asked.some((url) => url.endsWith('/nodes')), { timeoutMs: 1_000 });
  });

  test('the call page loads nothing of the console', async () => {
    const person = await browser.open(cluster.nodes[0].url);
    const scripts = await person.page.evaluate(async () => {
      const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
      const texts = loaded
        .filter((name) => /\.(js|css)$/.test(name))
        .map(async (name) => (await fetch(name)).text());
      return (await Promise.all(texts)).join('\n');
    });
    expect(scripts).toContain('socket.io');
    expect(scripts).not.toMatch(/u-legend|\/admin\/v1/);
  });

  test('a node that stops is shown as gone', async () => {
    const small = await startCluster({ nodes: 2, settings: { ADMIN_TOKEN } });
    try {
      const operator = await signIn(small.nodes[0]);
      await operator.by('node').nth(1).waitFor();
      await small.nodes[1].stop();
      await operator.page.locator(`[data-node="${small.nodes[1].id}"][data-state=gone]`).waitFor();
      await eventually(async () =>
        /1 ready · 1 gone/.test((await operator.by('total-nodes').textContent()) ?? ''),
      );
    } finally {
      await small.stop();
    }
  });

  const roomsOf = (operator: Person) =>
    operator.by('room').evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.room));
  const figuresOf = (operator: Person, measure: string) =>
    operator.by(`chart-${measure}`).getByTestId('figures').textContent();
});

/** Whether a chart's canvas has anything on it. */
function isDrawn(page: Page, measure: string): Promise<boolean> {
  return page.locator(`[data-testid=chart-${measure}] canvas`).evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const pixels = (element as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data;
    return pixels?.some((value) => value !== 0) ?? false;
  });
}

/** The name of what has the focus: its label, or its words. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])] : [];
    return (
      element?.getAttribute('aria-label') ??
      labels[0]?.textContent ??
      element?.textContent ??
      ''
    ).trim();
  });
}

async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = [];
  while ((await focused(page)) !== name) {
    await page.keyboard.press('Tab');
    passed.push(await focused(page));
    if (passed.length > 60) throw new Error(`Tab does not lead to ${name}, but to ${passed.join(', ')}`);
  }
}

/** Controls that a screen reader could not name, or that no Tab reaches. */
function unnamed(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const scope = document.querySelector('dialog[open]') ?? document.body;
    const controls = [
      ...scope.querySelectorAll<HTMLElement>('button, a, input, select, textarea, [onclick]'),
    ];
    return controls
      .filter((control) => control.offsetParent !== null)
      .filter((control) => {
        const labels = (control as HTMLInputElement).labels;
        const name = control.getAttribute('aria-label') ?? labels?.[0]?.textContent ?? control.textContent;
        return name?.trim() === '' || control.tabIndex < 0 || control.tagName === 'DIV';
      })
      .map((control) => control.outerHTML);
  });
}

/** As a tab that goes behind another one. */
function setHidden(page: Page, isHidden: boolean): Promise<void> {
  return page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
}
