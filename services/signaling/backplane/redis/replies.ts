import { ERRORS, type Peer, peer as peerSchema } from '@fenghuo/protocol';
import { type Answer, parseAnswer } from '../../domain/answer.ts';
import { ok, type Refusal, type Result, refuse } from '../../domain/result.ts';
import type { OnMalformed, ReadValue } from '../malformed.ts';

/**
 * Reads what Redis replied. Whatever `read` throws, the reply is none that our scripts give for what our nodes write:
 * it is counted, and the outcome is unknown (rule Q1).
 */
export function reading<Value>(
  what: ReadValue,
  onMalformed: OnMalformed,
  read: () => Value,
): Result<Value, 'unavailable'> {
  try {
    return ok(read());
  } catch {
    onMalformed(what);
    return refuse('unavailable');
  }
}

/** A list of texts, at least so many. */
export function textsIn(reply: unknown, least = 0): string[] {
  if (!Array.isArray(reply) || reply.length < least || !reply.every((each) => typeof each === 'string'))
    throw new Error('not a list of texts');
  return reply;
}

export function textIn(reply: unknown): string {
  if (typeof reply !== 'string') throw new Error('not a text');
  return reply;
}

/** An integer from 0. */
export function countIn(reply: unknown): number {
  const count = reply === '' ? Number.NaN : Number(reply);
  if (!Number.isSafeInteger(count) || count < 0) throw new Error('not a count');
  return count;
}

export function peerIn(json: unknown): Peer {
  const peer: unknown = JSON.parse(textIn(json));
  // As it came: members that a newer version added are passed on.
  if (!peerSchema.safeParse(peer).success) throw new Error('not a peer');
  return peer as Peer;
}

export function answerIn(text: unknown): Answer {
  const answer = parseAnswer(textIn(text));
  if (answer === undefined) throw new Error('not an answer');
  return answer;
}

/**
 * What a script refuses: `!<code>`, behind it after how many milliseconds to try again; or an answer that is kept, `E<code>`.
 * A refusal that nobody knows says nothing of the outcome.
 */
export function refusal<Code extends string>(text: string): Refusal<Code | 'unavailable'> {
  const [code = '', retryAfterMs] = text.slice(1).split(' ');
  if (!isKnown(code)) return refuse('unavailable');
  return refuse(code as Code, retryAfterMs === undefined ? undefined : countIn(retryAfterMs));
}

const OURS: readonly string[] = ['room_not_found'];

function isKnown(code: string): boolean {
  return Object.hasOwn(ERRORS, code) || OURS.includes(code);
}
