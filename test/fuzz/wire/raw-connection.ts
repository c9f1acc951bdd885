import { connect, type Socket } from 'node:net';

import { type Frame, FrameReader } from './frames.ts';

export interface RawConnectionListener {
  /** Frames after the upgrade. */
  frame(frame: Frame): void;
  /** The node broke RFC 6455. */
  broken(what: string): void;
}

const HEAD_END = '\r\n\r\n';
const HEAD_BYTES_MAX = 65_536;

/** A TCP connection that sends any bytes. It reads the answers as HTTP, and after the upgrade as WebSocket. */
export class RawConnection {
  /** The status of the HTTP answer; undefined as long as there is none. */
  status: number | undefined;
  isClosed = false;
  readonly #socket: Socket;
  readonly #listener: RawConnectionListener;
  readonly #reader = new FrameReader();
  #head: Buffer = Buffer.alloc(0);
  #isBroken = false;
  /** The pending calls of `until`. */
  #waiting = new Set<() => void>();

  constructor(port: number, localAddress: string, listener: RawConnectionListener) {
    this.#listener = listener;
    this.#socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', () => {});
    this.#socket.on('end', () => this.#close());
    this.#socket.on('close', () => this.#close());
  }

  get isUpgraded(): boolean {
    return this.status === 101;
  }

  write(bytes: Buffer): void {
    if (!this.isClosed && this.#socket.writable) this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
    this.#close();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#close();
  }

  /** Resolves once it holds, the connection is closed, or the time is over. Every chunk of data checks `holds` again. */
  async until(holds: () => boolean, withinMs: number): Promise<void> {
    if (this.isClosed || holds()) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const look = () => void ((this.isClosed || holds()) && done());
      const timer = setTimeout(done, withinMs);
      this.#waiting.add(look);
    });
  }

  #close(): void {
    this.isClosed = true;
    this.#look();
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }

  #read(chunk: Buffer): void {
    const rest = this.status === undefined ? this.#readHead(chunk) : chunk;
    if (this.isUpgraded && !this.#isBroken) this.#readFrames(rest);
    this.#look();
  }

  #readHead(chunk: Buffer): Buffer {
    this.#head = Buffer.concat([this.#head, chunk]).subarray(0, HEAD_BYTES_MAX);
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return Buffer.alloc(0);
    this.status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(this.#head.toString('latin1', 0, end))?.[1] ?? 0);
    return this.#head.subarray(end + HEAD_END.length);
  }

  #readFrames(bytes: Buffer): void {
    try {
      for (const frame of this.#reader.read(bytes)) this.#listener.frame(frame);
    } catch (error) {
      this.#isBroken = true;
      this.#listener.broken((error as Error).message);
    }
  }
}
