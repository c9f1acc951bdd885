import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Events, JoinReply, ResumeReply, Snapshot, WireError } from '@fenghuo/protocol';

import {
  type Answer,
  type Connection,
  NotOpened,
  type OpenConnection,
  openConnection,
} from './connection.ts';
import { type Random, shuffled } from './random.ts';
import { type Outcome, RequestLine } from './request-line.ts';
import { Session } from './session.ts';

export interface PeerOptions {
  readonly name: string;
  readonly room: string;
  /** Where nodes are reached; the first is tried first. */
  readonly endpoints: readonly string[];
  readonly random: Random;
  readonly observer: PeerObserver;
  /** A connection that has not opened by then counts as dead; longer once every node has been tried. */
  readonly openMs?: number;
  /** A request that has no answer by then makes the client look for another connection. */
  readonly answerMs?: number;
  /** Replaces the network in tests. */
  readonly open?: OpenConnection;
}

/** What a simulated peer tells of itself. */
export interface PeerObserver {
  joined(session: Session): void;
  /**
   * An event of the log, before the rule that drops repeats. `isRepeat`: its seq is at or below the client's
   * position in the same epoch, on the connection that the session is on. There a node owes each event once, so it
   * is a doubled delivery. Not told of: what an older connection brings after `resume` was sent, which rule 5
   * says to ignore; the node of that connection cannot know yet.
   */
  heard(session: Session, name: string, event: LogEvent, isRepeat: boolean): void;
  /** The session goes on, on a new connection. `missed`: of `recovered: true`, how many events were promised. */
  resumed(session: Session, missed: number | undefined): void;
  /** `recovered: false` or `resync`; with `complete` nothing is missing. */
  replaced(session: Session, how: 'recovered_false' | 'resync', isComplete: boolean): void;
  /** The connection that the session was on is gone, or does not answer. */
  cutOff(session: Session, endpoint: string): void;
  /** A request has to wait. */
  withheld(error: WireError): void;
  ended(session: Session, why: string): void;
  /** Something that the protocol rules out. */
  odd(what: string): void;
}

export interface LogEvent {
  readonly seq: number;
}

const OPEN_MS = 1_000;
const OPEN_MS_MAX = 8_000;
const ANSWER_MS = 2_000;
const FIRST_RETRY_MS = 100;
const RETRY_MS_MAX = 3_000;
const LEAVE_MS = 5_000;
const TRAIL_MAX = 20;

/** Joining or resuming on one connection: it is done, or must be tried on another one. */
type Entry = 'in' | 'elsewhere' | { readonly againMs: number };

/**
 * A client that keeps to "What a client does" of the protocol, without our SDK, so that each can be held against the
 * other. It keeps its session through the loss of connections and nodes, and joins anew where a session is over.
 */
export class SimulatedPeer {
  readonly name: string;
  readonly #options: PeerOptions;
  readonly #observer: PeerObserver;
  readonly #open: OpenConnection;
  #endpoints: readonly string[];
  #session: Session | undefined;
  /** The one that the session is on. */
  #current: Connection | undefined;
  /** Where the session was last. */
  #lastEndpoint: string | undefined;
  /** Rule 5: their events and their end say nothing any more. */
  readonly #ignored = new WeakSet<Connection>();
  /** Wakes what waits for a connection to be lost. */
  readonly #onLost = new Map<Connection, () => void>();
  #promised: { readonly connection: Connection; left: number } | undefined;
  #joinKey = newKey();
  /** What was tried since the connection was lost, for people. */
  #trail: string[] = [];
  #movingSinceMs = 0;
  #isMoving = false;
  #isStopped = false;
  #tries = 0;
  readonly #stopping = new AbortController();

  constructor(options: PeerOptions) {
    this.#options = options;
    this.name = options.name;
    this.#observer = options.observer;
    this.#endpoints = options.endpoints;
    this.#open = options.open ?? openConnection;
  }

  /** Undefined before the first join, and between the end of a session and the next. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** The node that the session is on; undefined while it looks for one. */
  get endpoint(): string | undefined {
    return this.#current?.endpoint;
  }

  get isLive(): boolean {
    return this.#current !== undefined && !this.#isMoving && this.#session !== undefined;
  }

  /** Events which the last resume promised and which have not come. */
  get owed(): number {
    return Math.max(0, this.#promised?.left ?? 0);
  }

  /** When a node last gave a sign of life to the session: no resume window can have begun before. */
  get heardMs(): number {
    return Math.max(this.#session?.heardMs ?? 0, this.#current?.heardMs ?? 0);
  }

  /** How the session came to where it is: what was tried, after how many milliseconds. */
  get trail(): string {
    return this.#trail.join(', ');
  }

  /** Resolves once joined. */
  async start(): Promise<void> {
    await this.#move();
  }

  request(name: string, body: object, settled: (outcome: Outcome) => void): void {
    if (this.#session === undefined) settled({ kind: 'abandoned' });
    else this.#session.requests.request(name, body, settled);
  }

  /** Ends the session in order, and is over. */
  async leave(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return this.stop();
    session.isLeaving = true;
    const left = new Promise<void>((resolve) => session.requests.request('leave', {}, () => resolve()));
    await Promise.race([left, sleep(LEAVE_MS, undefined, { ref: false })]);
    this.stop();
  }

  /** Closes everything without a word. */
  stop(): void {
    this.#isStopped = true;
    this.#stopping.abort();
    this.#session?.requests.end();
    this.#current?.close();
    this.#current = undefined;
  }

  /** Looks for a connection until the session is on it. One that is still there is kept until then (rule 5). */
  async #move(): Promise<void> {
    if (this.#isMoving || this.#isStopped) return;
    this.#isMoving = true;
    const former = this.#current;
    this.#tries = 0;
    this.#trail = [];
    this.#movingSinceMs = performance.now();
    const order = this.#order();
    try {
      for (let index = 0; !this.#isStopped; index++) {
        const connection = await this.#connect(order[index % order.length] as string, index >= order.length);
        if (connection === undefined) continue;
        if (await this.#enter(connection)) break;
        this.#discard(connection);
        await this.#backOff();
      }
    } finally {
      this.#isMoving = false;
    }
    if (this.#current !== former) former?.close();
    // It may have been lost again already, in the same turn.
    if (this.#current === undefined) await this.#move();
  }

  /** The others first, in any order, then the one where the session is or was. */
  #order(): readonly string[] {
    const [first, ...rest] = this.#endpoints;
    if (this.#lastEndpoint === undefined && first !== undefined)
      return [first, ...shuffled(this.#options.random, rest)];
    const others = this.#endpoints.filter((endpoint) => endpoint !== this.#lastEndpoint);
    return [
      ...shuffled(this.#options.random, others),
      ...this.#endpoints.filter((one) => !others.includes(one)),
    ];
  }

  async #connect(endpoint: string, isSecondRound: boolean): Promise<Connection | undefined> {
    const { openMs = OPEN_MS } = this.#options;
    const allowedMs = isSecondRound ? Math.min(OPEN_MS_MAX, openMs * 2 ** Math.min(this.#tries, 8)) : openMs;
    // Handlers may run before `open` resolves: `welcome` comes with the packet that opens the connection.
    let connection: Connection | undefined;
    try {
      connection = await this.#open(endpoint, allowedMs, {
        heard: (name, payload) => connection !== undefined && this.#hear(connection, name, payload),
        lost: () => connection !== undefined && this.#lost(connection),
      });
    } catch (error) {
      const told = error instanceof NotOpened ? error.error : undefined;
      this.#note(`${endpoint} ${told?.code ?? (error as Error).message}`);
      await this.#backOff(told?.retry_after_ms, told !== undefined);
      return undefined;
    }
    this.#note(`${endpoint} open`);
    if (!this.#isStopped) return connection;
    connection.close();
    return undefined;
  }

  /** The next node at once where this one only sends us on; else longer and longer, each client at its own time. */
  async #backOff(retryAfterMs?: number, isSentOn = false): Promise<void> {
    const tries = this.#tries++;
    if (isSentOn && tries < this.#endpoints.length - 1) return;
    const { random } = this.#options;
    const jitteredMs = Math.min(RETRY_MS_MAX, FIRST_RETRY_MS * 2 ** tries) * random();
    const waitMs = retryAfterMs === undefined ? jitteredMs : retryAfterMs * (1 + random() / 2);
    await this.#pause(waitMs);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  /** True once the session is on this connection. */
  async #enter(connection: Connection): Promise<boolean> {
    while (connection.isOpen && !this.#isStopped) {
      const session = this.#session;
      const entry = await (session === undefined
        ? this.#join(connection)
        : this.#resume(connection, session));
      if (entry === 'in') return true;
      if (entry === 'elsewhere') return false;
      await this.#pause(entry.againMs);
    }
    return false;
  }

  #join(connection: Connection): Promise<Entry> {
    const { name, room } = this.#options;
    const body = { id: 1, room, name, key: this.#joinKey };
    return this.#askOnce(connection, 'join', body, (answer) => {
      if (!answer.ok) return this.#refusedJoin(answer.error);
      const requests = new RequestLine({
        random: this.#options.random,
        answerMs: this.#options.answerMs ?? ANSWER_MS,
        onSilence: () => this.#suspect(session),
        onWithheld: (error) => this.#withheld(session, error),
      });
      const session = new Session(room, answer as unknown as JoinReply, requests);
      this.#session = session;
      this.#observer.joined(session);
      this.#goOn(connection, session);
      return 'in';
    });
  }

  #refusedJoin(error: WireError): Entry {
    if (error.code === 'draining') return 'elsewhere';
    if (error.code !== 'unavailable' && error.code !== 'rate_limited') {
      this.#observer.odd(`join refused: ${error.code}`);
      this.#joinKey = newKey();
    }
    return { againMs: this.#jittered(error) };
  }

  #resume(connection: Connection, session: Session): Promise<Entry> {
    session.attempt += 1;
    session.requests.hold();
    // Rule 5: from here on the older connection says nothing; it stays open until the ok.
    if (this.#current !== undefined) this.#ignored.add(this.#current);
    const { token, seq, epoch, attempt } = session;
    const body = { resume_token: token, seq, epoch, attempt };
    return this.#askOnce(connection, 'resume', body, (answer) => {
      if (answer.ok) {
        this.#resumed(connection, session, answer as unknown as ResumeReply);
        return 'in';
      }
      const { code } = answer.error;
      if (code === 'unavailable' || code === 'rate_limited') return { againMs: this.#jittered(answer.error) };
      if (code === 'draining') return 'elsewhere';
      if (code === 'session_replaced') {
        // Only an older attempt of ours may be told so, and this one is the newest.
        this.#observer.odd('resume: session_replaced on the newest attempt');
        return { againMs: this.#jittered(answer.error) };
      }
      this.#end(session, code);
      return { againMs: 0 };
    });
  }

  #resumed(connection: Connection, session: Session, reply: ResumeReply): void {
    this.#promised = reply.recovered ? { connection, left: reply.missed } : undefined;
    if (reply.recovered) {
      this.#observer.resumed(session, reply.missed);
    } else {
      session.replace(reply);
      this.#observer.resumed(session, undefined);
      this.#observer.replaced(session, 'recovered_false', false);
    }
    this.#goOn(connection, session);
  }

  #goOn(connection: Connection, session: Session): void {
    this.#rememberHeard(session, connection);
    this.#current = connection;
    this.#lastEndpoint = connection.endpoint;
    session.requests.continueOn(connection);
  }

  /** Asks; the answer is read in the turn in which it comes, before any event behind it. */
  #askOnce(
    connection: Connection,
    name: string,
    body: object,
    read: (answer: Answer) => Entry,
  ): Promise<Entry> {
    return new Promise((resolve) => {
      let isOpen = true;
      const settle = (entry: Entry) => {
        if (!isOpen) return;
        isOpen = false;
        clearTimeout(silence);
        this.#onLost.delete(connection);
        resolve(entry);
      };
      const giveUp = (why: string) => {
        this.#note(`${name} ${why}`);
        settle('elsewhere');
      };
      const silence = setTimeout(() => giveUp('unanswered'), this.#options.answerMs ?? ANSWER_MS);
      this.#onLost.set(connection, () => giveUp('lost'));
      connection.ask(name, body, (answer) => {
        if (!isOpen || this.#isStopped) return;
        this.#note(`${name} ${answer.ok ? 'ok' : answer.error.code}`);
        settle(read(answer));
      });
    });
  }

  #note(what: string): void {
    this.#trail.push(`${what} at ${Math.round(performance.now() - this.#movingSinceMs)} ms`);
    if (this.#trail.length > TRAIL_MAX) this.#trail.shift();
  }

  #jittered(error: WireError): number {
    return (error.retry_after_ms ?? FIRST_RETRY_MS) * (1 + this.#options.random() / 2);
  }

  #hear(connection: Connection, name: string, payload: unknown): void {
    if (this.#ignored.has(connection) || this.#isStopped) return;
    const session = this.#session;
    if (connection !== this.#current || session === undefined) {
      // Rule 2: the reply comes first. Our handlers run in the order of the packets.
      if (name !== 'welcome' && name !== 'announcement' && name !== 'go_away')
        this.#observer.odd(`${name} before the reply that it belongs behind`);
      return;
    }
    if (name === 'resync') this.#resync(session, payload as Events['resync']);
    else if (name === 'removed') this.#removed(session, payload as Events['removed']);
    else if (name === 'go_away') void this.#goAway(connection, payload as Events['go_away']);
    else if (typeof (payload as LogEvent).seq === 'number')
      this.#logged(session, connection, name, payload as LogEvent);
  }

  #logged(session: Session, connection: Connection, name: string, event: LogEvent): void {
    const isRepeat = event.seq <= session.seq;
    if (this.#promised?.connection === connection) this.#promised.left -= 1;
    this.#observer.heard(session, name, event, isRepeat);
    if (!isRepeat) session.apply(name, event);
  }

  #resync(session: Session, event: Events['resync']): void {
    this.#promised = undefined;
    session.replace(event as Snapshot);
    this.#observer.replaced(session, 'resync', event.complete);
  }

  #removed(session: Session, event: Events['removed']): void {
    // Rule 7: we resumed nowhere else, or this connection would be ignored.
    this.#observer.odd(`removed: ${event.reason}`);
    this.#end(session, `removed_${event.reason}`);
    void this.#move();
  }

  async #goAway(connection: Connection, event: Events['go_away']): Promise<void> {
    await this.#pause(event.reconnect_after_ms);
    if (connection === this.#current) await this.#move();
  }

  /** No answer on a connection that looks open: the node may hang, or the way to it may be cut. */
  #suspect(session: Session): void {
    if (session !== this.#session || this.#isMoving || this.#current === undefined) return;
    this.#observer.cutOff(session, this.#current.endpoint);
    void this.#move();
  }

  #withheld(session: Session, error: WireError): void {
    this.#observer.withheld(error);
    if (error.code === 'draining' && session === this.#session) void this.#move();
  }

  #lost(connection: Connection): void {
    this.#onLost.get(connection)?.();
    if (connection !== this.#current || this.#isStopped) return;
    this.#current = undefined;
    const session = this.#session;
    if (session !== undefined && !this.#ignored.has(connection)) {
      this.#rememberHeard(session, connection);
      session.requests.hold();
      this.#observer.cutOff(session, connection.endpoint);
    }
    void this.#move();
  }

  /** The session is over, and not by our will; the next entry is a new join. */
  #end(session: Session, why: string): void {
    session.endedMs = performance.now();
    session.requests.end();
    this.#promised = undefined;
    this.#session = undefined;
    this.#joinKey = newKey();
    if (this.#current !== undefined) {
      this.#rememberHeard(session, this.#current);
      this.#discard(this.#current);
    }
    this.#current = undefined;
    this.#observer.ended(session, why);
  }

  #rememberHeard(session: Session, connection: Connection): void {
    session.heardMs = Math.max(session.heardMs, connection.heardMs);
  }

  #discard(connection: Connection): void {
    this.#ignored.add(connection);
    this.#onLost.delete(connection);
    connection.close();
  }
}

/** At least 128 random bits. */
function newKey(): string {
  return randomBytes(16).toString('hex');
}
