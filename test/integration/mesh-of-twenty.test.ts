import { expect, onTestFinished, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { connect, type PlainClient, SAMPLE_CANDIDATE } from '../support/plain-client.ts';

const PEOPLE = 20;
const CANDIDATES = 8;
/** An offer of Chromium with audio and two videos. */
const SDP = `v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n${'a=x-codec:of a browser that has many\r\n'.repeat(200)}`;

test('a mesh of 20 behind one address joins at once, negotiates, and negotiates again: no limit is met', async () => {
  const cluster = await startCluster({ settings: { AUTH: 'open' } });
  onTestFinished(() => cluster.stop());
  const people = await Promise.all(
    Array.from({ length: PEOPLE }, (_, n) => connect(cluster.nodes[n % 2 === 0 ? 0 : 1].url)),
  );
  onTestFinished(() => {
    for (const each of people) each.close();
  });
  const joined = await Promise.all(
    people.map((each) => each.join('conference', { metadata: { camera: true } })),
  );
  const ids = joined.map(({ self }) => self.id);
  const refusals: string[] = [];
  const send = async (from: PlainClient, name: string, members: object) => {
    const reply = await from.request(name, members);
    if (!reply.ok) refusals.push(`${name}: ${reply.error.code}`);
  };
  const negotiate = async (from: PlainClient, own: string) => {
    for (const to of ids.filter((id) => id !== own)) {
      const type = own < to ? 'offer' : 'answer';
      await send(from, 'signal', { to, description: { type, sdp: SDP } });
      await Promise.all(
        Array.from({ length: CANDIDATES }, () => send(from, 'signal', { to, candidate: SAMPLE_CANDIDATE })),
      );
    }
    await send(from, 'update', { metadata: { camera: false } });
  };
  for (let round = 0; round < 2; round++)
    await Promise.all(people.map((each, n) => negotiate(each, ids[n] as string)));
  expect(refusals).toEqual([]);
});
