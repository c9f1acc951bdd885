import { setTimeout as sleep } from 'node:timers/promises';
import type { WireError } from '@fenghuo/protocol';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { type ProcessCluster, startNodeProcesses } from '../support/node-processes.ts';
import { connect, PlainClient } from '../support/plain-client.ts';

/** More than a node takes at once. */
const STORM = 700;

let cluster: ProcessCluster;
const people: PlainClient[] = [];
beforeEach(async () => {
  cluster = await startNodeProcesses(inject('redisUrl'));
});
afterEach(async () => {
  for (const each of people.splice(0)) each.close();
  await cluster.stop();
});

/** Undefined: it is in. */
function outcome(client: PlainClient): Promise<(Error & { data?: WireError }) | undefined> {
  return new Promise((resolve) => {
    client.socket.once('connect', () => resolve(undefined));
    client.socket.once('connect_error', resolve);
  });
}

test('a storm of newcomers from one address is let in at a pace; the others are told when to come back, and get in', async () => {
  const [{ url }] = cluster.nodes;
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
  await Promise.all(Array.from({ length: STORM }, comeIn));

  expect(refusals.length).toBeGreaterThan(0);
  expect(new Set(refusals.map((error) => error.code))).toEqual(new Set(['rate_limited']));
  const waits = refusals.map((error) => error.retry_after_ms ?? 0);
  expect(Math.min(...waits)).toBeGreaterThan(0);
  expect(new Set(waits).size).toBeGreaterThan(waits.length / 4);
  // Those who were let in are served.
  expect((await people[0]?.join(`storm-${process.pid}`))?.self.id).toBeTypeOf('string');
});

test('those who are in are served while others storm the node', async () => {
  const [beijing, shanghai] = cluster.nodes;
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
