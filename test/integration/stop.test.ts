import { connect } from 'node:net';
import { onTestFinished, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

test('a node ends though somebody who is turned away keeps the socket', async () => {
  const cluster = await startCluster({ nodes: 1, backplane: 'memory' });
  const [node] = cluster.nodes;
  const { port } = new URL(node.url);
  await node.drain();
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let heard = '';
  socket.on('data', (data) => {
    heard += data;
  });
  socket.write(
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await eventually(() => heard.includes('101'), { what: 'a socket that was taken' });
  await cluster.stop();
}, 8_000);
