import { ERRORS, type Events, type JoinReply, type RequestName, type ResumeReply } from '@fenghuo/protocol';
import { retryDelayMs } from './backoff.ts';
import type { Connector } from './connector.ts';
import { within } from './deadline.ts';
import { Line } from './line.ts';
import type { RequestQueue } from './request-queue.ts';
import type { Answer, ServerEvent } from './signaling-connection.ts';
import { SignalingError } from './signaling-error.ts';
import { localLine, outgoingLine, type WireLine } from './wire-line.ts';

/** How long after its session was said to be over a connection may still say who ended it. */
const REMOVAL_GRACE_MS = 500;

/** Whoever leaves waits no longer for a node to hear it. */
const LEAVE_TIMEOUT_MS = 1_000;

/**
 * Keeps a session on a connection: joins on the first, resumes on every further one, and joins anew where the
 * session has expired. There is one way for all of it: a try opens the next connection and asks there; the current
 * one, where there is one, stays until the new one has answered. So a move (`go_away`) makes before it breaks, and a
 * lost connection is a move away from nothing.
 */
export class Attachment {
  readonly #options: AttachmentOptions;
  #current: Line | undefined;
  /** The connection that a try is about; there is at most one try at a time. */
  #next: Line | undefined;
  /** The connection that is not listened to while a resume on the next one is under way. */
  #old: Line | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #move: ReturnType<typeof setTimeout> | undefined;
  /** Names one join, however often it is sent, so that a lost answer leaves no second peer behind. */
  #joinKey: string | undefined;
  #resumeToken: string | undefined;
  #attempts = 0;
  /** Since when nothing is heard. */
  #deafSince: number | undefined;
  #isLeaving = false;
  #isOver = false;

  constructor(options: AttachmentOptions) {
    this.#options = options;
    this.#try();
  }

  /** The node that the session is connected to. */
  get endpoint(): string | undefined {
    return this.#current?.endpoint;
  }

  /** Sends what may be lost, where there is a connection. */
  whisper(name: RequestName, payload: object): void {
    this.#current?.connection?.send(name, payload, () => {});
  }

  /** Loses the current connection. */
  drop(): void {
    this.#current?.connection?.drop();
  }

  /** Ends the session, by the next connection if need be. Resolves when a node has heard or a second has passed. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    if (this.#resumeToken !== undefined) {
      const answer = this.#options.requests.request('leave', {});
      await within(LEAVE_TIMEOUT_MS, 'The leave', answer).catch(() => {});
    }
    this.stop();
  }

  /** Gives the connection up, without a word to the node, and tries no more. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#move);
    this.#options.connector.stop();
    const lines = [this.#current, this.#next];
    this.#current = undefined;
    this.#next = undefined;
    for (const line of lines) line?.close();
  }

  #try(): void {
    if (this.#isOver) return; // Whoever was told of the failure has left.
    const line = new Line((event) => this.#hear(line, event));
    this.#next = line;
    const listener = {
      onEvent: (event: ServerEvent) => line.receive(event),
      onLost: (reason: string) => this.#lose(line, reason),
    };
    this.#options.connector.open(listener).then(
      ({ connection, endpoint }) => {
        line.connection = connection;
        line.endpoint = endpoint;
        if (this.#next === line) this.#ask(line);
        else line.close();
      },
      (error: SignalingError) => {
        if (this.#next !== line) return;
        const isFinal = ERRORS[error.code]?.retry === 'never' && this.#options.connector.isFinal(error);
        this.#miss(line, error, isFinal);
      },
    );
  }

  #ask(line: Line): void {
    if (this.#resumeToken === undefined) this.#join(line);
    else this.#resume(line, this.#resumeToken);
  }

  #join(line: Line): void {
    this.#joinKey ??= randomKey();
    const join = { id: 1, ...this.#options.join(), key: this.#joinKey };
    this.#send(line, 'join', join, (answer) => {
      if (this.#next !== line) return;
      if (!answer.ok) {
        this.#refused(line, answer);
        return;
      }
      this.#joinKey = undefined;
      this.#resumeToken = answer.reply.resume_token;
      this.#attach(line, () => this.#options.onJoined(answer.reply));
    });
  }

  #resume(line: Line, token: string): void {
    this.#old = this.#current;
    if (this.#old !== undefined) {
      this.#old.isLeft = true;
      this.#old.hold();
      this.#options.requests.detach();
    }
    this.#deafSince ??= performance.now();
    const resume = { resume_token: token, ...this.#options.position(), attempt: ++this.#attempts };
    this.#send(line, 'resume', resume, (answer) => {
      if (this.#next !== line) return;
      if (answer.ok) {
        const gapMs = performance.now() - (this.#deafSince ?? 0);
        this.#attach(line, () => this.#options.onResumed(answer.reply, gapMs));
      } else if (answer.error.code === 'session_expired') {
        const removal = this.#old?.removal;
        if (removal !== undefined)
          this.#options.onEvent(removal); // The reason, heard on the connection that was left.
        else this.#expire(answer.error);
        if (this.#next === line) this.#askAnew(line);
      } else {
        this.#listenAgain();
        this.#refused(line, answer);
      }
    });
  }

  /** A new session begins: here, unless the region is one that the last had to flee to. */
  #askAnew(line: Line): void {
    const { connector } = this.#options;
    if (!connector.isElsewhere(line.endpoint)) {
      this.#ask(line);
      return;
    }
    line.close();
    connector.chooseAnew();
    this.#try();
  }

  /** To the connection that a resume was to leave. Whether it was carried out is not always known. */
  #listenAgain(): void {
    const old = this.#old;
    this.#old = undefined;
    old?.release();
    if (old === undefined || old !== this.#current) return;
    this.#deafSince = undefined;
    this.#options.requests.attach(this.#transmit(old));
  }

  #attach(line: Line, tell: () => void): void {
    const old = this.#current;
    this.#current = line;
    this.#next = undefined;
    this.#old = undefined;
    this.#deafSince = undefined;
    clearTimeout(this.#move);
    old?.close();
    this.#options.connector.succeeded(line.endpoint);
    if (line.welcome !== undefined) this.#options.onEvent({ name: 'welcome', data: line.welcome });
    tell();
    if (this.#current !== line) return; // Whoever was told has left.
    this.#options.requests.attach(this.#transmit(line));
    line.begin();
  }

  #expire(error: SignalingError): void {
    this.#resumeToken = undefined;
    this.#current?.close();
    this.#current = undefined;
    this.#old = undefined;
    this.#options.requests.end(error);
    if (this.#isLeaving) this.stop();
    else this.#options.onDetached(error);
  }

  #refused(line: Line, { error, isSilence }: Refusal): void {
    if (this.#next !== line) return;
    if (!error.isFinal && !isSilence && error.code !== 'draining') {
      // Redis, say, is away: another connection would find the same, and cost the node more.
      if (this.#current === undefined) this.#options.onDetached(error);
      const delayMs = retryDelayMs(line.refusals++, error.retryAfterMs, this.#options.random);
      this.#retry = setTimeout(() => this.#next === line && this.#ask(line), delayMs);
      return;
    }
    // A connection on which something is under way already is of no use; the session does better on another one.
    const isFinal =
      error.isFinal && error.code !== 'already_joined' && this.#options.connector.isFinal(error);
    if (!isFinal) this.#options.connector.failed(line.endpoint, error);
    this.#miss(line, error, isFinal);
  }

  /** A try came to nothing. Where it was a move, the connection that is there serves until its node closes it. */
  #miss(line: Line, error: SignalingError, isFinal: boolean): void {
    this.#next = undefined;
    clearTimeout(this.#retry);
    line.close();
    this.#options.onWire(localLine('not_connected', error.code));
    this.#listenAgain();
    if (isFinal) {
      if (this.#current === undefined) this.#options.onEnd(error);
      return;
    }
    if (this.#current === undefined) this.#options.onDetached(error);
    this.#try();
  }

  #lose(line: Line, reason: string): void {
    const error = new SignalingError('unavailable', reason);
    const { connector, requests } = this.#options;
    if (line === this.#next) {
      connector.failed(line.endpoint, error);
      this.#miss(line, error, false);
    }
    if (line !== this.#current) return;
    this.#current = undefined;
    // The resume that is under way makes its node close it: the answer may come a little later.
    if (line === this.#old) return;
    this.#deafSince = performance.now();
    requests.detach();
    // A node that fell silent may take connections and still say nothing.
    connector.ended(line.endpoint, line.isToBeLeft || reason === 'ping timeout');
    if (line.isToBeLeft) connector.chooseAnew();
    this.#options.onWire(localLine('connection_lost', reason));
    this.#options.onDetached(error);
    if (this.#next === undefined) this.#try();
    else connector.hurry();
  }

  #hear(line: Line, event: ServerEvent): void {
    if (event.name === 'removed' && event.data.reason === 'replaced' && line.isLeft) return;
    if (event.name === 'go_away') this.#prepareMove(line, event.data);
    this.#options.onEvent(event);
  }

  #prepareMove(line: Line, { reconnect_after_ms: delayMs }: Events['go_away']): void {
    clearTimeout(this.#move);
    line.isToBeLeft = true;
    this.#move = setTimeout(() => {
      if (line !== this.#current || this.#next !== undefined) return;
      this.#options.connector.ended(line.endpoint, true);
      this.#options.connector.chooseAnew();
      this.#try();
    }, delayMs);
  }

  #transmit(line: Line) {
    return (name: RequestName, payload: object, answered: (answer: Answer) => void) =>
      this.#send(line, name, payload, (answer) => {
        const code = answer.ok ? undefined : answer.error.code;
        // The node does not have the session any more: a resume finds out who has it. Till then nothing is answered.
        if (code !== 'not_joined') answered(answer);
        const isUnknown = code === 'not_joined' || code === 'session_expired';
        if (!isUnknown || line !== this.#current || this.#isLeaving) return;
        const lose = () => {
          if (line !== this.#current || this.#isLeaving) return;
          line.close();
          this.#lose(line, code);
        };
        // Who was shown out with a request under way gets its answer first, and is told why after it.
        if (code === 'session_expired') setTimeout(lose, REMOVAL_GRACE_MS);
        else lose();
      });
  }

  #send<Name extends RequestName>(
    line: Line,
    name: Name,
    payload: object,
    answered: (answer: Answer<Name>) => void,
  ): void {
    const sentAt = performance.now();
    line.connection?.send<Name>(name, payload, (answer) => {
      this.#options.onWire(outgoingLine(name, payload, answer, performance.now() - sentAt));
      answered(answer);
    });
  }
}

export interface AttachmentOptions {
  readonly connector: Connector;
  readonly requests: RequestQueue;
  readonly random: () => number;
  /** What to join with, now. */
  join(): { readonly room: string; readonly name: string; readonly metadata: unknown };
  /** Where the log is to go on. */
  position(): { readonly seq: number; readonly epoch: number };
  /** A new session: nothing of an earlier one holds. */
  onJoined(reply: JoinReply): void;
  /** The session goes on; `gapMs` is how long nothing was heard. */
  onResumed(reply: ResumeReply, gapMs: number): void;
  onEvent(event: ServerEvent): void;
  /** There is no connection, and this is why; it is tried further. */
  onDetached(error: SignalingError): void;
  /** There will be none. */
  onEnd(error: SignalingError): void;
  onWire(line: WireLine): void;
}

type Refusal = Answer & { readonly ok: false };

/** 128 random bits; also where `crypto.randomUUID` is missing, as on a page served over plain http. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
