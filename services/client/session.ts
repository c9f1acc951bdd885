import {
  type Candidate,
  type Description,
  ERRORS,
  type ErrorCode,
  type Events,
  type IceServer,
  type Json,
  type MessageReply,
  type Peer,
  type PeerId,
  type RequestName,
  type Room,
  type SignalReply,
  type Snapshot,
} from '@fenghuo/protocol';
import { retryDelayMs } from './backoff.ts';
import { Emitter } from './emitter.ts';
import { RequestQueue } from './request-queue.ts';
import { type Answer, connect, type ServerEvent, type SignalingConnection } from './signaling-connection.ts';
import { SignalingError } from './signaling-error.ts';
import { incomingLine, outgoingLine, type WireLine } from './wire-line.ts';

/**
 * Enters a room through the node at `endpoint` (an http or https address), and stays in it. Returns at once;
 * `joined` resolves when the room has answered. A node that cannot be reached, or is full for now, is tried again
 * until `leave`.
 */
export function join(endpoint: string, options: JoinOptions): RoomSession {
  return new RoomSession(endpoint, options);
}

export interface JoinOptions {
  /** A room, or `room@region`. */
  readonly room: string;
  readonly name?: string;
  readonly metadata?: Json;
  /** A JWT, where the cluster asks for one. */
  readonly token?: string;
  readonly random?: () => number;
  /** Replaces the socket in tests. */
  readonly connect?: typeof connect;
}

export type SessionState =
  /** Before the first join was answered; `error` says why the last try failed. */
  | { readonly phase: 'connecting'; readonly error?: SignalingError }
  | { readonly phase: 'connected' }
  /** The connection was lost. It is opened again, and the room joined anew as another peer. */
  | { readonly phase: 'reconnecting'; readonly error?: SignalingError }
  /** Final. */
  | { readonly phase: 'closed'; readonly reason: 'left' | ErrorCode; readonly error?: SignalingError };

/** Roster events come after the roster has changed. Those of the room's log come in its order, each once. */
export interface SessionEvents {
  state: SessionState;
  welcome: Events['welcome'];
  /** A join was answered: `self`, `peers`, `room` are new, and of an earlier peer nothing holds. */
  joined: { readonly isRejoin: boolean };
  peer_joined: Events['peer_joined'];
  peer_left: Events['peer_left'];
  peer_updated: Events['peer_updated'];
  signal: Events['signal'];
  message: Events['message'];
  /** The node lost the room's thread: the roster is replaced, and signals may be missing unless `complete`. */
  resync: Events['resync'];
  /** Everything that was sent and received, for people to read. */
  wire: WireLine;
}

/** One's membership of a room: the roster, and what is said there. */
export class RoomSession extends Emitter<SessionEvents> {
  /** The first join's outcome: rejects with a `SignalingError` that is final. */
  readonly joined: Promise<void>;
  readonly #endpoint: string;
  readonly #options: JoinOptions;
  readonly #random: () => number;
  readonly #settleJoined: { resolve: () => void; reject: (error: SignalingError) => void };
  #state: SessionState = { phase: 'connecting' };
  #welcome: Events['welcome'] | undefined;
  #snapshot: Snapshot | undefined;
  #peers = new Map<PeerId, Peer>();
  #seq = 0;
  #name: string;
  #metadata: Json;
  #requests: RequestQueue | undefined;
  #connection: SignalingConnection | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;

  constructor(endpoint: string, options: JoinOptions) {
    super();
    this.#endpoint = endpoint;
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#name = options.name ?? '';
    this.#metadata = options.metadata ?? null;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {}); // Who does not await it hears of it by `state`.
    this.joined = promise;
    this.#settleJoined = { resolve, reject };
    void this.#open();
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The node that one is connected to. */
  get welcome(): Events['welcome'] | undefined {
    return this.#welcome;
  }

  /** Undefined until joined. */
  get self(): Peer | undefined {
    return this.#snapshot?.self;
  }

  get room(): Room | undefined {
    return this.#snapshot?.room;
  }

  get iceServers(): readonly IceServer[] {
    return this.#snapshot?.ice_servers ?? [];
  }

  /** The others, in the order in which they joined. */
  get peers(): ReadonlyMap<PeerId, Peer> {
    return this.#peers;
  }

  /** The seq of the newest event received. */
  get seq(): number {
    return this.#seq;
  }

  get epoch(): number {
    return this.#snapshot?.epoch ?? 0;
  }

  /** Sends a description or a candidate to one peer. Signals arrive in the order of the calls. */
  signal(
    to: PeerId,
    content: { readonly description: Description } | { readonly candidate: Candidate | null },
  ): Promise<SignalReply> {
    return this.#request('signal', { to, ...content });
  }

  /** Says something to all others, or to one. Arrives in order, once; resolves when the room's log holds it. */
  message(
    topic: string,
    data: Json,
    options: { readonly to?: PeerId; readonly echo?: boolean } = {},
  ): Promise<MessageReply> {
    return this.#request('message', { topic, data, ...options });
  }

  /** Says something that may be lost: typing, cursors. */
  whisper(topic: string, data: Json, options: { readonly to?: PeerId } = {}): void {
    this.#connection?.send('message', { topic, data, ...options, ephemeral: true }, () => {});
  }

  /** Changes one's own name or metadata, which is replaced whole. A rejoin keeps them. */
  async update(changes: { readonly name?: string; readonly metadata?: Json }): Promise<Peer> {
    if (changes.name !== undefined) this.#name = changes.name;
    if (changes.metadata !== undefined) this.#metadata = changes.metadata;
    return (await this.#request('update', changes)).peer;
  }

  /** Leaves for good. Tells the others, and resolves when the node has heard or a second has passed. */
  async leave(): Promise<void> {
    if (this.#state.phase === 'closed') return;
    const requests = this.#state.phase === 'connected' ? this.#requests : undefined;
    const connection = this.#connection;
    this.#requests = undefined;
    this.#connection = undefined;
    this.#close('left', new SignalingError('session_expired', 'The session was left.'));
    if (requests !== undefined) {
      const second = Promise.withResolvers<void>();
      const timer = setTimeout(second.resolve, 1_000);
      await Promise.race([requests.request('leave', {}).catch(() => {}), second.promise]);
      clearTimeout(timer);
      requests.end(new SignalingError('session_expired', 'The session was left.'));
    }
    connection?.close();
  }

  async #open(): Promise<void> {
    const open = this.#options.connect ?? connect;
    let isLost = false;
    try {
      const connection = await open(this.#endpoint, {
        token: this.#options.token,
        onEvent: (event) => this.#hear(event),
        onLost: (reason) => {
          isLost = true;
          this.#lose(new SignalingError('unavailable', reason));
        },
      });
      if (this.#state.phase === 'closed' || isLost) return connection.close();
      this.#connection = connection;
      this.#enter(connection);
    } catch (error) {
      if (this.#state.phase === 'closed') return;
      this.#refused(
        error instanceof SignalingError ? error : new SignalingError('unavailable', String(error)),
      );
    }
  }

  /** Joins as a new peer: a new key, and ids from 1. */
  #enter(connection: SignalingConnection): void {
    const requests = new RequestQueue((name, payload, answered) => {
      const sentAt = performance.now();
      connection.send(name, payload, (answer) => {
        this.emit('wire', outgoingLine(name, payload, answer, performance.now() - sentAt));
        answered(answer);
      });
    }, this.#random);
    this.#requests = requests;
    const { room } = this.#options;
    const join = { room, name: this.#name, metadata: this.#metadata, key: randomKey() };
    requests.enqueue('join', join, (answer) => this.#entered(answer, requests));
  }

  #entered(answer: Answer<'join'>, requests: RequestQueue): void {
    if (this.#requests !== requests) return;
    if (!answer.ok) {
      this.#end(answer.error);
      return;
    }
    const isRejoin = this.#snapshot !== undefined;
    this.#tries = 0;
    this.#replace(answer.reply);
    this.#setState({ phase: 'connected' });
    this.emit('joined', { isRejoin });
    this.#settleJoined.resolve();
  }

  #replace(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#seq = snapshot.seq;
    this.#peers = new Map(snapshot.peers.map((peer) => [peer.id, peer]));
  }

  #hear(event: ServerEvent): void {
    if (this.#state.phase === 'closed') return;
    this.emit('wire', incomingLine(event));
    const { seq } = event.data as { seq?: number };
    if (event.name !== 'resync' && seq !== undefined) {
      if (seq <= this.#seq) return; // Heard already.
      this.#seq = seq;
    }
    switch (event.name) {
      case 'welcome':
        this.#welcome = event.data;
        break;
      case 'peer_joined':
        this.#peers.set(event.data.peer.id, event.data.peer);
        break;
      case 'peer_updated':
        this.#update(event.data.peer);
        break;
      case 'peer_left':
        this.#peers.delete(event.data.peer);
        break;
      case 'resync':
        this.#replace(event.data as Events['resync'] & Snapshot);
        break;
      case 'signal':
      case 'message':
        break;
      default:
        event satisfies never; // An event of a later version of the protocol.
        return;
    }
    (this.emit as (name: ServerEvent['name'], data: unknown) => void).call(this, event.name, event.data);
  }

  #update(peer: Peer): void {
    if (this.#snapshot?.self.id === peer.id) this.#snapshot = { ...this.#snapshot, self: peer };
    else if (this.#peers.has(peer.id)) this.#peers.set(peer.id, peer);
  }

  #lose(error: SignalingError): void {
    this.#connection = undefined;
    const requests = this.#requests;
    this.#requests = undefined;
    this.#welcome = undefined;
    this.#refused(error);
    requests?.end(error);
  }

  /** No connection, or no more of it. Tries again unless the refusal is for good. */
  #refused(error: SignalingError): void {
    if (ERRORS[error.code]?.retry === 'never') {
      this.#end(error);
      return;
    }
    this.#setState({ phase: this.#snapshot === undefined ? 'connecting' : 'reconnecting', error });
    const delayMs = retryDelayMs(this.#tries++, error.retryAfterMs, this.#random);
    this.#retry = setTimeout(() => void this.#open(), delayMs);
  }

  #end(error: SignalingError): void {
    this.#connection?.close();
    this.#connection = undefined;
    const requests = this.#requests;
    this.#requests = undefined;
    this.#close(error.code, error);
    requests?.end(error);
  }

  #close(reason: 'left' | ErrorCode, error: SignalingError): void {
    clearTimeout(this.#retry);
    this.#settleJoined.reject(error);
    this.#setState(reason === 'left' ? { phase: 'closed', reason } : { phase: 'closed', reason, error });
  }

  #setState(state: SessionState): void {
    this.#state = state;
    this.emit('state', state);
  }

  #request<Name extends Exclude<RequestName, 'join' | 'leave'>>(name: Name, body: object) {
    if (this.#requests === undefined || this.#state.phase !== 'connected') {
      return Promise.reject(new SignalingError('not_joined'));
    }
    return this.#requests.request(name, body);
  }
}

/** 128 random bits; also where `crypto.randomUUID` is missing, as on a page served over plain http. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
