import { expect, test } from 'vitest';

import { mintToken } from '../../../services/signaling/index.ts';
import { openBrowser, type Person } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { startCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { keepConnections } from '../../support/media-watch.ts';

const SECRET = 'a-secret-of-at-least-thirty-two-bytes';
const SMALL = { viewport: { width: 880, height: 480 } };

test.skipIf(capabilities.chromium === false)(
  'TURN credentials past half of their life are fetched anew, from another origin too, before a way is looked for',
  async () => {
    const browser = await openBrowser();
    const settings = {
      AUTH: 'required',
      JWT_SECRET: SECRET,
      TURN_URLS: 'turn:127.0.0.1:9?transport=udp',
      TURN_SECRET: SECRET,
      TURN_TTL_S: '60',
    };
    const cluster = await startCluster({ nodes: 2, backplane: 'memory', settings });
    try {
      const [beijing, shanghai] = cluster.nodes;
      const enter = async (name: string) => {
        const token = await mintToken({ sub: name, room: 'blue', role: 'host', name, ttlS: 600 }, settings);
        return browser.enter(beijing.url, {
          name,
          room: 'blue',
          query: { nodes: shanghai.url },
          fragment: `token=${token}`,
          context: SMALL,
          before: [keepConnections, letTheClockRunAhead],
        });
      };
      const wei = await enter('Wei');
      const ana = await enter('Ana');
      await wei.seesOnly(ana);
      const [first] = await usernames(wei);

      await wei.page.evaluate(() => Object.assign(window, { aheadMs: 31_000 }));
      const way = wei.page.locator('[data-testid=way][data-name=Ana]');
      const [answer] = await Promise.all([
        wei.page.waitForResponse(`${shanghai.url}/ice`),
        way.getByTestId('restart-ice').click(),
      ]);
      const { ice_servers: servers } = await answer.json();
      await eventually(async () => expect(await usernames(wei)).toEqual([servers[0].username]));
      expect(servers[0].username).not.toBe(first);
      await eventually(async () => (await wei.wireLines('offer', 'out')) > 0);
      expect([...wei.faults, ...ana.faults]).toEqual([]);
    } finally {
      await browser.close();
      await cluster.stop();
    }
  },
);

/** Runs in the page. */
function letTheClockRunAhead(): void {
  const state = Object.assign(window, { aheadMs: 0 });
  const now = performance.now.bind(performance);
  performance.now = () => now() + state.aheadMs;
}

/** Of the TURN credentials that a page's connections use. */
function usernames(person: Person): Promise<(string | undefined)[]> {
  return person.page.evaluate(() => {
    const { connections } = window as unknown as { connections: RTCPeerConnection[] };
    return connections.flatMap(
      (each) => each.getConfiguration().iceServers?.map(({ username }) => username) ?? [],
    );
  });
}
