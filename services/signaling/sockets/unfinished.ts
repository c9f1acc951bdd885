import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';

/** Bytes of unfinished messages from all clients that are in rooms. One message is at most FRAME_BYTES_MAX. */
const MEMBERS_BYTES_MAX = 16 * 1_048_576;
/** The same from all clients that are in no room: they have a join to send, and a join is short. */
const NEWCOMERS_BYTES_MAX = 2 * 1_048_576;

/** Bounds what is kept of messages that are not whole yet: over a bound, the connection with most of it is cut. */
export class Unfinished {
  readonly #members = new Share(MEMBERS_BYTES_MAX);
  readonly #newcomers = new Share(NEWCOMERS_BYTES_MAX);
  readonly #isJoined: (socket: TcpSocket) => boolean;

  constructor(isJoined: (socket: TcpSocket) => boolean) {
    this.#isJoined = isJoined;
  }

  /** From now on, until it closes. */
  watch(socket: TcpSocket, engine: Socket['conn']): void {
    const forget = () => {
      this.#members.forget(socket);
      this.#newcomers.forget(socket);
    };
    // This listener runs before that of ws, which then emits the packets that the bytes complete.
    socket.prependListener('data', (chunk: Buffer) => this.#shareOf(socket).add(socket, chunk.length));
    engine.on('packet', forget);
    socket.once('close', forget);
  }

  /** A message counts where it began. */
  #shareOf(socket: TcpSocket): Share {
    if (this.#newcomers.has(socket)) return this.#newcomers;
    return this.#isJoined(socket) ? this.#members : this.#newcomers;
  }
}

/** So many bytes for all who share them. */
class Share {
  readonly #max: number;
  readonly #bytes = new Map<TcpSocket, number>();
  #total = 0;

  constructor(max: number) {
    this.#max = max;
  }

  has(socket: TcpSocket): boolean {
    return this.#bytes.has(socket);
  }

  add(socket: TcpSocket, bytes: number): void {
    this.#bytes.set(socket, (this.#bytes.get(socket) ?? 0) + bytes);
    this.#total += bytes;
    if (this.#total > this.#max) this.#cutMost();
  }

  forget(socket: TcpSocket): void {
    this.#total -= this.#bytes.get(socket) ?? 0;
    this.#bytes.delete(socket);
  }

  #cutMost(): void {
    const [most] = [...this.#bytes].reduce((a, b) => (b[1] > a[1] ? b : a));
    this.forget(most);
    most.destroy();
  }
}
