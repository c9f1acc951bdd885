import { expect, onTestFinished, test } from 'vitest';

import { NotOpened } from '../../../services/loadtest/connection.ts';
import { Crowd } from '../../../services/loadtest/crowd.ts';
import { seededRandom } from '../../../services/loadtest/random.ts';
import { eventually } from '../../support/eventually.ts';

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
