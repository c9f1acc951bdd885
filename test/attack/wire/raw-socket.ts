import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { FrameReader, type OnFrame } from './frame-reader.ts';
import { frame, OPCODES } from './frames.ts';

/** A port of this machine, and the address of this machine from which to connect to it. */
export interface Way {
  readonly port: number;
  readonly from: string;
}

const KEY = Buffer.from('sixteen bytes ok').toString('base64');
const HANDSHAKE_MS = 10_000;
const PATH = '/socket.io/?EIO=4&transport=websocket';
const PING = '2'.charCodeAt(0);
const PONG = frame('3');

/** A TCP connection that may speak a WebSocket's bytes, or none, or broken ones. It never throws, whatever becomes of it. */
export class RawSocket {
  /** Resolves when it is over, with whose doing that was. */
  readonly closed: Promise<'us' | 'node'>;
  onFrame: OnFrame = () => {};
  /** Answers the pings of Engine.IO, as an idle client does. */
  answersPings = true;
  #isWebSocket = false;
  #isOurs = false;
  readonly #socket: Socket;
  #handshake: ((answer: string) => void) | undefined;
  readonly #reader = new FrameReader((opcode, head, length) => this.#read(opcode, head, length));
  #answer = '';
  readonly #way: Way;

  constructor(way: Way) {
    this.#way = way;
    this.#socket = connect({ port: way.port, host: '127.0.0.1', localAddress: way.from, noDelay: true });
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        resolve(this.#isOurs ? 'us' : 'node');
      });
    });
  }

  /** As soon as nothing can be written any more, which is before `closed` resolves. */
  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** Resolves once the node takes WebSocket frames. Throws where it does not. */
  async open(): Promise<void> {
    const answered = new Promise<string>((resolve) => {
      this.#handshake = resolve;
    });
    this.write(this.request());
    const answer = await Promise.race([
      answered,
      this.closed.then(() => 'nothing'),
      sleep(HANDSHAKE_MS, 'nothing in time', { ref: false }),
    ]);
    if (answer === '101') return;
    this.destroy();
    throw new Error(`the node answered ${answer}`);
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** The bytes of a WebSocket's handshake. */
  request(): string {
    return `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1:${this.#way.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`;
  }

  text(content: string): void {
    this.write(frame(content));
  }

  /** Returns whether more may be written at once. */
  write(bytes: Buffer | string): boolean {
    return !this.isClosed && this.#socket.write(bytes);
  }

  /** Resolves when what was written has left, or the connection is over. */
  async drained(): Promise<void> {
    if (this.isClosed || !this.#socket.writableNeedDrain) return;
    const stop = new AbortController();
    await Promise.race([once(this.#socket, 'drain', { signal: stop.signal }).catch(() => {}), this.closed]);
    stop.abort();
  }

  /** Stops reading: what the node sends stays with the node, and in the kernels' buffers. */
  stopReading(): void {
    this.#socket.pause();
  }

  destroy(): void {
    this.#isOurs ||= !this.isClosed;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#isWebSocket) this.#reader.read(chunk);
    // What answers anything but a handshake of ours is nobody's concern.
    if (this.#isWebSocket || this.#handshake === undefined) return;
    this.#answer += chunk.toString('latin1');
    const end = this.#answer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const status = this.#answer.slice(9, 12);
    const rest = Buffer.from(this.#answer.slice(end + 4), 'latin1');
    this.#isWebSocket = status === '101';
    this.#handshake(status);
    this.#handshake = undefined;
    if (this.#isWebSocket && rest.length > 0) this.#reader.read(rest);
  }

  #read(opcode: number, head: Buffer, length: number): void {
    if (opcode === OPCODES.ping) this.write(frame(head, { opcode: 'pong' }));
    else if (opcode === OPCODES.close) {
      this.write(frame(head.subarray(0, 2), { opcode: 'close' }));
      this.#socket.end();
    } else if (length === 1 && head[0] === PING) {
      if (this.answersPings) this.write(PONG);
    } else this.onFrame(opcode, head, length);
  }
}
