import type { Answer } from './answer.ts';
import type { RecentAnswers } from './recent-answers.ts';

/** A request's place in its session. */
export interface RequestRef {
  readonly id: number;
  /** The session's greatest lower id that was handed to the backplane and has no final answer yet; 0: none (rule Q2). */
  readonly previousId: number;
}

/** What the backplane remembers of a session's requests. */
export interface RequestMemory {
  generation: number;
  lastId: number;
  readonly answers: RecentAnswers;
}

/**
 * `apply` it; or it was answered before; or it is refused without being consumed:
 * `unavailable` where its predecessor never arrived, `invalid_request` where its answer is no longer kept.
 */
export type Verdict =
  | { readonly type: 'apply' }
  | { readonly type: 'repeat'; readonly answer: Answer }
  | {
      readonly type: 'refuse';
      readonly code: 'session_expired' | 'session_replaced' | 'invalid_request' | 'unavailable';
    };

/**
 * The check order of rule Q1: session, generation, repeat, predecessor. The rule and the write come after. `kinds` are
 * the answers that a request of this kind may get: an id that was of another kind is no repeat.
 */
export function judge(
  memory: RequestMemory | undefined,
  generation: number,
  request: RequestRef,
  kinds: readonly Answer['type'][],
): Verdict {
  if (memory === undefined) return { type: 'refuse', code: 'session_expired' };
  if (memory.generation !== generation) return { type: 'refuse', code: 'session_replaced' };
  if (request.id <= memory.lastId) {
    const answer = memory.answers.get(request.id);
    if (answer === undefined || !kinds.includes(answer.type))
      return { type: 'refuse', code: 'invalid_request' };
    return { type: 'repeat', answer };
  }
  if (request.previousId > memory.lastId) return { type: 'refuse', code: 'unavailable' };
  return { type: 'apply' };
}

/** Keeps an answer for repeats: a final refusal consumes its id, too. In place: this is on every message's way. */
export function remember(memory: RequestMemory, id: number, answer: Answer): void {
  memory.lastId = Math.max(memory.lastId, id);
  memory.answers.set(id, answer);
}
