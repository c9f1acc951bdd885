import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { seriesIn } from '../support/exposition.ts';
import { connect } from '../support/plain-client.ts';
import { RawClient } from '../support/raw-client.ts';

let cluster: TestCluster | undefined;
const raws: RawClient[] = [];
afterEach(async () => {
  for (const raw of raws.splice(0)) raw.close();
  await cluster?.stop();
  cluster = undefined;
});

async function openNode(settings: Record<string, string> = {}) {
  cluster = await startCluster({ backplane: 'memory', nodes: 1, settings });
  const [node] = cluster.nodes;
  const open = async () => {
    const raw = await new RawClient(node.url).opened();
    raws.push(raw);
    return raw;
  };
  const told = async (name: string) =>
    seriesIn(await (await fetch(`${node.opsUrl}/metrics`)).text()).find((series) => series.name === name)
      ?.value;
  return { ...node, open, told };
}

/** As an application server would: somebody whom the node does not know yet calls as well as ever. */
async function stillServes(url: string, auth?: object): Promise<void> {
  const client = await connect(url, auth === undefined ? {} : { auth });
  expect((await client.join('blue')).self.id).toBeTypeOf('string');
  client.close();
}

const CONNECTS = [
  ['a CONNECT after a goodbye', ['40', '41', '40']],
  ['two CONNECTs in one write', ['40', '40']],
  ['a CONNECT to another namespace after the first', ['40', '40/other,']],
  ['thousands of CONNECTs', Array.from({ length: 8_000 }, () => '40')],
  ['thousands of CONNECTs to other namespaces', Array.from({ length: 2_000 }, (_, n) => `40/n${n},`)],
  [
    'a CONNECT with an attachment that never comes, and another',
    ['451-["a",{"_placeholder":true,"num":0}]', '40'],
  ],
  ['a request after a goodbye', ['40', '41', '42["leave",{"id":2}]']],
  ['a pong after the goodbye of a crowd of CONNECTs', [...Array.from({ length: 500 }, () => '40'), '3']],
] as const;

describe('one WebSocket is one connection: its node closes it, lives, and counts nothing of it any more', () => {
  test.each(CONNECTS)('%s', async (_, packets) => {
    const { url, open, told } = await openNode();
    const raw = await open();
    raw.send(...packets);
    await raw.closed();
    await eventually(async () => (await told('signaling_connections')) === 0, {
      what: 'no connection is left',
    });
    await stillServes(url);
  });

  test.each(['ES256', 'EdDSA'])('two CONNECTs with one good token of %s in one write', async (alg) => {
    const { publicKey, privateKey } =
      alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
    const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const { url, open } = await openNode({ AUTH: 'required', JWT_PUBLIC_KEY: key });
    const token = await new SignJWT({ sub: 'ann' })
      .setProtectedHeader({ alg })
      .setExpirationTime('1h')
      .sign(privateKey);
    const raw = await open();
    const packet = `40${JSON.stringify({ token })}`;
    raw.send(packet, packet);
    await raw.closed();
    await stillServes(url, { token });
  });
});

test('a goodbye to the namespace is one to the node', async () => {
  const { open } = await openNode();
  const raw = await (await open()).connect();
  raw.send('41');
  await raw.closed();
});

test('a refused CONNECT gets its reason, and its WebSocket is closed', async () => {
  const { open } = await openNode({ AUTH: 'required', JWT_SECRET: 's'.repeat(32) });
  const raw = await open();
  raw.send('40{"token":"bad"}');
  expect(await raw.next('44')).toContain('"code":"unauthorized"');
  await raw.closed();
  expect(raw.received.filter((packet) => packet.startsWith('44'))).toHaveLength(1);
});

test('a message of 64 fragments is read, and one of more closes its connection', async () => {
  const { open } = await openNode();
  const join = `421${JSON.stringify(['join', { id: 1, room: 'blue', name: 'x'.repeat(60) }])}`;
  const inFragments = async (count: number) => {
    const raw = await (await open()).connect();
    for (let at = 0; at < count; at++)
      raw.webSocket.send(at < count - 1 ? join.slice(at, at + 1) : join.slice(at), { fin: at === count - 1 });
    return raw;
  };
  expect(await (await inFragments(64)).next('431[')).toContain('"ok":true');
  expect(await (await inFragments(65)).closed()).toBe(1008);
});

test.each([
  ['people in rooms', '16 MiB', 90, 60],
  ['those who are in none', '2 MiB', 12, 6],
] as const)(
  'of messages that are not whole yet a node keeps for all %s %s: the connection with most of it is cut, whole ones go on',
  async (who, _, count, keptMin) => {
    const { url, open } = await openNode();
    const halves: RawClient[] = [];
    for (let n = 0; n < count; n++) {
      const raw = await (await open()).connect();
      if (who === 'people in rooms') {
        raw.send(`420["join",{"id":1,"room":"blue-${n}"}]`);
        await raw.next('430[');
      }
      // All but the last fragment of 200 kB.
      raw.webSocket.send(`421["join",{"id":1,"room":"${'x'.repeat(200_000)}`, { fin: false });
      halves.push(raw);
    }
    const isCut = ({ closedWith }: RawClient) => closedWith !== undefined;
    await eventually(() => halves.some(isCut), { what: 'one of them is cut' });
    expect(halves.filter((raw) => !isCut(raw)).length).toBeGreaterThan(keptMin);
    await stillServes(url);
  },
);
