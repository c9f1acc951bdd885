import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { readInPlace } from '../../../services/signaling/sockets/read-in-place.ts';
import { eventually } from '../../support/eventually.ts';

/** Takes the letters `a` at the beginning. */
function takeA(bytes: Buffer, length: number): number {
  let at = 0;
  while (at < length && bytes[at] === 'a'.charCodeAt(0)) at++;
  return at;
}

async function connection(take = takeA) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  const seen = { taken: 0, text: '', chunks: [] as Buffer[] };
  const isInPlace = readInPlace(socket, (bytes, length) => {
    const taken = take(bytes, length);
    seen.taken += taken;
    return taken;
  });
  socket.on('data', (chunk: Buffer) => {
    seen.chunks.push(chunk);
    seen.text += chunk.toString();
  });
  return { client, socket, seen, isInPlace };
}

test('what is taken never reaches the stream, and what is left does', async () => {
  const { client, seen, isInPlace } = await connection();
  expect(isInPlace, 'this version of Node reads in place').toBe(true);
  client.write('aaabab');
  await eventually(() => seen.text === 'bab', { what: 'what is left' });
  client.write('aa');
  await eventually(() => seen.taken === 5, { what: 'what is taken' });
  expect(seen.text).toBe('bab');
});

test('what the stream got stays as it was, whatever others send', async () => {
  const [one, other] = [await connection(), await connection()];
  one.client.write('first');
  await eventually(() => one.seen.text === 'first', { what: 'the first' });
  other.client.write('OTHER');
  await eventually(() => other.seen.text === 'OTHER', { what: 'the other' });
  expect(Buffer.concat(one.seen.chunks).toString()).toBe('first');
});

test('a stop of the stream loses nothing, and nothing changes its place', async () => {
  const { client, socket, seen } = await connection();
  client.write('b');
  await eventually(() => seen.text === 'b', { what: 'the first' });
  socket.pause();
  client.write('aa');
  client.write('c'.repeat(1_000_000));
  client.end('aad');
  socket.resume();
  await once(socket, 'end');
  expect(seen.taken + seen.text.length).toBe(1 + 2 + 1_000_000 + 3);
  expect(seen.text.replaceAll('a', '')).toBe(`b${'c'.repeat(1_000_000)}d`);
});

test('a stream that was stopped in its own data gets the rest once it goes on, before anything is taken', async () => {
  const { client, socket, seen } = await connection();
  socket.once('data', () => socket.pause());
  client.write('b');
  await eventually(() => seen.text === 'b', { what: 'the first' });
  client.write('aac');
  await eventually(() => client.bytesWritten === 4 && client.writableLength === 0, { what: 'all sent' });
  socket.resume();
  await eventually(() => seen.text.endsWith('c'), { what: 'the rest' });
  expect(seen.taken + seen.text.length).toBe(4);
});

test('an end and a break are told as ever', async () => {
  const whole = await connection();
  whole.client.end('aab');
  await once(whole.socket, 'end');
  expect(whole.seen).toMatchObject({ taken: 2, text: 'b' });
  const broken = await connection();
  const error = new Promise((told) => broken.socket.once('error', told));
  broken.client.resetAndDestroy();
  expect(await error).toMatchObject({ code: 'ECONNRESET' });
});
