export interface PollerOptions {
  readonly everyMs: number;
  /** The longest wait between two tries that fail. */
  readonly everyMsMax: number;
  /** Looks once, and says whether that worked. Aborted: its outcome counts for nothing. Must not reject. */
  readonly look: (signal: AbortSignal) => Promise<boolean>;
  /** A look failed; the next one comes in so many milliseconds. */
  readonly onFailure?: (retryInMs: number) => void;
}

/** Looks again and again, one look at a time; less often while looking fails; not at all while paused. */
export class Poller {
  readonly #options: PollerOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #current: AbortController | undefined;
  #isRunning = false;
  #failures = 0;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Looks now, and from now on. A look that is under way is dropped for the new one. */
  start(): void {
    this.stop();
    this.#isRunning = true;
    void this.#look();
  }

  stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    this.#current?.abort();
    this.#current = undefined;
  }

  /** Something has changed: looks now, where it is looking at all. */
  hurry(): void {
    if (this.#isRunning) this.start();
  }

  async #look(): Promise<void> {
    const current = new AbortController();
    this.#current = current;
    const worked = await this.#options.look(current.signal);
    if (current.signal.aborted) return;
    this.#failures = worked ? 0 : this.#failures + 1;
    const { everyMs, everyMsMax, onFailure } = this.#options;
    const waitMs = Math.min(everyMs * 2 ** this.#failures, everyMsMax);
    if (!worked) onFailure?.(waitMs);
    if (current.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#look(), waitMs);
  }
}
