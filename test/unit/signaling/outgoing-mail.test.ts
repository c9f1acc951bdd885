import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Outbox, OutgoingMail } from '../../../services/signaling/sockets/outbox.ts';

/** An engine's connection that writes down what reaches the TCP socket past it, and what it is given to keep. */
class FakeEngine extends EventEmitter {
  readyState = 'open';
  readonly writeBuffer: { data?: unknown }[] = [];
  readonly written: string[] = [];
  readonly kept: string[] = [];
  readonly transport = {
    writable: true,
    socket: {
      readyState: 1,
      _socket: {
        writableLength: 0,
        write: (data: Buffer) => this.written.push(String(data)),
      },
    },
  };

  write(data: Buffer | string): void {
    this.emit('packetCreate');
    this.kept.push(String(data));
    this.writeBuffer.push({ data });
  }
}

function open() {
  const engine = new FakeEngine();
  const outbox = new Outbox(new OutgoingMail(), engine as never);
  const put = (...texts: string[]) => {
    for (const text of texts) outbox.put(Buffer.from(text));
  };
  return { engine, outbox, put };
}

const turn = () => new Promise(setImmediate);

test('what falls due in one turn is one write, in its order, and what comes later another', async () => {
  const { engine, put } = open();
  put('reply ', 'event ');
  await Promise.resolve();
  put('last');
  expect(engine.written).toEqual([]);
  await turn();
  put('alone');
  await turn();
  expect(engine.written).toEqual(['reply event last', 'alone']);
});

test('what socket.io sends by itself comes after what was due before', () => {
  const { engine, put } = open();
  put('removed');
  engine.write('disconnect');
  expect([engine.written, engine.kept]).toEqual([['removed'], ['disconnect']]);
});

test.each([
  ['while a packet of the engine is under way', (engine: FakeEngine) => (engine.transport.writable = false)],
  ['behind what the engine keeps', (engine: FakeEngine) => engine.writeBuffer.push({ data: 'a' })],
  [
    'while the client does not read',
    (engine: FakeEngine) => (engine.transport.socket._socket.writableLength = 1),
  ],
])('the engine keeps it %s, each packet by itself', async (_, stop) => {
  const { engine, outbox, put } = open();
  stop(engine);
  const before = outbox.bytesWaiting;
  put('one', 'three');
  await turn();
  expect(engine.written).toEqual([]);
  expect(engine.kept).toEqual(['one', 'three']);
  expect(outbox.bytesWaiting - before).toBe(8);
});

test.each([
  ['engine', (engine: FakeEngine) => (engine.readyState = 'closing')],
  ['WebSocket', (engine: FakeEngine) => (engine.transport.socket.readyState = 2)],
])('nothing is written behind the close of the %s', async (_, close) => {
  const { engine, put } = open();
  put('late');
  close(engine);
  await turn();
  expect([engine.written, engine.kept]).toEqual([[], []]);
});

test('a closed outbox leaves nothing due and nothing on the connection', () => {
  const { engine, outbox, put } = open();
  put('last');
  outbox.close();
  expect(engine.written).toEqual(['last']);
  expect(engine.listenerCount('packetCreate')).toBe(0);
});
