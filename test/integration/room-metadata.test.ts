import { METADATA_BYTES_MAX, ROOM_METADATA_BYTES_MAX } from '@fenghuo/protocol';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';

const people: PlainClient[] = [];
afterEach(() => {
  for (const each of people.splice(0)) each.close();
});

test.each(['redis', 'memory'] as const)(
  'B6: on %s a room takes as much metadata as it may, and says what to do beyond it',
  async (backplane) => {
    const cluster = await startCluster({ backplane });
    onTestFinished(() => cluster.stop());
    const come = async () => {
      const client = await connect(cluster.nodes[people.length % 2 === 0 ? 0 : 1].url);
      people.push(client);
      return client;
    };
    const largest = 'x'.repeat(METADATA_BYTES_MAX - 2);
    for (let n = 0; n < ROOM_METADATA_BYTES_MAX / METADATA_BYTES_MAX; n++)
      await (await come()).join('blue', { metadata: largest });
    const late = await come();
    const refused = {
      ok: false,
      error: { code: 'too_large', message: expect.stringContaining('all members') },
    };
    expect(await late.ask('join', { id: 1, room: 'blue' })).toEqual(refused);
    const [ann, bob] = people as [PlainClient, PlainClient];
    expect(await ann.request('update', { metadata: largest.slice(5) })).toMatchObject({ ok: true });
    expect(await bob.request('update', { metadata: largest.slice(1) })).toMatchObject({ ok: true });
    await late.join('blue');
    const { peers } = await (await come()).join('red', { metadata: largest });
    expect(peers).toEqual([]);
    expect(await ann.request('update', { metadata: largest.slice(3) })).toMatchObject({ ok: true });
    expect(await ann.request('update', { metadata: largest.slice(2) })).toEqual(refused);
  },
);

test('metadata of 8 KiB is taken, and a byte more is not, in a join and in an update', async () => {
  const cluster = await startCluster({ backplane: 'memory', nodes: 1 });
  onTestFinished(() => cluster.stop());
  const ann = await connect(cluster.nodes[0].url);
  people.push(ann);
  const most = 'é'.repeat(METADATA_BYTES_MAX / 2 - 1);
  const refused = { error: { code: 'invalid_request', message: expect.stringContaining('8192 bytes') } };
  expect(await ann.ask('join', { id: 1, room: 'blue', metadata: `${most}x` })).toMatchObject(refused);
  await ann.join('blue', { metadata: most });
  expect(await ann.ask('update', { id: 2, metadata: `${most}x` })).toMatchObject(refused);
  expect(await ann.ask('update', { id: 2, metadata: most })).toMatchObject({ ok: true });
});
