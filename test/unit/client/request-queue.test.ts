import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { type Answer, RequestQueue, SignalingError } from '../../../services/client/index.ts';

/** A node that answers when it is told to. */
function fakeNode() {
  const sent: { id: number; name: string; answer: (answer: Answer) => void }[] = [];
  const queue = new RequestQueue(
    (name, payload, answer) => sent.push({ id: (payload as { id: number }).id, name, answer }),
    () => 0,
  );
  const ids = () => sent.map(({ id }) => id);
  const answer = (index: number, answer: Answer) => sent[index]?.answer(answer);
  return { queue, ids, answer };
}

const ok: Answer = { ok: true, reply: {} };
const refuse = (code: 'unavailable' | 'rate_limited' | 'peer_not_found', retryAfterMs?: number): Answer => ({
  ok: false,
  error: new SignalingError(code, undefined, retryAfterMs),
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('requests are numbered from 1 without gaps', () => {
  const { queue, ids } = fakeNode();
  for (const name of ['join', 'update', 'leave'] as const) void queue.request(name, {});
  expect(ids()).toEqual([1, 2, 3]);
});

test('what was not answered for good is sent again with its id, in ascending order, before anything new', async () => {
  const { queue, ids, answer } = fakeNode();
  const first = queue.request('update', {});
  void queue.request('update', {});
  answer(1, refuse('unavailable', 100));
  answer(0, refuse('unavailable', 100));
  void queue.request('update', {});
  expect(ids()).toEqual([1, 2]);
  await vi.advanceTimersByTimeAsync(99);
  expect(ids()).toEqual([1, 2]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ids()).toEqual([1, 2, 1, 2, 3]);
  answer(2, ok);
  await expect(first).resolves.toEqual({});
});

test('a refusal that comes after its request was sent again sends nothing a third time', async () => {
  const { queue, ids, answer } = fakeNode();
  void queue.request('update', {});
  void queue.request('update', {});
  answer(0, refuse('rate_limited', 10));
  await vi.advanceTimersByTimeAsync(10);
  answer(1, refuse('rate_limited', 10)); // Of the first sending of 2, which is on its way anew.
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ids()).toEqual([1, 2, 1, 2]);
});

test('a final refusal is the answer', async () => {
  const { queue, ids, answer } = fakeNode();
  const request = queue.request('signal', {});
  answer(0, refuse('peer_not_found'));
  await expect(request).rejects.toMatchObject({ code: 'peer_not_found' });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ids()).toEqual([1]);
});

test('at most 64 requests are unanswered, and the others follow as answers come', () => {
  const { queue, ids, answer } = fakeNode();
  for (let count = 0; count < 70; count++) void queue.request('update', {});
  expect(ids()).toHaveLength(64);
  answer(3, ok);
  answer(4, ok);
  expect(ids().slice(64)).toEqual([65, 66]);
});

test('the end of a session ends its requests, answered or waiting', async () => {
  const { queue } = fakeNode();
  const requests = Array.from({ length: 70 }, () => queue.request('update', {}));
  queue.end(new SignalingError('unavailable'));
  const outcomes = await Promise.allSettled(requests);
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
});
