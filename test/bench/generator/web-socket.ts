import { connect, type Socket } from 'node:net';

/** A port of this machine, and the address of this machine from which to connect to it. */
export interface Way {
  readonly port: number;
  readonly from?: string | undefined;
}

export interface WebSocketEvents {
  opened(): void;
  /** The content of one text frame, which is the callee's to read until it returns. */
  frame(content: Buffer): void;
  /** Once, whoever closed it. */
  closed(why: string): void;
}

const KEY = Buffer.from('sixteen bytes ok').toString('base64');
const TEXT = 0x81;
const [CLOSE, PING] = [8, 9];
const PONG_FRAME = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
const MASKED = 0x80;
const MASK_BYTES = 4;

/** A WebSocket client with no more than the bench needs (RFC 6455): text in whole frames, ASCII from us, no extensions. */
export class LeanWebSocket {
  readonly #socket: Socket;
  readonly #events: WebSocketEvents;
  #rest: Buffer | undefined;
  #isOpen = false;
  #why = 'the node closed the connection';

  constructor({ port, from }: Way, path: string, events: WebSocketEvents) {
    this.#events = events;
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      ...(from === undefined ? {} : { localAddress: from }),
    });
    this.#socket.on('connect', () =>
      this.#socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      ),
    );
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => {
      this.#why = error.message;
    });
    this.#socket.on('close', () => events.closed(this.#why));
  }

  /** `text` is ASCII. Masked with zeros, which the format allows and costs us nothing; the node unmasks all the same. */
  send(text: string): void {
    const { length } = text;
    const isLong = length > 125;
    const start = (isLong ? 4 : 2) + MASK_BYTES;
    const frame = Buffer.allocUnsafe(start + length);
    frame[0] = TEXT;
    frame[1] = MASKED | (isLong ? 126 : length);
    if (isLong) frame.writeUInt16BE(length, 2);
    frame.fill(0, start - MASK_BYTES, start);
    frame.write(text, start, 'latin1');
    this.#socket.write(frame);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    if (!this.#isOpen) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = bytes;
        return;
      }
      const status = bytes.toString('latin1', 9, 12);
      if (status !== '101') {
        this.#why = `the node answered HTTP ${status}`;
        this.close();
        return;
      }
      this.#isOpen = true;
      this.#events.opened();
      bytes = bytes.subarray(end + 4);
    }
    let at = 0;
    while (at < bytes.length) {
      const next = this.#readFrame(bytes, at);
      if (next === undefined) break;
      at = next;
    }
    if (at < bytes.length) this.#rest = at === 0 ? bytes : bytes.subarray(at);
  }

  /** Where the next frame begins; undefined where this one is not whole yet. Servers' frames are not masked. */
  #readFrame(bytes: Buffer, at: number): number | undefined {
    let start = at + 2;
    if (start > bytes.length) return undefined;
    let length = (bytes[at + 1] ?? 0) & 0x7f;
    if (length === 126) {
      if (start + 2 > bytes.length) return undefined;
      length = bytes.readUInt16BE(start);
      start += 2;
    } else if (length === 127) {
      if (start + 8 > bytes.length) return undefined;
      length = Number(bytes.readBigUInt64BE(start));
      start += 8;
    }
    const end = start + length;
    if (end > bytes.length) return undefined;
    const first = bytes[at];
    if (first === TEXT) this.#events.frame(bytes.subarray(start, end));
    else if (first === (0x80 | PING)) this.#socket.write(PONG_FRAME);
    else if (first === (0x80 | CLOSE)) this.close();
    return end;
  }
}
