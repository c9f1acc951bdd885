import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

import { FrameReader } from '../../attack/wire/frame-reader.ts';
import { frame } from '../../attack/wire/frames.ts';
import { RawSocket } from '../../attack/wire/raw-socket.ts';

/** As a server sends it: without a mask. */
function served(content: Buffer): Buffer {
  const { length } = content;
  if (length < 126) return Buffer.concat([Buffer.from([0x81, length]), content]);
  const header = Buffer.from([0x81, 126, length >> 8, length & 0xff]);
  if (length < 65_536) return Buffer.concat([header, content]);
  const long = Buffer.alloc(10);
  long.writeUInt16BE(0x817f, 0);
  long.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([long, content]);
}

test.each([1, 3, 1_000])('frames are found in pieces of %i bytes, long ones by their beginning', (size) => {
  const contents = [0, 1, 125, 126, 40_000, 70_000].map((length) => Buffer.alloc(length, 'x'));
  const bytes = Buffer.concat(contents.map(served));
  const read: [head: number, length: number][] = [];
  const reader = new FrameReader((_, head, length) => read.push([head.length, length]));
  for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size));
  expect(read).toEqual([0, 1, 125, 126, 40_000, 70_000].map((length) => [Math.min(length, 32_768), length]));
});

test('a server of ws understands the frames, fragments and all', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const heard = new Promise((resolve) => {
    server.on('connection', (socket) => socket.on('message', (data) => resolve(String(data))));
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const socket = new RawSocket({ port: (server.address() as { port: number }).port, from: '127.0.0.9' });
  try {
    await socket.open();
    socket.write(frame('a', { isOpen: true }));
    socket.write(frame('b'.repeat(70_000), { opcode: 'continuation', isOpen: true }));
    socket.write(frame('c', { opcode: 'continuation' }));
    expect(await heard).toBe(`a${'b'.repeat(70_000)}c`);
  } finally {
    socket.destroy();
    server.close();
  }
});
