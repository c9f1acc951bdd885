import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WireError } from '@fenghuo/protocol';
import { textFrame } from './frames.ts';

/** RFC 6455, 1.3: with it a server proves that it understood the request for a WebSocket. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CLOSE = Buffer.from([0x88, 2, 0x03, 0xe8]);
/** As Engine.IO opens; nothing of it is used by a connection that ends so soon. */
const OPEN = textFrame(
  '0{"sid":"refused","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":262144}',
);
/** Whoever has not answered by then hears nothing of it. */
const PATIENCE_MS = 5_000;

/**
 * Refuses a handshake as socket.io would (`connect_error`, whose data is the error object), in two writes and without
 * making any of what a connection needs: a tenth of the work, when there is too much of it.
 */
export function turnAway(request: IncomingMessage, socket: Duplex, error: WireError): void {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`).digest('base64');
  socket.on('error', () => {});
  socket.cork();
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.write(OPEN);
  socket.uncork();
  const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
  socket.once('close', () => clearTimeout(patience));
  // The first that comes is the wish to connect, what follows is the client's goodbye.
  socket.once('data', () => {
    socket.write(textFrame(`44${JSON.stringify({ message: error.message, data: error })}`));
    socket.once('data', () => socket.end(CLOSE));
  });
  socket.once('end', () => socket.destroy());
}
