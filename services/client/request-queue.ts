import { type Replies, type RequestName, UNANSWERED_MAX } from '@fenghuo/protocol';
import { retryDelayMs } from './backoff.ts';
import type { Answer } from './signaling-connection.ts';
import type { SignalingError } from './signaling-error.ts';

/**
 * The numbered requests of one session. Ids count up from 1; at most 64 are unanswered, the others wait. An
 * answer that is not final (`unavailable`, `rate_limited`, `draining`) is never handed on: what is unanswered is
 * sent again with the same ids, in ascending order, before anything new. A node makes of a repeat its first answer.
 */
export class RequestQueue {
  readonly #transmit: Transmit;
  readonly #random: () => number;
  readonly #unanswered = new Map<number, Entry>();
  readonly #waiting: Entry[] = [];
  #nextId = 1;
  #refusals = 0;
  #resend: ReturnType<typeof setTimeout> | undefined;

  constructor(transmit: Transmit, random: () => number = Math.random) {
    this.#transmit = transmit;
    this.#random = random;
  }

  /** Resolves with the final answer; rejects with a `SignalingError`. */
  request<Name extends RequestName>(name: Name, body: object): Promise<Replies[Name]> {
    return new Promise((resolve, reject) => {
      this.enqueue(name, body, (answer) => (answer.ok ? resolve(answer.reply) : reject(answer.error)));
    });
  }

  /** Like `request`, with a callback that runs before any event that came after the answer. */
  enqueue<Name extends RequestName>(
    name: Name,
    body: object,
    answered: (answer: Answer<Name>) => void,
  ): void {
    const id = this.#nextId++;
    this.#waiting.push({ id, name, body, answered: answered as (answer: Answer) => void, tries: 0 });
    this.#sendWaiting();
  }

  /** The session is over: everything unanswered is rejected with `error`. */
  end(error: SignalingError): void {
    clearTimeout(this.#resend);
    const entries = [...this.#unanswered.values(), ...this.#waiting.splice(0)];
    this.#unanswered.clear();
    for (const entry of entries) entry.answered({ ok: false, error });
  }

  #sendWaiting(): void {
    while (this.#resend === undefined && this.#unanswered.size < UNANSWERED_MAX) {
      const entry = this.#waiting.shift();
      if (entry === undefined) return;
      this.#unanswered.set(entry.id, entry);
      this.#send(entry);
    }
  }

  #send(entry: Entry): void {
    const attempt = ++entry.tries;
    this.#transmit(entry.name, { id: entry.id, ...entry.body }, (answer) => {
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
    if (this.#resend !== undefined) return;
    const delayMs = retryDelayMs(this.#refusals++, retryAfterMs, this.#random);
    this.#resend = setTimeout(() => {
      this.#resend = undefined;
      for (const entry of [...this.#unanswered.values()]) this.#send(entry);
      this.#sendWaiting();
    }, delayMs);
  }
}

/** Puts one request on the current connection. */
export type Transmit = (name: RequestName, payload: object, answered: (answer: Answer) => void) => void;

interface Entry {
  readonly id: number;
  readonly name: RequestName;
  readonly body: object;
  readonly answered: (answer: Answer) => void;
  tries: number;
}
