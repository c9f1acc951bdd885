import { type Acknowledgement, EVENTS, type JoinReply, type WireError } from '@fenghuo/protocol';
import { io, type Socket } from 'socket.io-client';
import { eventually } from './eventually.ts';

export interface ClientOptions {
  readonly headers?: Record<string, string>;
  readonly reconnection?: boolean;
  /** The handshake's `auth`, whatever it is. */
  readonly auth?: unknown;
}

interface Received {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the wire as it is
  readonly payload: any;
}

/** A client without our SDK: the protocol document and socket.io-client alone. */
export class PlainClient {
  readonly socket: Socket;
  readonly received: Received[] = [];
  #lastId = 0;
  #taken = new Set<Received>();

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = io(url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: options.reconnection ?? false,
      ...(options.auth === undefined ? {} : { auth: options.auth as Record<string, unknown> }),
      ...(options.headers === undefined ? {} : { extraHeaders: options.headers }),
    });
    this.socket.onAny((name: string, payload: unknown) => this.received.push({ name, payload }));
  }

  /** Sends a payload as it is. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the wire as it is
  ask(name: string, ...payload: unknown[]): Promise<Acknowledgement<any>> {
    return this.socket.timeout(5_000).emitWithAck(name, ...payload);
  }

  /** Sends a request under the session's next id. */
  request(name: string, members: object = {}) {
    this.#lastId += 1;
    return this.ask(name, { id: this.#lastId, ...members });
  }

  /** Sends a request under the session's last id again. */
  again(name: string, members: object = {}) {
    return this.ask(name, { id: this.#lastId, ...members });
  }

  async join(room: string, members: object = {}): Promise<JoinReply> {
    this.#lastId = 0;
    const reply = await this.request('join', { room, ...members });
    if (!reply.ok) throw new Error(`join: ${reply.error.code}`);
    return reply;
  }

  /** Continues a session that another client began: its token, and where that one was in the room. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the wire as it is
  async resume(former: JoinReply, members: object = {}): Promise<any> {
    const { resume_token, seq, epoch } = former;
    const reply = await this.ask('resume', { resume_token, seq, epoch, ...members });
    if (reply.ok) this.#lastId = reply.last_id;
    return reply;
  }

  all(name: string) {
    return this.received.filter((each) => each.name === name).map((each) => each.payload);
  }

  /** The next event of a name that no call returned before, checked against the protocol. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the wire as it is
  async next(name: keyof typeof EVENTS, timeoutMs = 5_000): Promise<any> {
    const found = await eventually(
      () => this.received.find((each) => each.name === name && !this.#taken.has(each)) ?? false,
      { timeoutMs, what: `a ${name} event` },
    );
    this.#taken.add(found as Received);
    return EVENTS[name].strict().parse((found as Received).payload);
  }

  close(): void {
    this.socket.disconnect();
  }
}

export async function connect(url: string, options?: ClientOptions): Promise<PlainClient> {
  const client = new PlainClient(url, options);
  await new Promise<void>((resolve, reject) => {
    client.socket.once('connect', resolve);
    client.socket.once('connect_error', reject);
  });
  return client;
}

/** The error object of a refused handshake. */
export async function refusedHandshake(url: string, options?: ClientOptions): Promise<WireError> {
  const client = new PlainClient(url, options);
  const error = await new Promise<Error & { data?: WireError }>((resolve, reject) => {
    client.socket.once('connect_error', resolve);
    client.socket.once('connect', () => reject(new Error('it connected')));
  });
  client.close();
  if (error.data === undefined) throw error;
  return error.data;
}

export const SAMPLE_SDP = `v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n${'a=candidate:1 1 udp 2122260223 192.0.2.1 61665 typ host\r\n'.repeat(20)}`;
export const SAMPLE_CANDIDATE = {
  candidate:
    'candidate:842163049 1 udp 1677729535 192.0.2.1 61665 typ srflx raddr 0.0.0.0 rport 0 generation 0',
  sdpMid: '0',
  sdpMLineIndex: 0,
  usernameFragment: null,
};
