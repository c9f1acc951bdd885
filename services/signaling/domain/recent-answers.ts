import { UNANSWERED_MAX } from '@fenghuo/protocol';
import type { Answer } from './answer.ts';

/** What most answers are kept as: one number, since each of them would else be an object that outlives its request. */
const TYPES = ['sent', 'held', 'logged', 'updated', 'moderated'] as const;

/** The final answers of a session's newest requests, by id (rule Q3): one that is 64 ids newer takes an older one's place. */
export class RecentAnswers implements Iterable<[number, Answer]> {
  readonly #ids: number[] = [];
  readonly #answers: (number | Answer)[] = [];

  constructor(answers: Iterable<readonly [number, Answer]> = []) {
    for (const [id, answer] of answers) this.set(id, answer);
  }

  set(id: number, answer: Answer): void {
    const place = id % UNANSWERED_MAX;
    this.#ids[place] = id;
    this.#answers[place] =
      answer.type === 'refused' ? answer : answer.seq * TYPES.length + TYPES.indexOf(answer.type);
  }

  get(id: number): Answer | undefined {
    const place = id % UNANSWERED_MAX;
    const kept = this.#ids[place] === id ? this.#answers[place] : undefined;
    if (typeof kept !== 'number') return kept;
    const type = TYPES[kept % TYPES.length] as (typeof TYPES)[number];
    return { type, seq: Math.floor(kept / TYPES.length) };
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  delete(id: number): void {
    if (this.has(id)) this.#ids[id % UNANSWERED_MAX] = 0;
  }

  clear(): void {
    this.#ids.length = 0;
    this.#answers.length = 0;
  }

  get size(): number {
    return this.keys().length;
  }

  /** Ascending. */
  keys(): number[] {
    return this.#ids.filter((id) => id > 0).sort((a, b) => a - b);
  }

  *[Symbol.iterator](): Generator<[number, Answer]> {
    for (const id of this.keys()) yield [id, this.get(id) as Answer];
  }
}
