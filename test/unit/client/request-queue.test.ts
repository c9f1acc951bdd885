import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import {
  type Answer,
  RequestQueue,
  SignalingError,
  type Transmit,
  WAITING_MAX,
} from '../../../services/client/index.ts';

/** A node that answers when it is told to. */
function fakeNode() {
  const sent: { id: number; answer: (answer: Answer) => void }[] = [];
  const transmit: Transmit = (_, payload, answer) => {
    sent.push({ id: (payload as { id: number }).id, answer });
  };
  const ids = () => sent.map(({ id }) => id);
  const answer = (index: number, answer: Answer) => sent[index]?.answer(answer);
  return { transmit, ids, answer };
}

function attachedQueue() {
  const queue = new RequestQueue(() => 0);
  const node = fakeNode();
  queue.attach(node.transmit);
  return { queue, ...node };
}

const ok: Answer = { ok: true, reply: {} };
const refuse = (code: SignalingError['code'], retryAfterMs?: number): Answer => ({
  ok: false,
  error: new SignalingError(code, undefined, retryAfterMs),
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('requests are numbered on from the join without gaps', () => {
  const { queue, ids } = attachedQueue();
  for (const name of ['signal', 'update', 'leave'] as const) void queue.request(name, {});
  expect(ids()).toEqual([2, 3, 4]);
});

test('what was not answered for good is sent again with its id, in ascending order, before anything new', async () => {
  const { queue, ids, answer } = attachedQueue();
  const first = queue.request('update', {});
  void queue.request('update', {});
  answer(1, refuse('unavailable', 100));
  answer(0, refuse('unavailable', 100));
  void queue.request('update', {});
  expect(ids()).toEqual([2, 3]);
  await vi.advanceTimersByTimeAsync(99);
  expect(ids()).toEqual([2, 3]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ids()).toEqual([2, 3, 2, 3, 4]);
  answer(2, ok);
  await expect(first).resolves.toEqual({});
});

test('a refusal that comes after its request was sent again sends nothing a third time', async () => {
  const { queue, ids, answer } = attachedQueue();
  void queue.request('update', {});
  void queue.request('update', {});
  answer(0, refuse('rate_limited', 10));
  await vi.advanceTimersByTimeAsync(10);
  answer(1, refuse('rate_limited', 10)); // Of the first sending of 3, which is on its way anew.
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ids()).toEqual([2, 3, 2, 3]);
});

test('a final refusal is the answer', async () => {
  const { queue, ids, answer } = attachedQueue();
  const request = queue.request('signal', {});
  answer(0, refuse('peer_not_found'));
  await expect(request).rejects.toMatchObject({ code: 'peer_not_found' });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ids()).toEqual([2]);
});

test('at most 64 requests are unanswered, and the others follow as answers come', () => {
  const { queue, ids, answer } = attachedQueue();
  for (let count = 0; count < 70; count++) void queue.request('update', {});
  expect(ids()).toHaveLength(64);
  answer(3, ok);
  answer(4, ok);
  expect(ids().slice(64)).toEqual([66, 67]);
});

test('without a connection requests wait; on the next one what is unanswered comes first, under its ids', async () => {
  const { queue, ids, answer } = attachedQueue();
  const requests = [queue.request('update', {}), queue.request('message', {}), queue.request('signal', {})];
  answer(1, ok);
  queue.detach();
  void queue.request('update', {});
  answer(0, refuse('unavailable')); // As an ended connection does.
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ids()).toEqual([2, 3, 4]);

  const next = fakeNode();
  queue.attach(next.transmit);
  expect(next.ids()).toEqual([2, 4, 5]);
  next.answer(0, ok);
  next.answer(1, refuse('peer_not_found'));
  expect((await Promise.allSettled(requests)).map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
  ]);
});

test('an answer that the former connection still brings is taken, and a refusal by it is not', async () => {
  const { queue, answer } = attachedQueue();
  const request = queue.request('update', {});
  void queue.request('update', {});
  const next = fakeNode();
  queue.attach(next.transmit);
  answer(0, ok);
  answer(1, refuse('session_replaced', 10));
  await expect(request).resolves.toEqual({});
  await vi.advanceTimersByTimeAsync(10_000);
  expect(next.ids()).toEqual([2, 3]);
});

test('one more than may wait is refused at once, and takes no number', async () => {
  const queue = new RequestQueue(() => 0);
  for (let count = 0; count < WAITING_MAX; count++) void queue.request('update', {}).catch(() => {});
  await expect(queue.request('update', {})).rejects.toMatchObject({ code: 'rate_limited' });
  const { transmit, ids, answer } = fakeNode();
  queue.attach(transmit);
  for (let count = 0; count < WAITING_MAX; count++) answer(count, ok);
  void queue.request('update', {});
  expect(ids().at(-1)).toBe(WAITING_MAX + 2);
});

test('the end of a session ends its requests, answered or waiting', async () => {
  const { queue } = attachedQueue();
  const requests = Array.from({ length: 70 }, () => queue.request('update', {}));
  queue.end(new SignalingError('unavailable'));
  const outcomes = await Promise.allSettled(requests);
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);

  const next = fakeNode();
  queue.attach(next.transmit);
  void queue.request('update', {});
  expect(next.ids()).toEqual([2]); // Another session counts anew.
});
