import { afterAll, beforeAll, expect, test } from 'vitest';

import { join, type RoomSession, type WireLine } from '../../services/client/index.ts';
import { mintToken } from '../../services/signaling/index.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const SECRET = 'a-secret-of-at-least-thirty-two-bytes';

let cluster: TestCluster;
beforeAll(async () => {
  const settings = { AUTH: 'required', JWT_SECRET: SECRET };
  cluster = await startCluster({ nodes: 2, backplane: 'memory', settings });
});
afterAll(() => cluster?.stop());

function mint(ttlS: number): Promise<string> {
  const grant = { sub: 'wei', room: 'blue', role: 'host', name: 'Wei', ttlS } as const;
  return mintToken(grant, { JWT_SECRET: SECRET });
}

function hear(session: RoomSession, what: string): WireLine[] {
  const lines: WireLine[] = [];
  session.on('wire', (line) => line.what === what && lines.push(line));
  return lines;
}

test('the SDK brings a fresh token before the one it has runs out, and the node takes it', async () => {
  let asked = 0;
  const token = () => mint(asked++ === 0 ? 2 : 3_600);
  const session = join(cluster.nodes[0].url, { room: 'blue', token });
  await session.joined;
  const updates = hear(session, 'update');
  await eventually(() => expect(updates).toMatchObject([{ direction: 'out', tookMs: expect.any(Number) }]));
  expect([updates[0]?.note, asked, session.self?.name]).toEqual([undefined, 2, 'Wei']);
  await session.leave();
});

test('the SDK asks for another token where the first one is refused, and goes in with it', async () => {
  const wishes: boolean[] = [];
  const token = ({ isFresh }: { readonly isFresh: boolean }) => {
    wishes.push(isFresh);
    return isFresh ? mint(3_600) : 'a.token.of-yesterday';
  };
  const session = join(cluster.nodes[1].url, { room: 'blue', token });
  await session.joined;
  expect([wishes, session.self?.role]).toEqual([[false, true], 'host']);
  await session.leave();
});

test('the SDK tells why it may not go in', async () => {
  const { url } = cluster.nodes[0];
  const refused = (room: string, token?: string) =>
    join(url, { room, token }).joined.then(
      () => 'joined',
      ({ code }) => code,
    );
  expect(await refused('blue')).toBe('unauthorized');
  expect(await refused('green', await mint(60))).toBe('forbidden');
});
