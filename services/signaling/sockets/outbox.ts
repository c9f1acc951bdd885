import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';

/** What is used of the engine's connection. Its types hide half of it. */
interface Engine {
  readonly readyState: string;
  /** What waits until the transport is writable again. */
  readonly writeBuffer: readonly { readonly data?: unknown }[];
  readonly transport: { readonly writable: boolean; readonly socket?: WebSocket };
  write(data: Buffer, options: { readonly wsPreEncodedFrame: readonly Buffer[] }): void;
  on(event: 'packetCreate', listener: () => void): void;
  off(event: 'packetCreate', listener: () => void): void;
}

interface WebSocket {
  readonly readyState: number;
  readonly _socket: TcpSocket;
  close(code: number): void;
  terminate(): void;
}
const OPEN = 1;

/** Writes what fell due in one turn of the event loop: for each client once, since a write costs more than what it sends. */
export class OutgoingMail {
  #outboxes: Outbox[] = [];

  /** The outbox has something to send at the end of this turn. */
  add(outbox: Outbox): void {
    if (this.#outboxes.push(outbox) === 1) setImmediate(this.#send);
  }

  #send = (): void => {
    const outboxes = this.#outboxes;
    this.#outboxes = [];
    for (const outbox of outboxes) outbox.flush();
  };
}

/**
 * The frames that are due to one client, in order. They go past the engine while its client takes what it is sent; what
 * a client leaves waiting is kept by the engine. What socket.io sends by itself does not overtake them.
 */
export class Outbox {
  readonly #mail: OutgoingMail;
  readonly #engine: Engine;
  #due: Buffer[] = [];

  constructor(mail: OutgoingMail, engine: Socket['conn']) {
    this.#mail = mail;
    this.#engine = engine as unknown as Engine;
    this.#engine.on('packetCreate', this.flush);
  }

  put(frame: Buffer): void {
    if (this.#due.push(frame) === 1) this.#mail.add(this);
  }

  /** Writes now what is due; drops it if the connection is closing. */
  readonly flush = (): void => {
    if (this.#due.length === 0) return;
    const due = this.#due;
    this.#due = [];
    const { webSocket } = this;
    if (this.#engine.readyState !== 'open' || webSocket?.readyState !== OPEN) return;
    if (this.#takesMore(webSocket)) webSocket._socket.write(joined(due));
    // The data is never looked at where there is a frame; it tells `bytesWaiting`.
    else for (const frame of due) this.#engine.write(frame, { wsPreEncodedFrame: [frame] });
  };

  /** Whether nothing waits that a frame could overtake, or that its client should take first. */
  #takesMore({ _socket }: WebSocket): boolean {
    const { transport, writeBuffer } = this.#engine;
    return transport.writable && writeBuffer.length === 0 && _socket.writableLength === 0;
  }

  /** Packets that the client has not taken yet. */
  get packetsWaiting(): number {
    return this.#engine.writeBuffer.length;
  }

  get bytesWaiting(): number {
    let bytes = 0;
    for (const { data } of this.#engine.writeBuffer)
      bytes += typeof data === 'string' || Buffer.isBuffer(data) ? data.length : 0;
    return bytes;
  }

  get webSocket(): WebSocket | undefined {
    return this.#engine.transport.socket;
  }

  /** Of a socket.io socket that is no more, whose client may go on with another one over the same connection. */
  close(): void {
    this.flush();
    this.#engine.off('packetCreate', this.flush);
  }
}

function joined(frames: Buffer[]): Buffer {
  const [only] = frames;
  return frames.length === 1 && only !== undefined ? only : Buffer.concat(frames);
}
