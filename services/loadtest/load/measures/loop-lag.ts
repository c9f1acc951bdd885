import { TimeHistogram } from './histogram.ts';

const SAMPLE_MS = 10;

/** By how much this process's event loop is late, looked at a hundred times a second. */
export class LoopLag {
  /** Of the time that is judged. */
  readonly whole = new TimeHistogram();
  /** Since it was last emptied. */
  readonly recent = new TimeHistogram();
  #isJudged = false;
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    let dueMs = performance.now() + SAMPLE_MS;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      const lateMs = Math.max(0, nowMs - dueMs);
      // A stall of 200 ms is twenty looks that were late, not one: whoever is to be timed meanwhile is late, too.
      for (let behindMs = lateMs; ; behindMs -= SAMPLE_MS) {
        this.#record(Math.max(0, behindMs));
        if (behindMs < SAMPLE_MS) break;
      }
      dueMs = nowMs + SAMPLE_MS;
    }, SAMPLE_MS);
  }

  /** From now on it counts: what came before was getting ready. */
  judge(isJudged: boolean): void {
    this.#isJudged = isJudged;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #record(lateMs: number): void {
    this.recent.record(lateMs);
    if (this.#isJudged) this.whole.record(lateMs);
  }
}
