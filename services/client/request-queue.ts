import { type Replies, type RequestName, UNANSWERED_MAX } from '@fenghuo/protocol';
import { retryDelayMs } from './backoff.ts';
import type { Answer } from './signaling-connection.ts';
import { SignalingError } from './signaling-error.ts';

/**
 * The numbered requests of one session, over one connection after the other. Ids count up from 2, for the join was 1;
 * at most 64 are unanswered, the others wait. An answer that is not final (`unavailable`, `rate_limited`, `draining`,
 * `session_replaced`) is never handed on: what is unanswered is sent again with the same ids, in ascending order,
 * before anything new, be it on this connection or on the next. A node makes of a repeat its first answer.
 */
export class RequestQueue {
  readonly #random: () => number;
  readonly #unanswered = new Map<number, Entry>();
  readonly #waiting: Entry[] = [];
  #transmit: Transmit | undefined;
  #nextId = 2;
  #refusals = 0;
  #resend: ReturnType<typeof setTimeout> | undefined;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /**
   * Resolves with the final answer, however many connections that takes; rejects with a `SignalingError`. So it does
   * at once, with `rate_limited`, where WAITING_MAX requests wait already.
   */
  request<Name extends RequestName>(name: Name, body: object): Promise<Replies[Name]> {
    if (this.#waiting.length >= WAITING_MAX) {
      const error = new SignalingError('rate_limited', `${WAITING_MAX} requests wait already; not sent.`);
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      const answered = (answer: Answer) =>
        answer.ok ? resolve(answer.reply as Replies[Name]) : reject(answer.error);
      this.#waiting.push({ id: this.#nextId++, name, body, answered, tries: 0 });
      this.#sendWaiting();
    });
  }

  /** The session is on this connection now. */
  attach(transmit: Transmit): void {
    this.detach();
    this.#transmit = transmit;
    this.#sendAll();
  }

  /** Nothing is sent until a connection is attached. Answers that are still on their way are taken. */
  detach(): void {
    this.#transmit = undefined;
    clearTimeout(this.#resend);
    this.#resend = undefined;
    this.#refusals = 0;
  }

  /** The session is over: everything unanswered is rejected with `error`, and another session's ids begin. */
  end(error: SignalingError): void {
    this.detach();
    const entries = [...this.#unanswered.values(), ...this.#waiting.splice(0)];
    this.#unanswered.clear();
    this.#nextId = 2;
    for (const entry of entries) entry.answered({ ok: false, error });
  }

  #sendAll(): void {
    for (const entry of [...this.#unanswered.values()]) this.#send(entry);
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    while (
      this.#transmit !== undefined &&
      this.#resend === undefined &&
      this.#unanswered.size < UNANSWERED_MAX
    ) {
      const entry = this.#waiting.shift();
      if (entry === undefined) return;
      this.#unanswered.set(entry.id, entry);
      this.#send(entry);
    }
  }

  #send(entry: Entry): void {
    const attempt = ++entry.tries;
    this.#transmit?.(entry.name, { id: entry.id, ...entry.body }, (answer) => {
      if (this.#unanswered.get(entry.id) !== entry) return;
      if (answer.ok || answer.error.isFinal) {
        this.#unanswered.delete(entry.id);
        this.#refusals = 0;
        entry.answered(answer);
        this.#sendWaiting();
      } else if (attempt === entry.tries) {
        // A refusal of an older sending says nothing: the newer one is still on its way.
        this.#resendLater(answer.error.retryAfterMs);
      }
    });
  }

  #resendLater(retryAfterMs: number | undefined): void {
    if (this.#resend !== undefined || this.#transmit === undefined) return;
    const delayMs = retryDelayMs(this.#refusals++, retryAfterMs, this.#random);
    this.#resend = setTimeout(() => {
      this.#resend = undefined;
      this.#sendAll();
    }, delayMs);
  }
}

/** How many requests may wait: more than a hundred people's connections need to begin all at once. */
export const WAITING_MAX = 4_096;

/** Puts one request on the current connection. */
export type Transmit = (name: RequestName, payload: object, answered: (answer: Answer) => void) => void;

interface Entry {
  readonly id: number;
  readonly name: RequestName;
  readonly body: object;
  readonly answered: (answer: Answer) => void;
  tries: number;
}
