import { within } from './deadline.ts';

/**
 * Carries out steps one after the other, in their order, whatever comes of each. One that takes too long has failed: what a
 * browser has not done by then it never does, and the next step is not to wait for it.
 */
export class StepQueue<Step extends string> {
  readonly #onFailed: (step: Step, error: unknown) => void;
  readonly #onDone: () => void;
  #tail: Promise<void> = Promise.resolve();
  #current: Step | undefined;
  #isClosed = false;

  /** `onDone` is called after each step, and after `onFailed` where it failed. */
  constructor(onFailed: (step: Step, error: unknown) => void, onDone: () => void) {
    this.#onFailed = onFailed;
    this.#onDone = onDone;
  }

  add(step: Step, run: () => Promise<unknown>): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#isClosed) return;
      this.#current = step;
      try {
        await within(STEP_TIMEOUT_MS, `The step ${step}`, run());
      } catch (error) {
        if (!this.#isClosed) this.#onFailed(this.#current, error);
      }
      if (!this.#isClosed) this.#onDone();
    });
  }

  /** What the present step goes on with; where it fails now, this has failed. */
  goOn(step: Step): void {
    this.#current = step;
  }

  /** Steps that wait are not carried out. */
  close(): void {
    this.#isClosed = true;
  }
}

/** Newer ICE servers, which a step may wait for, take two seconds at most. */
const STEP_TIMEOUT_MS = 6_000;
