import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Outbox, OutgoingMail } from '../../../services/signaling/sockets/outbox.ts';

/** An engine's connection whose client takes a write when the test says so. */
class FakeEngine extends EventEmitter {
  readonly written: string[] = [];
  readonly #onSent: (() => void)[] = [];
  readonly #waiting: string[] = [];
  isWritable = true;

  write(data: Buffer | string, _options?: object, onSent: () => void = () => {}): void {
    this.emit('packetCreate', { data });
    this.#waiting.push(String(data));
    this.#onSent.push(onSent);
    if (this.isWritable) this.#flush();
  }

  /** The client takes what was written. */
  take(): void {
    this.isWritable = true;
    for (const onSent of this.#onSent.splice(0)) onSent();
    this.#flush();
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    this.isWritable = false;
    this.emit('flush');
    this.written.push(...this.#waiting.splice(0));
  }
}

function open(mail = new OutgoingMail(), bufferedBytes = () => 0) {
  const engine = new FakeEngine();
  const slow: string[] = [];
  const outbox = new Outbox(mail, engine as never, {
    bufferedBytes,
    onSlow: () => slow.push('slow'),
  });
  const put = (...texts: string[]) => {
    for (const text of texts) outbox.put(Buffer.from(text));
  };
  return { engine, outbox, put, slow };
}

const turn = () => new Promise(setImmediate);
const MIB = 1_048_576;

test('what falls due in one turn is one write, in its order, and what comes later another', async () => {
  const { engine, put } = open();
  put('reply ', 'event ');
  await Promise.resolve();
  put('last');
  expect(engine.written).toEqual([]);
  await turn();
  engine.take();
  put('alone');
  await turn();
  expect(engine.written).toEqual(['reply event last', 'alone']);
});

test('what socket.io sends by itself comes after what was due before', () => {
  const { engine, put } = open();
  put('removed');
  engine.write('disconnect');
  engine.take();
  expect(engine.written).toEqual(['removed', 'disconnect']);
});

test('while a client has not taken a write, what falls due waits, and is one write after it', async () => {
  const { engine, outbox, put } = open();
  put('one');
  await turn();
  put('two ');
  await turn();
  put('three');
  await turn();
  expect(engine.written).toEqual(['one']);
  expect(outbox.packetsWaiting).toBe(2);
  engine.take();
  expect(engine.written).toEqual(['one', 'two three']);
  expect(outbox.packetsWaiting).toBe(0);
});

test('a client that leaves more than 8 MiB waiting is given up, however few packets those are', async () => {
  const { engine, outbox, put, slow } = open();
  put('one');
  await turn();
  for (let n = 0; n < 4; n++) put('x'.repeat(2 * MIB));
  expect(slow).toEqual([]);
  put('x');
  expect(slow).toEqual(['slow']);
  put('late');
  expect(outbox.packetsWaiting).toBe(0);
  engine.take();
  expect(engine.written).toEqual(['one']);
});

test('what socket.io sends by itself counts, too', () => {
  const { engine, slow } = open();
  for (let n = 0; n < 6; n++) engine.write('x'.repeat(2 * MIB));
  expect(slow).toEqual(['slow']);
});

test('where all clients together leave more than 48 MiB waiting, the one that leaves most is given up', async () => {
  const mail = new OutgoingMail();
  const [most, ...others] = Array.from({ length: 8 }, () => open(mail));
  for (const { put } of [most, ...others].filter((each) => each !== undefined)) put('one');
  await turn();
  most?.put('x'.repeat(7 * MIB));
  for (const { put } of others) put('x'.repeat(6 * MIB - 1));
  expect(most?.slow).toEqual(['slow']);
  expect(others.flatMap(({ slow }) => slow)).toEqual([]);
});

test('an outbox that closes hands over what is due, and keeps nothing', async () => {
  const { engine, outbox, put } = open();
  put('last');
  outbox.close();
  expect(engine.written).toEqual(['last']);
  put('later');
  await turn();
  expect(outbox.packetsWaiting).toBe(0);
  engine.take();
  expect(engine.written).toEqual(['last']);
});

test('what was written and not taken by the kernel counts as waiting, too', async () => {
  const { put, slow } = open(new OutgoingMail(), () => 8 * MIB);
  put('one');
  await turn();
  expect(slow).toEqual([]);
  put('one more');
  expect(slow).toEqual(['slow']);
});
