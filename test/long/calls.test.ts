import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import type { RoomSession } from '../../services/client/index.ts';
import { type CallBrowser, openBrowser, type Person } from '../support/browser.ts';
import { capabilities } from '../support/capabilities.ts';
import { startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { definePairs, type OpenPair } from '../support/page-links.ts';
import { openSdkPage, type Sdk } from '../support/sdk-page.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { startTurnServer } from '../support/turn-server.ts';

const MIB = 1_048_576;

describe.skipIf(capabilities.chromium === false)('calls in Chromium', () => {
  let browser: CallBrowser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());
  afterEach(() => browser?.closePages());

  test('200 pairs whose offers meet, late and stalled, all come to an agreement', async () => {
    const page = await openSdkPage(browser);
    await page.evaluate(definePairs);
    const wedged: unknown[] = [];
    for (let batch = 0; batch < 25; batch++) {
      const results = await page.evaluate(async (count) => {
        const open = (window as unknown as { openPair: OpenPair }).openPair;
        const one = async (run: number) => {
          const pair = open({ delayMs: 120, offerPatienceMs: run % 2 === 0 ? 2_000 : Math.random() * 330 });
          for (let turn = 0; turn < 8; turn++) {
            await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
            if (turn === 4) pair.stall(run % 2, 2_500);
            for (const link of pair.links) {
              const { track, stream } = pair.drawn();
              link.addTrack(track, stream);
            }
          }
          const isSettled = await pair.settle(30_000);
          const result = { ...pair.result(), isSettled };
          pair.close();
          return result;
        };
        return Promise.all(Array.from({ length: count }, (_, run) => one(run)));
      }, 8);
      wedged.push(...results.filter(({ isSettled, heard }) => !isSettled || heard.join() !== '9,9'));
      await collectGarbage(page);
    }
    expect(wedged).toEqual([]);
  }, 900_000);

  test('500 joins and leaves of one person leave nothing behind at the other', async () => {
    const cluster = await startCluster({ nodes: 1, backplane: 'memory' });
    onTestFinished(() => cluster.stop());
    const { url } = cluster.nodes[0];
    const page = await openSdkPage(browser, url);
    await page.evaluate(async (node) => {
      const { join, MeshCall } = (window as unknown as { sdk: Sdk }).sdk;
      const stays = join(node, { room: 'blue', name: 'Ana' });
      const call = new MeshCall(stays);
      await stays.joined;
      Object.assign(window, { call, stays });
    }, url);
    const heapBytes: number[] = [];
    for (let batch = 0; batch < 10; batch++) {
      const left = await page.evaluate(
        async ([node, count]) => {
          const { join, MeshCall } = (window as unknown as { sdk: Sdk }).sdk;
          for (let times = 0; times < count; times++) {
            const session = join(node, { room: 'blue', name: 'Wei' });
            const call = new MeshCall(session);
            await new Promise<void>((resolve) => {
              call.on('link', ({ state }) => state.phase === 'connected' && resolve());
            });
            const { stays } = window as unknown as { stays: RoomSession };
            let stop = () => {};
            const left = new Promise<void>((resolve) => {
              stop = stays.on('peer_left', () => resolve());
            });
            await session.leave();
            await left;
            stop();
          }
          return (window as unknown as { stays: RoomSession }).stays.peers.size;
        },
        [url, 50] as const,
      );
      expect(left).toBe(0);
      heapBytes.push(await collectGarbage(page));
    }
    const growth = (heapBytes.at(-1) ?? 0) - (heapBytes[1] ?? 0);
    expect(growth).toBeLessThan(2 * MIB);
  }, 900_000);

  describe.skipIf(!capabilities.turnserver)('by relays alone', () => {
    /** Wei comes by a way to the node that can be cut; the relay can be, too. */
    async function inCall() {
      const turn = await startTurnServer('north');
      onTestFinished(() => turn.stop());
      const settings = { TURN_URLS: turn.url, TURN_SECRET: 'north' };
      const cluster = await startCluster({ nodes: 1, backplane: 'memory', settings });
      onTestFinished(() => cluster.stop());
      const port = Number(new URL(cluster.nodes[0].url).port);
      let isUp = true;
      const pass = (chunk: Buffer, on: (chunk: Buffer) => void) => on(chunk);
      const way = await startTcpProxy(
        () => (isUp ? port : 1),
        () => ({ toServer: pass, toClient: pass }),
      );
      onTestFinished(() => way.stop());
      const options = { room: 'blue', before: relayOnly };
      const other = await openBrowser();
      onTestFinished(() => other.close());
      const [wei, ana] = await Promise.all([
        browser.enter(`http://127.0.0.1:${way.port}`, { name: 'Wei', ...options }),
        other.enter(cluster.nodes[0].url, { name: 'Ana', ...options }),
      ]);
      await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
      return {
        wei,
        ana,
        async goOffline() {
          isUp = false;
          way.cut();
          await turn.kill();
        },
        async comeBack() {
          await turn.restart();
          isUp = true;
          await wei.page.evaluate(() => window.dispatchEvent(new Event('online')));
        },
      };
    }

    test.each([3, 20, 60])(
      'go on after %i s without network',
      async (seconds) => {
        const { wei, ana, goOffline, comeBack } = await inCall();
        await goOffline();
        await sleep(seconds * 1_000);
        await comeBack();
        // The session first, then the path; a session that has expired meanwhile is another one.
        await eventually(() => areConnected(wei, ana), {
          timeoutMs: 4_000,
          everyMs: 50,
          what: 'both are connected',
        });
        await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
      },
      180_000,
    );

    test('go on after the browser of one of them has stood still for 40 s', async () => {
      const { wei, ana } = await inCall();
      const ids = await processesOf(wei);
      for (const id of ids) process.kill(id, 'SIGSTOP');
      await sleep(40_000);
      for (const id of ids.toReversed()) process.kill(id, 'SIGCONT');
      await eventually(() => areConnected(wei, ana), {
        timeoutMs: 10_000,
        everyMs: 50,
        what: 'both are connected',
      });
      await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
    }, 180_000);
  });
});

async function areConnected(wei: Person, ana: Person): Promise<boolean> {
  const ways = await Promise.all([wei.wayTo('Ana'), ana.wayTo('Wei')]);
  return ways.every((way) => way?.ice === 'connected');
}

/** What the page has on its heap afterwards, in bytes. */
async function collectGarbage(page: Person['page']): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  await devtools.detach();
  return usedSize;
}

async function processesOf({ page }: Person): Promise<number[]> {
  const devtools = await page.context().browser()?.newBrowserCDPSession();
  const { processInfo = [] } = (await devtools?.send('SystemInfo.getProcessInfo')) ?? {};
  return processInfo.map(({ id }) => id);
}

/** Runs in the page, before its own code. */
function relayOnly(): void {
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
    }
  };
}
