import { setTimeout as sleep } from 'node:timers/promises';
import type { IceServer } from '@fenghuo/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { mintToken } from '../../../services/signaling/index.ts';
import { type CallBrowser, openBrowser, type Person } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { type ClusterOptions, startCluster, type TestNode } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { startTurnServer, type TurnServer } from '../../support/turn-server.ts';

const DAY_MS = 86_400_000;
const JWT_SECRET = 'a-secret-of-at-least-thirty-two-bytes';
/** Longer than it takes Chromium to give a path up. */
const TURN_DOWN_MS = 25_000;
const BY_RELAY = { room: 'blue', before: relayOnly };

/** Without chromium there are no browsers, and without turnserver (coturn) there is no TURN. */
describe.skipIf(capabilities.chromium === false || !capabilities.turnserver)('through a TURN server', () => {
  let browser: CallBrowser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    await browser.closePages();
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function openTurn(...secrets: string[]): Promise<TurnServer> {
    const turn = await startTurnServer(...secrets);
    closers.push(() => turn.stop());
    return turn;
  }

  /** Nodes that hand out that TURN server, with credentials signed with the first secret. */
  async function openNodes(
    turn: TurnServer,
    secrets: string,
    options: ClusterOptions = {},
  ): Promise<readonly [TestNode, TestNode, ...TestNode[]]> {
    const settings = { TURN_URLS: turn.url, TURN_SECRET: secrets };
    const cluster = await startCluster({ ...options, settings: { ...settings, ...options.settings } });
    closers.push(() => cluster.stop());
    return cluster.nodes;
  }

  test('two people on two nodes call each other by relays alone, with the credentials of their nodes', async () => {
    const turn = await openTurn('north');
    const [beijing, shanghai] = await openNodes(turn, 'north', {
      settings: { AUTH: 'required', JWT_SECRET },
    });
    const [wei, ana] = await Promise.all([
      browser.enter(beijing.url, { name: 'Wei', fragment: await tokenOf('wei'), ...BY_RELAY }),
      browser.enter(shanghai.url, { name: 'Ana', fragment: await tokenOf('ana'), ...BY_RELAY }),
    ]);
    await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
    expect(await wei.wayTo('Ana')).toMatchObject({ pair: 'relay-relay', path: 'across' });
    expect(await ana.wayTo('Wei')).toMatchObject({ pair: 'relay-relay', path: 'across' });
    // The server's log names peers, not people.
    for (const person of [wei, ana]) expect(turn.log()).toContain(`:${await person.ownId()}>`);
    expect(turn.log()).not.toMatch(/\d+:(wei|ana)/i);
    expect([...wei.faults, ...ana.faults]).toEqual([]);
  });

  test('a call by relays alone outlives its TURN server: it goes on within two seconds of its return', async () => {
    const turn = await openTurn('north');
    const [node] = await openNodes(turn, 'north', { nodes: 1 });
    const people = await Promise.all(
      ['Wei', 'Ana'].map((name) => browser.enter(node.url, { name, ...BY_RELAY })),
    );
    const [wei, ana] = people as [Person, Person];
    await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
    const areConnected = async () => {
      const ways = await Promise.all([wei.wayTo('Ana'), ana.wayTo('Wei')]);
      return ways.every((way) => way?.ice === 'connected');
    };
    await turn.kill();
    await sleep(TURN_DOWN_MS);
    expect(await areConnected()).toBe(false);
    await turn.restart();
    await eventually(areConnected, { timeoutMs: 2_000, everyMs: 50, what: 'both are connected again' });
    await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
  });

  test('a credential that has expired is refused by the server', async () => {
    const turn = await openTurn('north');
    const [now] = await openNodes(turn, 'north', { nodes: 1 });
    const [yesterday] = await openNodes(turn, 'north', { nodes: 1, wallMs: () => Date.now() - DAY_MS });
    const page = await browser.open(now.url);
    expect(await gather(page, await iceServers(now))).toEqual({ isRelayed: true, refusals: [] });
    expect(await gather(page, await iceServers(yesterday))).toEqual({ isRelayed: false, refusals: [401] });
  });

  test('secrets are rotated without a refusal: first the server learns the new one, then the nodes sign with it', async () => {
    const [before, during, after] = [
      await openTurn('north'),
      await openTurn('north', 'south'),
      await openTurn('south'),
    ];
    const [old] = await openNodes(before, 'north', { nodes: 1 });
    const [rotated] = await openNodes(before, 'south north', { nodes: 1 });
    const [first, second] = [await iceServers(old), await iceServers(rotated)];
    const page = await browser.open(old.url);
    const relaysAt = async (turn: TurnServer) => {
      const at = (servers: IceServer[]) => servers.map((server) => ({ ...server, urls: turn.url }));
      return [(await gather(page, at(first))).isRelayed, (await gather(page, at(second))).isRelayed];
    };
    expect(await relaysAt(before)).toEqual([true, false]);
    expect(await relaysAt(during)).toEqual([true, true]);
    expect(await relaysAt(after)).toEqual([false, true]);
  });
});

/** As a link brings it. */
async function tokenOf(sub: string): Promise<string> {
  const anything = { room: undefined, role: undefined, name: undefined };
  return `token=${await mintToken({ sub, ...anything, ttlS: 600 }, { JWT_SECRET })}`;
}

async function iceServers(node: TestNode): Promise<IceServer[]> {
  const answer = await fetch(`${node.url}/ice`);
  return ((await answer.json()) as { ice_servers: IceServer[] }).ice_servers;
}

/** Runs in the page, before its own code: whatever it calls with goes through a relay. */
function relayOnly(): void {
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
    }
  };
}

/** Whether a browser is given a relay by these servers (one for each interface of its machine), and what it is refused with. */
function gather({ page }: Person, servers: IceServer[]): Promise<{ isRelayed: boolean; refusals: number[] }> {
  return page.evaluate(async (iceServers) => {
    const connection = new RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay' });
    let isRelayed = false;
    const refusals = new Set<number>();
    connection.onicecandidate = ({ candidate }) => {
      isRelayed ||= candidate?.type === 'relay';
    };
    connection.onicecandidateerror = ({ errorCode }) => refusals.add(errorCode);
    connection.createDataChannel('');
    const complete = new Promise<void>((resolve) => {
      connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve();
    });
    await connection.setLocalDescription();
    await complete;
    connection.close();
    return { isRelayed, refusals: [...refusals] };
  }, servers as RTCIceServer[]);
}
