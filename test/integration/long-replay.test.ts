import { afterEach, expect, onTestFinished, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';

const people: PlainClient[] = [];
afterEach(() => {
  for (const each of people.splice(0)) each.close();
});

const SENDERS = 6;
const EACH = 30;
const DATA = 'x'.repeat(60_000);

test.each(['redis', 'memory'] as const)(
  'D5: on %s a peer that was away gets all that others wrote meanwhile, 10 MB of it, in order, and then live',
  async (backplane) => {
    const cluster = await startCluster({ backplane });
    onTestFinished(() => cluster.stop());
    const come = async (node: 0 | 1) => {
      const client = await connect(cluster.nodes[node].url);
      people.push(client);
      return client;
    };
    const bob = await come(1);
    const joined = await bob.join('blue');
    const senders = await Promise.all(Array.from({ length: SENDERS }, () => come(0)));
    for (const sender of senders) await sender.join('blue');
    await eventually(() => bob.all('peer_joined').length === SENDERS, { what: 'bob knows all of them' });
    const { seq } = bob.all('peer_joined').at(-1);
    bob.socket.io.engine.close();
    const [ann] = senders as [PlainClient];
    await eventually(() => ann.all('peer_updated').length === 1, { what: 'bob is detached' });
    for (let n = 0; n < EACH; n++)
      await Promise.all(senders.map((each) => each.request('message', { topic: `${n}`, data: DATA })));
    const again = await come(0);
    const reply = await again.resume({ ...joined, seq });
    expect(reply).toMatchObject({ ok: true, recovered: true });
    expect(reply.missed).toBeGreaterThanOrEqual(SENDERS * EACH);
    await ann.request('message', { topic: 'live', data: 1 });
    await eventually(() => again.all('message').at(-1)?.topic === 'live', {
      timeoutMs: 20_000,
      what: 'what is live comes behind what was missed',
    });
    const seqs = again.all('message').map((message) => message.seq);
    expect(seqs).toHaveLength(SENDERS * EACH + 1);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  },
);
