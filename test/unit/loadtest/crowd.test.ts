import { expect, onTestFinished, test } from 'vitest';

import { type Answer, NotOpened } from '../../../services/loadtest/connection.ts';
import { Crowd } from '../../../services/loadtest/crowd.ts';
import { seededRandom } from '../../../services/loadtest/random.ts';
import type { SimulatedPeer } from '../../../services/loadtest/simulated-peer.ts';
import { eventually } from '../../support/eventually.ts';
import { type FakeConnection, FakeNodes, joinReply, peerNamed } from './fake-nodes.ts';

const PEOPLE = 400;

async function addressesOf(endpoint: string): Promise<(string | undefined)[]> {
  const from: (string | undefined)[] = [];
  const crowd = new Crowd(
    { endpoints: [endpoint], roomSizes: Array(PEOPLE / 2).fill(2), random: seededRandom(1) },
    async (_, __, ___, { localAddress } = {}) => {
      from.push(localAddress);
      throw new NotOpened('nobody is there');
    },
  );
  onTestFinished(() => {
    for (const peer of crowd.peers) peer.stop();
  });
  for (const peer of crowd.peers) void peer.start();
  await eventually(() => from.length >= PEOPLE);
  return from.slice(0, PEOPLE);
}

test('a crowd on loopback comes from many addresses, with few people behind each', async () => {
  const from = await addressesOf('http://127.0.0.1:3001');
  const behind = Map.groupBy(from, (address) => address ?? 'none');
  expect(behind.size).toBe(200);
  expect(Math.max(...[...behind.values()].map(({ length }) => length))).toBe(2);
});

test('elsewhere the system chooses the address', async () => {
  expect(new Set(await addressesOf('http://signal.example.org'))).toEqual(new Set([undefined]));
});

test('who is not found is a fault, unless it turns out that their session was over', async () => {
  const nodes = new FakeNodes();
  const options = { endpoints: ['http://a'], roomSizes: [2], random: seededRandom(1) };
  const crowd = new Crowd(options, nodes.open);
  onTestFinished(() => {
    for (const peer of crowd.peers) peer.stop();
  });
  for (const peer of crowd.peers) void peer.start();
  await eventually(
    () => nodes.connections.length === 2 && nodes.connections.every(({ asked }) => asked.length > 0),
  );
  const [ann, bob] = nodes.connections as [FakeConnection, FakeConnection];
  ann.last('join').answer(joinReply(1, ['bob']));
  bob.last('join').answer({ ...joinReply(2, ['ann']), self: peerNamed('bob') } as Answer);
  const [first] = crowd.peers as [SimulatedPeer];
  expect(crowd.send(first, 10)).toBe(true);
  ann.last('signal').answer({ ok: false, error: { code: 'peer_not_found', message: 'gone' } });
  expect(crowd.sums().failed).toBe(1);
  bob.send('removed', { reason: 'closed' });
  expect(crowd.sums().failed).toBe(0);
});
