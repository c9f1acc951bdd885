import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { type CallBrowser, type OpenOptions, openBrowser, type Person } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { startCluster, type TestCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

const ADMIN_TOKEN = 'a-token-of-operators-in-tests-0123456789';
const PASS = 'a.pass-in.a-link';

/** Somebody who follows a link, and what their browser then does. */
interface Follower {
  readonly person: Person;
  /** How often the page asked for camera or microphone. */
  devicesAsked(): Promise<number>;
  /** URLs of the page's WebSockets. */
  readonly sockets: readonly string[];
  /** What they sent. */
  readonly sent: readonly string[];
}

describe.skipIf(capabilities.chromium === false)('a link', () => {
  let browser: CallBrowser;
  let own: TestCluster;
  let foreign: TestCluster;
  let way: TcpProxy;
  let arrivals = 0;
  beforeAll(async () => {
    // A name that its owner points at this machine.
    browser = await openBrowser('--host-resolver-rules=MAP evil.example 127.0.0.1');
    own = await startCluster({ nodes: 2, backplane: 'memory', settings: { ADMIN_TOKEN } });
    foreign = await startCluster({ nodes: 1, backplane: 'memory' });
    way = await startTcpProxy(Number(new URL(foreign.nodes[0].url).port), () => {
      arrivals++;
      return { toServer: (chunk, pass) => pass(chunk), toClient: (chunk, pass) => pass(chunk) };
    });
  });
  afterAll(async () => {
    await browser?.close();
    await way?.stop();
    await Promise.all([own?.stop(), foreign?.stop()]);
  });
  afterEach(async () => {
    await browser.closePages();
    arrivals = 0;
  });

  const foreignUrl = () => `http://127.0.0.1:${way.port}`;

  async function follow(query: Record<string, string>, options: OpenOptions = {}): Promise<Follower> {
    const sockets: string[] = [];
    const sent: string[] = [];
    const person = await browser.open('about:blank');
    person.page.on('websocket', (socket) => {
      sockets.push(socket.url());
      socket.on('framesent', ({ payload }) => sent.push(String(payload)));
    });
    await person.page.addInitScript(countDevices);
    const link = new URL(own.nodes[0].url);
    link.search = new URLSearchParams({ media: 'camera', ...query }).toString();
    link.hash = options.fragment ?? '';
    await person.page.goto(link.href);
    await person.page.waitForLoadState('networkidle');
    return { person, sockets, sent, devicesAsked: () => person.page.evaluate(devicesAsked) };
  }

  async function hasStartedNothing({ person, sockets, devicesAsked }: Follower): Promise<void> {
    expect(await person.by('enter').isVisible()).toBe(true);
    expect(await person.by('call').count()).toBe(0);
    expect(await devicesAsked()).toBe(0);
    expect(sockets).toEqual([]);
    expect(arrivals).toBe(0);
  }

  test('names a foreign node in both languages, and reaches it, a camera and the pass only with a click', async () => {
    const query = { nodes: foreignUrl(), autojoin: '1', room: 'trap', name: 'Wei' };
    const follower = await follow(query, { fragment: `token=${PASS}` });
    const { person, sockets, sent } = follower;
    await hasStartedNothing(follower);

    const note = person.by('foreign-nodes');
    expect(await note.innerText()).toContain(foreignUrl());
    expect(await note.innerText()).toContain('it decides who sees and hears you');
    expect(await person.by('enter').textContent()).toBe('Enter through this server');
    expect(await person.by('enter').getAttribute('aria-describedby')).toBe(await note.getAttribute('id'));
    await person.by('language-zh').click();
    expect(await note.innerText()).toContain(foreignUrl());
    expect(await note.innerText()).toContain('只有信任它时才进入');
    expect(await person.by('enter').textContent()).toBe('经由此服务器进入');
    await hasStartedNothing(follower);

    await person.by('enter').click();
    await person.isConnected();
    expect(await follower.devicesAsked()).toBe(1);
    expect(sockets).toEqual([expect.stringContaining(`127.0.0.1:${way.port}/socket.io/`)]);
    expect(sent[0]).toContain(PASS);
    expect(arrivals).toBeGreaterThan(0);

    await person.leave();
    await note.waitFor();
    expect(await note.innerText()).toContain(foreignUrl());
    expect(person.faults).toEqual([]);
  });

  test('names every node that is not the page’s own, and no other', async () => {
    const [ours, beside] = [own.nodes[0].url, own.nodes[1].url];
    const both = await follow({ nodes: `${ours},${beside},${foreignUrl()},${foreignUrl()}/x` });
    expect(await both.person.by('foreign-nodes').locator('li').allTextContents()).toEqual([
      beside,
      foreignUrl(),
    ]);
    expect(await both.person.by('enter').textContent()).toBe('Enter through these servers');
    await hasStartedNothing(both);
    const one = await follow({ nodes: ours });
    expect(await one.person.by('foreign-nodes').count()).toBe(0);
    expect(await one.person.by('enter').textContent()).toBe('Enter the room');
  });

  test.each([
    { autojoin: '1', room: 'blue', name: 'Wei' },
    { autojoin: 'true', room: 'blue', name: 'Wei', media: 'fake' },
    { join: '1', enter: '1', start: '1', room: 'blue', name: 'Wei', token: PASS },
    { room: 'blue', name: 'Wei', region: 'beijing', nodes: 'ws://evil.example,//evil.example,evil.example' },
  ])('fills in the form at most: %j', async (query) => {
    const follower = await follow(query);
    await hasStartedNothing(follower);
    expect(await follower.person.by('name').inputValue()).toBe('Wei');
    expect(await follower.person.by('room').inputValue()).toBe('blue');
    await follower.person.by('enter').click();
    await follower.person.isConnected();
    expect(await follower.devicesAsked()).toBe(query.media === 'fake' ? 0 : 1);
  });

  test('is entered by no key that was held down before the page was there', async () => {
    const follower = await follow({ room: 'blue', name: 'Wei' });
    const { page } = follower.person;
    await page.goto('about:blank');
    await page.keyboard.down('Enter');
    await page.goBack({ waitUntil: 'networkidle' });
    await follower.person.by('name').focus();
    for (let repeats = 0; repeats < 20; repeats++) await page.keyboard.down('Enter');
    await hasStartedNothing(follower);
    await page.keyboard.up('Enter');
    await page.keyboard.press('Enter');
    await follower.person.isConnected();
  });

  test('into the console gives no order, and asks nothing of anybody else', async () => {
    const { opsUrl } = own.nodes[0];
    const asked: string[] = [];
    const operator = await browser.open(`${opsUrl}/console`, {
      query: { token: 'b'.repeat(40), api: foreignUrl(), nodes: foreignUrl() },
    });
    operator.page.on('request', (request) =>
      asked.push(`${request.method()} ${new URL(request.url()).origin}`),
    );
    expect(await operator.by('token').inputValue()).toBe('');
    await operator.by('token').fill(ADMIN_TOKEN);
    await operator.by('enter').click();
    await operator.by('freshness').waitFor();
    for (const hash of [
      '#/rooms/blue%40main',
      '#/rooms/..%2F..%2Fnodes',
      `#/rooms/${foreignUrl()}`,
      '#token=x',
    ]) {
      const shown = operator.page.waitForResponse(`${opsUrl}/admin/v1/**`);
      await operator.page.evaluate((to) => location.assign(to), hash);
      await shown;
    }
    expect([...new Set(asked)]).toEqual([`GET ${opsUrl}`]);
    expect(arrivals).toBe(0);
  });

  test('in a frame of another page shows neither the call nor the console', async () => {
    const { url, opsUrl } = own.nodes[0];
    const site = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(
        `<iframe src="${url}/?room=trap" allow="camera; microphone"></iframe><iframe src="${opsUrl}/console">`,
      );
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void site.close());
    const { page } = await browser.open(`http://127.0.0.1:${(site.address() as AddressInfo).port}`);
    await eventually(() => {
      const framed = page.frames().slice(1);
      expect(framed.map((frame) => frame.url())).toEqual([
        'chrome-error://chromewebdata/',
        'chrome-error://chromewebdata/',
      ]);
    });
  });

  test('by a name that its owner points at a node shows nothing of that node', async () => {
    const ports = [own.nodes[0].url, own.nodes[0].opsUrl].map((url) => new URL(url).port);
    const { page } = await browser.open('about:blank');
    for (const [port, path] of [
      [ports[0], '/?room=trap'],
      [ports[1], '/console'],
      [ports[1], '/metrics'],
    ]) {
      const answer = await page.goto(`http://evil.example:${port}${path}`);
      expect(answer?.status()).toBe(421);
      expect(await answer?.text()).toContain('ALLOWED_HOSTS');
    }
    const socket = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url);
          socket.onopen = () => resolve('open');
          socket.onerror = () => resolve('refused');
        }),
      `ws://evil.example:${ports[0]}/socket.io/?EIO=4&transport=websocket`,
    );
    expect(socket).toBe('refused');
  });
});

/** Run in the page before its own code. */
function countDevices(): void {
  const page = window as unknown as { devicesAsked: number };
  page.devicesAsked = 0;
  const { mediaDevices } = navigator;
  if (mediaDevices === undefined) return;
  const { getUserMedia } = mediaDevices;
  mediaDevices.getUserMedia = (...args) => {
    page.devicesAsked++;
    return getUserMedia.apply(mediaDevices, args);
  };
}

/** Run in the page. */
function devicesAsked(): number {
  return (window as unknown as { devicesAsked: number }).devicesAsked;
}
