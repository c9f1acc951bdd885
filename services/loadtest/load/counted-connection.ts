import type { Answer, Connection } from '../connection.ts';

export interface ConnectionCounts {
  /** It was closed from here, and once. */
  closed(): void;
  joined(tookMs: number): void;
}

/** A connection whose end and answers are counted. */
export class CountedConnection implements Connection {
  readonly #inner: Connection;
  readonly #counts: ConnectionCounts;

  constructor(inner: Connection, counts: ConnectionCounts) {
    this.#inner = inner;
    this.#counts = counts;
  }

  get endpoint(): string {
    return this.#inner.endpoint;
  }

  get isOpen(): boolean {
    return this.#inner.isOpen;
  }

  get heardMs(): number {
    return this.#inner.heardMs;
  }

  ask(name: string, payload: object, answered: (answer: Answer) => void): void {
    // A signal's time begins before it comes here; only a join is timed here.
    if (name !== 'join') {
      this.#inner.ask(name, payload, answered);
      return;
    }
    const fromMs = performance.now();
    this.#inner.ask(name, payload, (answer) => {
      if (answer.ok) this.#counts.joined(performance.now() - fromMs);
      answered(answer);
    });
  }

  close(): void {
    // One that was lost before has been counted then.
    if (this.#inner.isOpen) this.#counts.closed();
    this.#inner.close();
  }

  cut(): void {
    this.#inner.cut();
  }
}
