import type { Socket as TcpSocket } from 'node:net';
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';

const SENDERS = 12;
const MESSAGES_EACH = 30;
const DATA = 'x'.repeat(60_000);

test('a client that stops to read is dropped before it fills the node, and the others go on', async () => {
  const cluster = await startCluster({ nodes: 1, backplane: 'memory' });
  const { url, opsUrl } = cluster.nodes[0];
  const slow = await connect(url);
  await slow.join('blue');
  const senders = await Promise.all(Array.from({ length: SENDERS }, () => connect(url)));
  for (const sender of senders) await sender.join('blue');
  const witness = senders[0] as PlainClient;

  tcpSocket(slow).pause();
  for (let n = 0; n < MESSAGES_EACH; n++) {
    await Promise.all(senders.map((sender) => sender.request('message', { topic: 'load', data: DATA })));
  }

  await eventually(
    async () =>
      (await (await fetch(`${opsUrl}/metrics`)).text()).includes('dropped_total{reason="slow_reader"} 1'),
    { timeoutMs: 10_000, what: 'the slow reader dropped' },
  );
  expect(await witness.next('peer_updated')).toMatchObject({ peer: { connected: false } });
  expect(witness.all('message')).toHaveLength((SENDERS - 1) * MESSAGES_EACH);
  for (const each of [slow, ...senders]) each.close();
  await cluster.stop();
});

function tcpSocket(client: PlainClient): TcpSocket {
  const { transport } = client.socket.io.engine as unknown as { transport: { ws: { _socket: TcpSocket } } };
  return transport.ws._socket;
}
