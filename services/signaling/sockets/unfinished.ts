import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';

/** What all clients of a node may have sent of messages that are not whole yet. One message is at most FRAME_BYTES_MAX. */
const UNFINISHED_BYTES_MAX = 16 * 1_048_576;

/** Bounds what is kept of messages that are not whole yet: over the bound, the connection with most of it is cut. */
export class Unfinished {
  readonly #bytes = new Map<TcpSocket, number>();
  #total = 0;

  /** From now on, until it closes. */
  watch(socket: TcpSocket, engine: Socket['conn']): void {
    // Before ws takes the bytes: a packet that they end is told after that.
    socket.prependListener('data', (chunk: Buffer) => this.#add(socket, chunk.length));
    engine.on('packet', () => this.#forget(socket));
    socket.once('close', () => this.#forget(socket));
  }

  #add(socket: TcpSocket, bytes: number): void {
    this.#bytes.set(socket, (this.#bytes.get(socket) ?? 0) + bytes);
    this.#total += bytes;
    if (this.#total > UNFINISHED_BYTES_MAX) this.#cutMost();
  }

  #forget(socket: TcpSocket): void {
    this.#total -= this.#bytes.get(socket) ?? 0;
    this.#bytes.delete(socket);
  }

  #cutMost(): void {
    const [most] = [...this.#bytes].reduce((a, b) => (b[1] > a[1] ? b : a));
    this.#forget(most);
    most.destroy();
  }
}
