import type { WireError } from '@fenghuo/protocol';
import { io, type Socket } from 'socket.io-client';

/** An acknowledgement as it came: who reads it knows what was asked. */
export type Answer =
  | ({ readonly ok: true } & Record<string, unknown>)
  | { readonly ok: false; readonly error: WireError };

/** One socket, from its opening to its end; it never comes back. */
export interface Connection {
  readonly endpoint: string;
  readonly isOpen: boolean;
  /** When anything last came in on it, pings included. */
  readonly heardMs: number;
  /** `answered` runs in the order in which answers and events came; never, where no answer comes. */
  ask(name: string, payload: object, answered: (answer: Answer) => void): void;
  close(): void;
  /** Takes the socket away without a word to either side, as a network that fails does. */
  cut(): void;
}

/** What a client shows of itself when it connects. */
export interface ConnectionOptions {
  readonly token?: string;
  /** The address that it comes from; one of this machine's. Undefined: the system chooses. */
  readonly localAddress?: string | undefined;
}

export interface ConnectionListener {
  heard(name: string, payload: unknown): void;
  /** It ended, and not by `close`. */
  lost(reason: string): void;
}

export type OpenConnection = typeof openConnection;

/** Why there is no connection. `error` is the node's own word, where a node said one. */
export class NotOpened extends Error {
  readonly error: WireError | undefined;
  constructor(message: string, error?: WireError) {
    super(message);
    this.error = error;
  }
}

/** Opens a WebSocket and its namespace. Rejects with `NotOpened` where that is refused, or takes longer than allowed. */
export function openConnection(
  endpoint: string,
  timeoutMs: number,
  listener: ConnectionListener,
  { token, localAddress }: ConnectionOptions = {},
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    // The WebSocket takes the address, though the types do not say so.
    const from: object = localAddress === undefined ? {} : { localAddress };
    const socket = io(endpoint, {
      path: '/socket.io/',
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: timeoutMs,
      ...(token === undefined ? {} : { auth: { token } }),
      ...from,
    });
    const connection = new SocketConnection(endpoint, socket, listener);
    const fail = (reason: NotOpened) => {
      clearTimeout(timer);
      connection.close();
      reject(reason);
    };
    // The client's own timeout ends with the WebSocket's handshake; a frozen node may never answer the namespace's.
    const timer = setTimeout(() => fail(new NotOpened(`no answer within ${timeoutMs} ms`)), timeoutMs);
    socket.once('connect_error', (error: Error & { data?: WireError }) =>
      fail(new NotOpened(error.message, error.data)),
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(connection);
    });
  });
}

class SocketConnection implements Connection {
  readonly endpoint: string;
  heardMs = performance.now();
  readonly #socket: Socket;
  #isClosed = false;

  constructor(endpoint: string, socket: Socket, listener: ConnectionListener) {
    this.endpoint = endpoint;
    this.#socket = socket;
    socket.io.on('ping', () => {
      this.heardMs = performance.now();
    });
    // Before the first turn of the loop: `welcome` may come with the packet that opens the connection.
    socket.onAny((name: string, payload: unknown) => {
      this.heardMs = performance.now();
      if (!this.#isClosed) listener.heard(name, payload);
    });
    socket.on('disconnect', (reason) => {
      if (!this.#isClosed) listener.lost(reason);
      this.#isClosed = true;
    });
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.#socket.connected;
  }

  ask(name: string, payload: object, answered: (answer: Answer) => void): void {
    if (!this.isOpen) return;
    this.#socket.emit(name, payload, (answer: Answer) => {
      this.heardMs = performance.now();
      answered(answer);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.disconnect();
  }

  cut(): void {
    const { transport } = this.#socket.io.engine as unknown as {
      transport: { ws?: { terminate(): void } };
    };
    transport.ws?.terminate();
  }
}
