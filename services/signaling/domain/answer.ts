import { ERRORS, type ErrorCode } from '@fenghuo/protocol';

/**
 * The final answer to a request, kept with the session so that a repeat gets its own first answer (rule Q3).
 * Its text is what the room's state holds: a letter and a seq, or `E` and an error code.
 */
export type Answer =
  | { readonly type: 'sent' | 'held' | 'logged' | 'updated' | 'moderated'; readonly seq: number }
  | { readonly type: 'refused'; readonly code: ErrorCode };

const LETTERS = { sent: 'S', held: 'H', logged: 'L', updated: 'U', moderated: 'M' } as const;
const TYPES = { S: 'sent', H: 'held', L: 'logged', U: 'updated', M: 'moderated' } as const;

export function answerText(answer: Answer): string {
  return answer.type === 'refused' ? `E${answer.code}` : `${LETTERS[answer.type]}${answer.seq}`;
}

/** Undefined where the text is no answer. */
export function parseAnswer(text: string): Answer | undefined {
  const letter = text.charAt(0);
  const rest = text.slice(1);
  if (letter === 'E')
    return Object.hasOwn(ERRORS, rest) ? { type: 'refused', code: rest as ErrorCode } : undefined;
  const type = Object.hasOwn(TYPES, letter) ? TYPES[letter as keyof typeof TYPES] : undefined;
  const seq = Number(rest);
  return type === undefined || rest === '' || !Number.isSafeInteger(seq) ? undefined : { type, seq };
}
