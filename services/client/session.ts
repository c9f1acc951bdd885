import type {
  Candidate,
  Description,
  ErrorCode,
  Events,
  IceServer,
  JoinReply,
  Json,
  MessageReply,
  ModerateReply,
  Moderation,
  Peer,
  PeerId,
  RemovedReason,
  RequestName,
  ResumeReply,
  Room,
  SignalReply,
  Snapshot,
} from '@fenghuo/protocol';
import { Attachment } from './attachment.ts';
import { Connector, type ConnectorOptions } from './connector.ts';
import { Emitter } from './emitter.ts';
import { IceServers } from './ice-servers.ts';
import type { Entrances } from './region-choice.ts';
import type { MeasuredRegion, RegionTime } from './region-survey.ts';
import { RequestQueue } from './request-queue.ts';
import { Roster } from './roster.ts';
import type { ServerEvent } from './signaling-connection.ts';
import { SignalingError } from './signaling-error.ts';
import { TokenKeeper } from './token-keeper.ts';
import { incomingLine, type WireLine } from './wire-line.ts';

/**
 * Enters a room through a node of a cluster, and stays in it. `entrances` is an http or https address, or several: the
 * first is preferred, the others are asked when it fails; a query, `/?region=beijing`, goes along for the load balancer.
 * Or it is regions, each with its addresses: the nearest is measured and entered, and kept to until none of its addresses
 * answers. With `discover` the cluster itself is asked for its regions. Returns at once; `joined` resolves when the room has answered. A lost connection does not end the session:
 * it goes on over the next one, whichever node that leads to.
 */
export function join(entrances: Entrances, options: JoinOptions): RoomSession {
  return new RoomSession(entrances, options);
}

export interface JoinOptions extends Omit<ConnectorOptions, 'onMeasured'> {
  /** A room, or `room@region`. */
  readonly room: string;
  readonly name?: string;
  readonly metadata?: Json;
}

export type SessionState =
  /** Before the first join was answered; `error` says why the last try failed. */
  | { readonly phase: 'connecting'; readonly error?: SignalingError }
  | { readonly phase: 'connected' }
  /** The connection was lost. The session is resumed on another one; `error` says why it is not yet. */
  | { readonly phase: 'reconnecting'; readonly error?: SignalingError }
  /** Final: nothing is tried any more. `by`: the member who ended it, where it was one. */
  | {
      readonly phase: 'closed';
      readonly reason: CloseReason;
      readonly error?: SignalingError;
      readonly by?: PeerId;
    };

/**
 * What one did, what a node ended the session for, or why it never began (`banned`, `room_locked`, `forbidden`,
 * `unauthorized` and others). `session_replaced`: somebody with the same resume token goes on with the session.
 */
export type CloseReason = 'left' | ErrorCode | Exclude<RemovedReason, 'replaced'>;

/** Roster events come after the roster has changed. Those of the room's log come in its order, each once. */
export interface SessionEvents {
  state: SessionState;
  /** The node that one is connected to, before what is said over that connection. */
  welcome: Events['welcome'];
  /** A join was answered: `self`, `peers`, `room` are new. After the first one: the session had expired. */
  joined: { readonly isRejoin: boolean };
  resumed: Resumed;
  peer_joined: Events['peer_joined'];
  peer_left: Events['peer_left'];
  peer_updated: Events['peer_updated'];
  /** The room was locked or unlocked; `room` is new. */
  room_updated: Events['room_updated'];
  signal: Events['signal'];
  message: Events['message'];
  /** The node lost the room's thread: the roster is replaced, and signals may be missing unless `complete`. */
  resync: Events['resync'];
  /** The node asks to be left; the session moves by itself. `text` is for people. */
  go_away: Events['go_away'];
  /** An operator's words to people, each once. */
  announcement: Events['announcement'];
  /** The ways to the regions were measured; the one that is tried first comes first. */
  regions: readonly RegionTime[];
  /** There are other STUN or TURN servers, or newer credentials. */
  ice_servers: readonly IceServer[];
  /** A node ended the session; the state becomes closed. */
  removed: Events['removed'];
  /** Everything that was sent and received, for people to read. */
  wire: WireLine;
}

/**
 * The session goes on over another connection. `recovered`: the next `missed` events are those that came meanwhile.
 * If not, the roster is replaced, and which signals are missing is not known.
 */
export type Resumed = (
  | { readonly recovered: true; readonly missed: number }
  | { readonly recovered: false }
) & {
  /** For how long nothing was heard. */
  readonly gapMs: number;
};

/** One's membership of a room: the roster, and what is said there. */
export class RoomSession extends Emitter<SessionEvents> {
  /** The first join's outcome: rejects with a `SignalingError` that is final. */
  readonly joined: Promise<void>;
  readonly #settleJoined: Settle;
  readonly #roster = new Roster();
  readonly #requests: RequestQueue;
  readonly #attachment: Attachment;
  readonly #tokens: TokenKeeper;
  readonly #iceServers: IceServers;
  readonly #announced: string[] = [];
  #state: SessionState = { phase: 'connecting' };
  #welcome: Events['welcome'] | undefined;
  #regionTimes: readonly RegionTime[] = [];
  #name: string;
  #metadata: Json;

  constructor(entrances: Entrances, options: JoinOptions) {
    super();
    const random = options.random ?? Math.random;
    this.#name = options.name ?? '';
    this.#metadata = options.metadata ?? null;
    let settle!: Settle;
    this.joined = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.joined.catch(() => {}); // Who does not await it hears of it by `state`.
    this.#settleJoined = settle;
    this.#requests = new RequestQueue(random);
    this.#tokens = new TokenKeeper(options.token, (token) => this.#request('update', { token }), {
      random,
      timeoutMs: options.tokenTimeoutMs,
    });
    this.#iceServers = new IceServers({
      endpoint: () => this.#attachment.endpoint,
      token: () => this.#tokens.current,
      onChange: (list) => this.emit('ice_servers', list),
      fetch: options.fetch,
    });
    this.#attachment = new Attachment({
      connector: new Connector(
        entrances,
        { ...options, onMeasured: (regions) => this.#noteRegions(regions) },
        this.#tokens,
      ),
      requests: this.#requests,
      random,
      join: () => ({ room: options.room, name: this.#name, metadata: this.#metadata }),
      position: () => ({ seq: this.seq, epoch: this.epoch }),
      onJoined: (reply) => this.#enter(reply),
      onResumed: (reply, gapMs) => this.#resume(reply, gapMs),
      onEvent: (event) => this.#hear(event),
      onDetached: (error) => this.#detach(error),
      onEnd: (error) => this.#close(error.code, error),
      onWire: (line) => this.emit('wire', line),
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The node that one is connected to. */
  get welcome(): Events['welcome'] | undefined {
    return this.#welcome;
  }

  /** The region of that node, by its own name. */
  get region(): string | undefined {
    return this.#welcome?.region;
  }

  /** The regions as they were measured last, in the order in which they are tried; empty where there is no choice. */
  get regionTimes(): readonly RegionTime[] {
    return this.#regionTimes;
  }

  /** Undefined until joined. */
  get self(): Peer | undefined {
    return this.#roster.self;
  }

  get room(): Room | undefined {
    return this.#roster.room;
  }

  /** The newest that a node has handed out. */
  get iceServers(): readonly IceServer[] {
    return this.#iceServers.list;
  }

  /**
   * Fetches newer credentials from the node where those that are here have lived for more than half of their time;
   * undefined where they are fresh. Resolves in any case, after two seconds at the most.
   */
  refreshIceServers(): Promise<void> | undefined {
    return this.#iceServers.refresh();
  }

  /** The others, in the order in which they joined. */
  get peers(): ReadonlyMap<PeerId, Peer> {
    return this.#roster.peers;
  }

  /** The seq of the newest event received. */
  get seq(): number {
    return this.#roster.seq;
  }

  get epoch(): number {
    return this.#roster.epoch;
  }

  /**
   * Sends a description or a candidate to one peer. Signals arrive in the order of the calls. Like every request it
   * waits while there is no connection, and is refused by `rate_limited` only where thousands wait.
   */
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
    this.#attachment.whisper('message', { topic, data, ...options, ephemeral: true });
  }

  /**
   * Changes one's own name or metadata, which is replaced whole; a rejoin keeps them. A fresh `token` prolongs the
   * session; where tokens come from a function, that happens by itself.
   */
  async update(changes: {
    readonly name?: string;
    readonly metadata?: Json;
    readonly token?: string;
  }): Promise<Peer> {
    if (changes.name !== undefined) this.#name = changes.name;
    if (changes.metadata !== undefined) this.#metadata = changes.metadata;
    if (changes.token !== undefined) this.#tokens.replace(changes.token);
    return (await this.#request('update', changes)).peer;
  }

  /**
   * Acts on the room, or on those in it whose role is lower than one's own: hosts and moderators may. Resolves when it
   * holds for everyone; rejects with `forbidden` or `peer_not_found`.
   */
  moderate(order: Moderation): Promise<ModerateReply> {
    return this.#request('moderate', order);
  }

  /** Leaves for good. Tells the others, and resolves when a node has heard or a second has passed. */
  async leave(): Promise<void> {
    if (this.#state.phase === 'closed') return;
    const error = new SignalingError('session_expired', 'The session was left.');
    this.#settleJoined.reject(error);
    this.#tokens.stop();
    const isHeard = this.#attachment.leave();
    this.#setState({ phase: 'closed', reason: 'left' });
    await isHeard;
    this.#requests.end(error);
  }

  /** Loses the connection, as an accident would. For trying out what happens then. */
  dropConnection(): void {
    this.#attachment.drop();
  }

  #noteRegions(regions: readonly MeasuredRegion[]): void {
    this.#regionTimes = regions.map(({ name, roundTripMs }) => ({ name, roundTripMs }));
    this.emit('regions', this.#regionTimes);
  }

  #enter(reply: JoinReply): void {
    if (this.#state.phase === 'closed') return; // There only to leave.
    const isRejoin = this.self !== undefined;
    this.#roster.replace(reply);
    this.#iceServers.take(reply);
    this.#setState({ phase: 'connected' });
    this.emit('joined', { isRejoin });
    this.#settleJoined.resolve();
  }

  #resume(reply: ResumeReply, gapMs: number): void {
    if (this.#state.phase === 'closed') return;
    if (!reply.recovered) {
      this.#roster.replace(reply);
      this.#iceServers.take(reply);
    }
    this.#setState({ phase: 'connected' });
    const { recovered } = reply;
    this.emit('resumed', recovered ? { recovered, missed: reply.missed, gapMs } : { recovered, gapMs });
  }

  #hear(event: ServerEvent): void {
    if (this.#state.phase === 'closed') return;
    this.emit('wire', incomingLine(event));
    if (!this.#roster.follow(event)) return;
    if (event.name === 'welcome') this.#welcome = event.data;
    if (event.name === 'resync') this.#iceServers.take(event.data as Snapshot);
    if (event.name === 'announcement' && !this.#isNews(event.data.id)) return;
    // An event of a later version of the protocol has no listeners.
    (this.emit as (name: ServerEvent['name'], data: unknown) => void).call(this, event.name, event.data);
    if (event.name === 'removed') this.#removed(event.data);
  }

  /** On a move, the old connection and the new one may both bring an announcement. */
  #isNews(id: string): boolean {
    if (this.#announced.includes(id)) return false;
    this.#announced.push(id);
    this.#announced.splice(0, this.#announced.length - ANNOUNCEMENTS_KNOWN_MAX);
    return true;
  }

  #removed({ reason, by }: Events['removed']): void {
    const text = `A node ended the session: ${reason}.`;
    this.#close(
      reason === 'replaced' ? 'session_replaced' : reason,
      new SignalingError(CODE_OF_REMOVAL[reason] ?? 'session_expired', text),
      by,
    );
  }

  #detach(error: SignalingError): void {
    if (this.#state.phase === 'closed') return;
    this.#welcome = undefined;
    this.#setState({ phase: this.self === undefined ? 'connecting' : 'reconnecting', error });
  }

  #close(reason: CloseReason, error: SignalingError, by?: PeerId): void {
    this.#attachment.stop();
    this.#tokens.stop();
    if (this.#state.phase === 'closed') return;
    this.#settleJoined.reject(error);
    this.#setState({ phase: 'closed', reason, error, ...(by === undefined ? {} : { by }) });
    this.#requests.end(error);
  }

  #setState(state: SessionState): void {
    if (state.phase === 'connected' && this.#state.phase === 'connected') return;
    this.#state = state;
    this.emit('state', state);
  }

  #request<Name extends Exclude<RequestName, 'join' | 'resume' | 'leave'>>(name: Name, body: object) {
    if (this.self === undefined || this.#state.phase === 'closed') {
      return Promise.reject(new SignalingError('not_joined'));
    }
    return this.#requests.request(name, body);
  }
}

interface Settle {
  readonly resolve: () => void;
  readonly reject: (error: SignalingError) => void;
}

const ANNOUNCEMENTS_KNOWN_MAX = 32;

const CODE_OF_REMOVAL: Record<RemovedReason, ErrorCode> = {
  kicked: 'session_expired',
  banned: 'banned',
  closed: 'session_expired',
  token_expired: 'unauthorized',
  replaced: 'session_replaced',
};
