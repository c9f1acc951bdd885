import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startPace } from '../../../services/signaling/domain/pace.ts';
import { type Door, openDoor } from '../../../services/signaling/sockets/door.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A socket whose other side is the test. */
class FakeSocket extends Duplex {
  written = '';
  override _read(): void {}
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.written += chunk.toString('latin1');
    done();
  }
}

function openScene(waitMs = 0) {
  const server = new EventEmitter() as Server;
  const letIn: Duplex[] = [];
  const refused: string[] = [];
  const flood: string[] = [];
  const pace = startPace(performance.now());
  const door: Door = openDoor(server, {
    pace,
    nowMs: () => performance.now(),
    chance: () => 0.5,
    waitMs: () => waitMs,
    refusalOf: () => undefined,
    letIn: (_, socket) => void letIn.push(socket),
    onFlood: () => void flood.push('flood'),
    onRefused: (how) => refused.push(how),
  });
  const knock = (count: number) =>
    Array.from({ length: count }, () => {
      const socket = new FakeSocket();
      // The example of RFC 6455, 1.3.
      const headers = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' };
      const request = { url: '/socket.io/?EIO=4&transport=websocket', headers };
      server.emit('upgrade', request, socket, Buffer.alloc(0));
      return socket;
    });
  return { door, knock, letIn, refused, flood, pace };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('few are let in at once, and those who must wait a moment in the order in which they came', () => {
  const { door, knock, letIn, refused } = openScene();
  const first = knock(3);
  expect(letIn).toEqual(first);
  const crowd = knock(200);
  expect(letIn.length).toBeLessThan(100);
  expect(door.waiting).toBe(203 - letIn.length);
  vi.advanceTimersByTime(1_000);
  expect(door.waiting).toBe(0);
  expect(letIn).toEqual([...first, ...crowd]);
  expect(refused).toEqual([]);
});

test('who would wait for longer is refused as socket.io does it: after its wish to connect, with the error object', async () => {
  const { knock, letIn, refused } = openScene();
  const crowd = knock(800);
  vi.advanceTimersByTime(2_000);
  const away = crowd.filter((socket) => !letIn.includes(socket));
  expect(away.length).toBeGreaterThan(50);
  expect(refused).toEqual(away.map(() => 'rate_limited'));
  const socket = away[0] as FakeSocket;
  expect(socket.written).toMatch(
    /^HTTP\/1\.1 101 .*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n\r\n\x81.0\{"sid"/s,
  );
  expect(socket.written).not.toContain('rate_limited');
  socket.push('40');
  await settled();
  const frame = socket.written.slice(socket.written.lastIndexOf('44{"'));
  expect(JSON.parse(frame.slice(2))).toMatchObject({
    data: { code: 'rate_limited', retry_after_ms: expect.any(Number) },
  });
  socket.push('bye');
  await settled();
  expect(socket.writableEnded).toBe(true);
});

test('who was to be told to come back is let in all the same, once the pace has risen', () => {
  const { knock, letIn, refused, pace } = openScene();
  const crowd = knock(600);
  pace.perSecond = 1_000;
  vi.advanceTimersByTime(1_000);
  expect(refused).toEqual([]);
  expect(letIn).toEqual(crowd);
});

test('nobody is told to come back before the pace has had a moment to rise', () => {
  const { knock, refused } = openScene();
  knock(800);
  vi.advanceTimersByTime(290);
  expect(refused).toEqual([]);
  vi.advanceTimersByTime(40);
  expect(refused).not.toEqual([]);
});

test('a flood is cut with HTTP 503', async () => {
  const { knock, refused } = openScene();
  const crowd = knock(4_000);
  const cut = crowd.filter((socket) => socket.written.startsWith('HTTP/1.1 503 '));
  expect(refused).toEqual(cut.map(() => 'flood'));
  expect(cut.length).toBeGreaterThan(1_000);
  expect(cut[0]?.written).toMatch(/\r\nRetry-After: ([1-9]|10)\r\n/);
  await settled();
  expect(cut.every((socket) => socket.writableEnded)).toBe(true);
});

test('an address over its limit is told when to come back, and its flood is cut with HTTP 429', async () => {
  const { knock, letIn, refused, flood: noted } = openScene(3_000);
  const flood = knock(200);
  expect(letIn).toEqual([]);
  const cut = flood.filter((socket) => socket.written.startsWith('HTTP/1.1 429 '));
  expect(cut.length).toBeGreaterThan(100);
  expect(cut[0]?.written).toMatch(/\r\nRetry-After: 4\r\n/);
  expect(noted).toHaveLength(cut.length);
  vi.advanceTimersByTime(1_000);
  const told = flood.filter((socket) => socket.written.startsWith('HTTP/1.1 101 '));
  expect(told.length + cut.length).toBe(200);
  expect(new Set(refused)).toEqual(new Set(['flood', 'rate_limited']));
  told[0]?.push('40');
  await settled();
  expect(told[0]?.written).toContain('"retry_after_ms":3750');
});

test('whose connection breaks while it waits takes nobody down, and is not let in', () => {
  const { knock, letIn } = openScene();
  const crowd = knock(200);
  for (const socket of crowd.filter((each) => !letIn.includes(each)))
    socket.emit('error', new Error('ECONNRESET'));
  for (const socket of crowd.slice(150)) socket.destroy();
  vi.advanceTimersByTime(1_000);
  expect(letIn).toHaveLength(150);
});

test('a door that closes leaves nobody waiting', () => {
  const { door, knock, letIn } = openScene();
  const crowd = knock(200);
  door.close();
  expect(crowd.every((socket) => socket.destroyed || letIn.includes(socket))).toBe(true);
});
