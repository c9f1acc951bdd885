/** What is to be started at a time that was fixed before, and does not move, whatever becomes of what was started earlier. */
export class Agenda {
  /** A binary heap, the next one first. */
  readonly #entries: Entry[] = [];
  readonly #lateMs: number;
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #started = 0;
  #lateStarts = 0;
  #isStopped = false;
  #isJudged = true;

  /** A start is late where it comes more than so many milliseconds after its time. */
  constructor(lateMs: number) {
    this.#lateMs = lateMs;
  }

  get started(): number {
    return this.#started;
  }

  get lateStarts(): number {
    return this.#lateStarts;
  }

  /** Whether starts are counted from now on. */
  judge(isJudged: boolean): void {
    this.#isJudged = isJudged;
  }

  /** `dueMs` is of the clock of `performance.now`. */
  at(dueMs: number, start: (dueMs: number) => void): void {
    if (this.#isStopped) return;
    push(this.#entries, { dueMs, start });
    this.#arm();
  }

  /** Starts the same thing at each of these times, which rise, counted from `fromMs`. */
  follow(fromMs: number, timesMs: Iterator<number>, start: (dueMs: number) => void): void {
    const next = () => {
      const time = timesMs.next();
      if (time.done) return;
      this.at(fromMs + time.value, (dueMs) => {
        next();
        start(dueMs);
      });
    };
    next();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#entries.length = 0;
  }

  #arm(): void {
    const [first] = this.#entries;
    if (first === undefined || first.dueMs >= this.#timerDueMs) return;
    clearTimeout(this.#timer);
    this.#timerDueMs = first.dueMs;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, first.dueMs - performance.now()));
  }

  #run(): void {
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    for (;;) {
      const [first] = this.#entries;
      const nowMs = performance.now();
      // A timer may fire up to a millisecond early.
      if (first === undefined || first.dueMs > nowMs + 1) break;
      pop(this.#entries);
      if (this.#isJudged) {
        this.#started += 1;
        if (nowMs - first.dueMs > this.#lateMs) this.#lateStarts += 1;
      }
      first.start(first.dueMs);
    }
    this.#arm();
  }
}

interface Entry {
  readonly dueMs: number;
  readonly start: (dueMs: number) => void;
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if ((heap[parent] as Entry).dueMs <= entry.dueMs) break;
    heap[index] = heap[parent] as Entry;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop() as Entry;
  if (heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as Entry).dueMs < (heap[child] as Entry).dueMs)
      child += 1;
    if ((heap[child] as Entry).dueMs >= last.dueMs) break;
    heap[index] = heap[child] as Entry;
    index = child;
  }
  heap[index] = last;
}
