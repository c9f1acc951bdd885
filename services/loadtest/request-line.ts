import { ERRORS, UNANSWERED_MAX, type WireError } from '@fenghuo/protocol';

import type { Answer, Connection } from './connection.ts';
import type { Random } from './random.ts';

/** What came of a request in the end. */
export type Outcome =
  | {
      readonly kind: 'ok';
      readonly reply: Record<string, unknown>;
      /** How often an answer that is not final, or none, came first. */
      readonly repeats: number;
    }
  | { readonly kind: 'refused'; readonly error: WireError }
  /** The session ended before a final answer: whether it was done is unknown. */
  | { readonly kind: 'abandoned' };

export interface RequestLineOptions {
  readonly random: Random;
  /** A request without an answer for so long means that the connection may be dead. */
  readonly answerMs: number;
  /** Called once in each such time that it lasts. */
  readonly onSilence: () => void;
  /** An answer that is not final; the request will be sent again. */
  readonly onWithheld: (error: WireError) => void;
}

interface Entry {
  readonly id: number;
  readonly name: string;
  readonly body: object;
  readonly settled: (outcome: Outcome) => void;
  sentMs: number;
  tries: number;
}

const FIRST_RESEND_MS = 250;
const RESEND_MS_MAX = 2_000;

/**
 * The numbered requests of one session (what a client does, 3): ids count up, at most 64 are unanswered, and what
 * has no final answer is sent again with its id, in ascending order, on the newest connection, before anything new.
 */
export class RequestLine {
  readonly #options: RequestLineOptions;
  readonly #unanswered = new Map<number, Entry>();
  readonly #waiting: Entry[] = [];
  #connection: Connection | undefined;
  /** The join was 1. */
  #nextId = 2;
  #resend: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** Answers that were not final, since the last that was. */
  #refusals = 0;
  #isEnded = false;

  constructor(options: RequestLineOptions) {
    this.#options = options;
  }

  /** Requests that have no final answer yet. */
  get backlog(): number {
    return this.#unanswered.size + this.#waiting.length;
  }

  request(name: string, body: object, settled: (outcome: Outcome) => void): void {
    if (this.#isEnded) {
      settled({ kind: 'abandoned' });
      return;
    }
    this.#waiting.push({ id: this.#nextId++, name, body, settled, sentMs: 0, tries: 0 });
    this.#sendWaiting();
  }

  /** The session is on this connection now: everything that is not final goes out again there. */
  continueOn(connection: Connection): void {
    this.#connection = connection;
    clearTimeout(this.#resend);
    this.#resend = undefined;
    this.#sendUnanswered();
    this.#sendWaiting();
  }

  /** Nothing goes out until `continueOn`. */
  hold(): void {
    this.#connection = undefined;
    clearTimeout(this.#resend);
    this.#resend = undefined;
  }

  end(): void {
    this.hold();
    clearTimeout(this.#watch);
    this.#isEnded = true;
    const entries = [...this.#unanswered.values(), ...this.#waiting.splice(0)];
    this.#unanswered.clear();
    for (const entry of entries) entry.settled({ kind: 'abandoned' });
  }

  #sendWaiting(): void {
    while (this.#connection !== undefined && this.#resend === undefined) {
      if (this.#unanswered.size >= UNANSWERED_MAX) return;
      const entry = this.#waiting.shift();
      if (entry === undefined) return;
      this.#unanswered.set(entry.id, entry);
      this.#send(entry, this.#connection);
    }
  }

  #sendUnanswered(): void {
    const connection = this.#connection;
    // In a Map they are in the order of their ids: none is ever put in again.
    if (connection !== undefined)
      for (const entry of [...this.#unanswered.values()]) this.#send(entry, connection);
  }

  #send(entry: Entry, connection: Connection): void {
    const attempt = ++entry.tries;
    entry.sentMs = performance.now();
    this.#watch ??= setTimeout(() => this.#lookForSilence(), this.#options.answerMs);
    connection.ask(entry.name, { id: entry.id, ...entry.body }, (answer) =>
      this.#answered(entry, attempt, connection, answer),
    );
  }

  #answered(entry: Entry, attempt: number, connection: Connection, answer: Answer): void {
    if (this.#unanswered.get(entry.id) !== entry) return;
    // A connection that the session has left may still bring the answer to what it was asked: an ok is an ok.
    const isNewest = attempt === entry.tries && connection === this.#connection;
    if (answer.ok) {
      this.#settle(entry, { kind: 'ok', reply: answer, repeats: attempt - 1 });
    } else if (isFinal(answer.error, isNewest)) {
      this.#settle(entry, { kind: 'refused', error: answer.error });
    } else if (isNewest) {
      // Of an older sending it would say nothing: the newer one is still on its way.
      this.#options.onWithheld(answer.error);
      this.#resendLater(answer.error.retry_after_ms);
    }
  }

  #settle(entry: Entry, outcome: Outcome): void {
    this.#unanswered.delete(entry.id);
    this.#refusals = 0;
    entry.settled(outcome);
    this.#sendWaiting();
  }

  #resendLater(retryAfterMs: number | undefined): void {
    if (this.#resend !== undefined) return;
    const delayMs = retryAfterMs ?? Math.min(RESEND_MS_MAX, FIRST_RESEND_MS * 2 ** this.#refusals);
    this.#refusals += 1;
    const jitteredMs = delayMs * (1 + this.#options.random() / 2);
    this.#resend = setTimeout(() => {
      this.#resend = undefined;
      this.#sendUnanswered();
      this.#sendWaiting();
    }, jitteredMs);
  }

  #lookForSilence(): void {
    this.#watch = undefined;
    const nowMs = performance.now();
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { sentMs } of this.#unanswered.values()) oldestMs = Math.min(oldestMs, sentMs);
    if (oldestMs === Number.POSITIVE_INFINITY) return;
    const leftMs = oldestMs + this.#options.answerMs - nowMs;
    this.#watch = setTimeout(() => this.#lookForSilence(), leftMs > 0 ? leftMs : this.#options.answerMs);
    if (leftMs <= 0 && this.#connection !== undefined && this.#resend === undefined)
      this.#options.onSilence();
  }
}

/** `not_joined` on a connection that the session has left, or not reached, says nothing of the request. */
function isFinal({ code }: WireError, isNewest: boolean): boolean {
  if (code === 'not_joined') return isNewest;
  return ERRORS[code]?.retry !== 'resend';
}
