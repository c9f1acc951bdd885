import type { Socket as TcpSocket } from 'node:net';
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { seriesIn } from '../support/exposition.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';

const SENDERS = 12;
const MESSAGES_EACH = 30;
const DATA = 'x'.repeat(60_000);

test('a client that stops to read is seen, and dropped before it fills the node, and the others go on', async () => {
  // So long a window that a busy machine does not take the reader for dead before it is taken for slow.
  const settings = { RESUME_WINDOW_MS: '120000' };
  const cluster = await startCluster({ nodes: 1, backplane: 'memory', settings });
  const { url, opsUrl } = cluster.nodes[0];
  const slow = await connect(url);
  await slow.join('blue');
  const senders = await Promise.all(Array.from({ length: SENDERS }, () => connect(url)));
  for (const sender of senders) await sender.join('blue');
  const witness = senders[0] as PlainClient;

  const told = async (name: string, labels = '') =>
    seriesIn(await (await fetch(`${opsUrl}/metrics`)).text()).find(
      (series) => series.name === name && series.labels === labels,
    )?.value ?? Number.NaN;

  tcpSocket(slow).pause();
  let waiting = 0;
  for (let n = 0; n < MESSAGES_EACH; n++) {
    await Promise.all(senders.map((sender) => sender.request('message', { topic: 'load', data: DATA })));
    if (n % 5 === 4) waiting = Math.max(waiting, await told('signaling_packets_waiting'));
  }

  await eventually(
    async () => (await told('signaling_connections_dropped_total', 'reason="slow_reader"')) === 1,
    { timeoutMs: 10_000, what: 'the slow reader dropped' },
  );
  expect(waiting).toBeGreaterThan(32);
  expect(await told('signaling_connections_closed_total', 'reason="slow_reader"')).toBe(1);
  expect(await witness.next('peer_updated')).toMatchObject({ peer: { connected: false } });
  expect(witness.all('message')).toHaveLength((SENDERS - 1) * MESSAGES_EACH);
  for (const each of [slow, ...senders]) each.close();
  await cluster.stop();
});

function tcpSocket(client: PlainClient): TcpSocket {
  const { transport } = client.socket.io.engine as unknown as { transport: { ws: { _socket: TcpSocket } } };
  return transport.ws._socket;
}
