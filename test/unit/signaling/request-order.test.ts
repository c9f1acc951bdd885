import { describe, expect, test } from 'vitest';
import { answerText, parseAnswer } from '../../../services/signaling/domain/answer.ts';
import { RecentAnswers } from '../../../services/signaling/domain/recent-answers.ts';
import { judge, type RequestMemory, remember } from '../../../services/signaling/domain/request-order.ts';

const answered = (seq: number) => ({ type: 'logged', seq }) as const;

function memoryAfter(ids: readonly number[]): RequestMemory {
  const fresh: RequestMemory = { generation: 1, lastId: 1, answers: new RecentAnswers() };
  for (const id of ids) remember(fresh, id, answered(id * 10));
  return fresh;
}

describe('Q1: the check order', () => {
  test.each([
    ['no session', undefined, 1, { id: 2, previousId: 1 }, { type: 'refuse', code: 'session_expired' }],
    [
      'another generation, even for a repeat',
      memoryAfter([2]),
      2,
      { id: 2, previousId: 1 },
      { type: 'refuse', code: 'session_replaced' },
    ],
    [
      'a repeat, even without its predecessor',
      memoryAfter([2]),
      1,
      { id: 2, previousId: 9 },
      { type: 'repeat', answer: answered(20) },
    ],
    [
      'a missing predecessor',
      memoryAfter([2]),
      1,
      { id: 4, previousId: 3 },
      { type: 'refuse', code: 'unavailable' },
    ],
    [
      'a higher last id than the predecessor',
      memoryAfter([2, 3]),
      1,
      { id: 4, previousId: 2 },
      { type: 'apply' },
    ],
    ['the next', memoryAfter([2]), 1, { id: 3, previousId: 2 }, { type: 'apply' }],
  ] as const)('%s', (_, memory, generation, request, verdict) => {
    expect(judge(memory, generation, request, ['logged'])).toEqual(verdict);
  });
});

test('Q3: the answers of the last 64 ids are kept', () => {
  const memory = memoryAfter(Array.from({ length: 100 }, (_, n) => n + 2));
  expect(memory.answers.size).toBe(64);
  expect(judge(memory, 1, { id: 38, previousId: 37 }, ['logged'])).toEqual({
    type: 'repeat',
    answer: answered(380),
  });
  expect(judge(memory, 1, { id: 37, previousId: 36 }, ['logged'])).toEqual({
    type: 'refuse',
    code: 'invalid_request',
  });
});

test.each([
  { type: 'sent', seq: 1 },
  { type: 'held', seq: 2 ** 52 },
  { type: 'logged', seq: 3 },
  { type: 'updated', seq: 4 },
  { type: 'refused', code: 'peer_not_found' },
] as const)('the answer %j survives being kept', (answer) => {
  expect(parseAnswer(answerText(answer))).toEqual(answer);
});
