import { readFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WireError } from '@fenghuo/protocol';
import { afterEach, expect, inject, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { startNodeProcesses } from '../support/node-processes.ts';
import { connect, PlainClient } from '../support/plain-client.ts';

/** More than a node takes at once; and more than it takes in a second, while its event loop is late. */
const STORM = 700;
const GREAT_STORM = 2_000;

/** Of one address no more would be let in. */
const ADDRESSES_UNCOUNTED = { ADDRESS_PEERS_MAX: '0' };

const people: PlainClient[] = [];
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of people.splice(0)) each.close();
  for (const stop of stops.splice(0)) await stop();
});

/** Its nodes are stopped behind the test. */
async function nodesOf<Cluster extends { stop(): Promise<void> }>(
  starting: Promise<Cluster>,
): Promise<Cluster> {
  const cluster = await starting;
  stops.push(() => cluster.stop());
  return cluster;
}

/** Undefined: it is in. */
function outcome(client: PlainClient): Promise<(Error & { data?: WireError }) | undefined> {
  return new Promise((resolve) => {
    client.socket.once('connect', () => resolve(undefined));
    client.socket.once('connect_error', resolve);
  });
}

test('a storm of newcomers from one address gets in; who is told to come back is told when', async () => {
  // In this process, whose event loop the storm's own clients keep late: the pace does not rise.
  const { nodes } = await nodesOf(startCluster({ backplane: 'memory', settings: ADDRESSES_UNCOUNTED }));
  const [{ url }] = nodes;
  const refusals: WireError[] = [];
  async function comeIn(): Promise<void> {
    const client = new PlainClient(url);
    people.push(client);
    for (;;) {
      const refused = await outcome(client);
      if (refused === undefined) return;
      if (refused.data === undefined) throw refused;
      refusals.push(refused.data);
      await sleep(refused.data.retry_after_ms);
      client.socket.connect();
    }
  }
  await Promise.all(Array.from({ length: GREAT_STORM }, comeIn));

  // How many those are is the machine's doing: `door.test.ts` shows whom a node sends away.
  for (const refusal of refusals)
    expect(refusal).toMatchObject({ code: 'rate_limited', retry_after_ms: expect.any(Number) });
  // Those who were let in are served.
  expect((await people[0]?.join(`storm-${process.pid}`))?.self.id).toBeTypeOf('string');
});

test('those who are in are served while others storm the node', async () => {
  const { nodes } = await nodesOf(startNodeProcesses(inject('redisUrl')));
  const [beijing, shanghai] = nodes;
  const [ann, bob] = [await connect(beijing.url), await connect(shanghai.url)];
  people.push(ann, bob);
  await ann.join(`storm-${process.pid}`);
  const { self } = await bob.join(`storm-${process.pid}`);
  const storm = Array.from({ length: STORM }, () => new PlainClient(beijing.url));
  people.push(...storm);
  for (let n = 0; n < 20; n++) {
    expect(await ann.request('message', { to: self.id, topic: 'n', data: n })).toMatchObject({ ok: true });
    await sleep(20);
  }
  await expect.poll(() => bob.all('message').length).toBe(20);
});

test.runIf(process.platform === 'linux')('a node that is busy keeps all of a storm in line', async () => {
  const { nodes } = await nodesOf(startCluster({ backplane: 'memory' }));
  const port = Number(new URL(nodes[0].url).port);
  // The node shares this thread: it looks at nobody until the turn ends.
  const storm = Array.from({ length: STORM }, () => connectSocket(port, '127.0.0.1'));
  stops.push(async () => {
    for (const socket of storm) socket.destroy();
  });
  await new Promise<void>((resolve) => process.nextTick(resolve));
  expect(waitingAt(port)).toBe(STORM);
});

/** How many connections the kernel holds for a listener of 127.0.0.1 that has not taken them yet: proc(5), /proc/net/tcp. */
function waitingAt(port: number): number {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const listening = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, local, , state]) => local === address && state === '0A');
  return Number.parseInt(listening?.[4]?.split(':')[1] ?? '', 16);
}
