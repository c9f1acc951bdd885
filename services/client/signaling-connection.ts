import type { Acknowledgement, EventName, Events, Replies, RequestName } from '@fenghuo/protocol';
import { io, type Socket } from 'socket.io-client';
import { addressAt } from './endpoint-url.ts';
import { SignalingError } from './signaling-error.ts';

/** Opens one connection. Rejects with the node's typed refusal, or `unavailable` where none answered. */
export function connect(endpoint: string, options: ConnectionOptions): Promise<SignalingConnection> {
  const openTimeoutMs = options.openTimeoutMs ?? 5_000;
  const { origin, pathname, searchParams } = addressAt(endpoint, 'socket.io/');
  return new Promise((resolve, reject) => {
    const socket = io(origin, {
      path: pathname,
      // For the load balancer in front: `https://calls.example/?region=beijing`.
      query: Object.fromEntries(searchParams),
      transports: ['websocket'],
      auth: options.token === undefined ? {} : { token: options.token },
      timeout: openTimeoutMs,
      // Whether, when and where to connect again is decided by the session, which also hears refusals.
      reconnection: false,
      forceNew: true,
    });
    // Before the first turn of the loop: `welcome` may come with the packet that opens the connection.
    const connection = new SignalingConnection(socket, options);
    const fail = (error: SignalingError) => {
      clearTimeout(patience);
      connection.close();
      reject(error);
    };
    // socket.io's own limit ends with the opening of the transport; a node may hang after that.
    const patience = setTimeout(() => fail(new SignalingError('unavailable', 'timeout')), openTimeoutMs);
    socket.once('connect', () => {
      clearTimeout(patience);
      resolve(connection);
    });
    socket.once('connect_error', (error: Error & { data?: unknown }) => {
      fail(SignalingError.from(error.data) ?? new SignalingError('unavailable', error.message));
    });
    socket.once('disconnect', (reason) => fail(new SignalingError('unavailable', reason)));
  });
}

/** Where a connection leaves what comes over it. */
export interface ConnectionListener {
  onEvent(event: ServerEvent): void;
  /** The connection was open and is gone, and not because `close` was called. */
  onLost(reason: string): void;
}

export interface ConnectionOptions extends ConnectionListener {
  readonly token?: string | undefined;
  readonly openTimeoutMs?: number;
  /** How long an answer may take before it counts as `unavailable`. */
  readonly answerTimeoutMs?: number;
}

/** An event as it arrived. Nodes are trusted to keep to the protocol. */
export type ServerEvent = {
  [Name in EventName]: { readonly name: Name; readonly data: Events[Name] };
}[EventName];

export type Answer<Name extends RequestName = RequestName> =
  | { readonly ok: true; readonly reply: Replies[Name] }
  /** `isSilence`: no node said so. */
  | { readonly ok: false; readonly error: SignalingError; readonly isSilence?: boolean };

/** One socket, from its opening to its end; it never comes back. */
export class SignalingConnection {
  readonly #socket: Socket;
  readonly #answerTimeoutMs: number;
  #wasOpen = false;
  #isClosed = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 5_000;
    socket.onAny((name: string, data: unknown) => {
      if (!this.#isClosed) options.onEvent({ name, data } as ServerEvent);
    });
    socket.on('connect', () => {
      this.#wasOpen = true;
    });
    socket.on('disconnect', (reason) => {
      if (this.#wasOpen && !this.#isClosed) options.onLost(reason);
      this.#isClosed = true;
    });
  }

  /**
   * Sends a request. `answered` is called once, in the order in which answers and events came (a promise
   * would let an event overtake the answer before it).
   */
  send<Name extends RequestName>(
    name: Name,
    payload: object,
    answered: (answer: Answer<Name>) => void,
  ): void {
    this.#socket
      .timeout(this.#answerTimeoutMs)
      .emit(name, payload, (silence: Error | null, acknowledgement?: Acknowledgement<Replies[Name]>) => {
        if (silence === null && acknowledgement?.ok === true) {
          answered({ ok: true, reply: acknowledgement });
        } else {
          const refusal = acknowledgement?.ok === false && SignalingError.from(acknowledgement.error);
          const error = refusal || new SignalingError('unavailable', silence?.message);
          answered({ ok: false, error, isSilence: !refusal });
        }
      });
  }

  close(): void {
    this.#isClosed = true;
    // Without socket.io's goodbye where it was open: browsers complain when one writes to what the node closes, too.
    if (this.#socket.connected) this.drop();
    else this.#socket.disconnect();
  }

  /** Loses the connection, as an accident would. */
  drop(): void {
    this.#socket.io.engine.close();
  }
}
