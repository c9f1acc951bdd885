import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { redisAdapter } from '../../../services/signaling/backplane/redis/adapter.ts';
import { redisKeys } from '../../../services/signaling/backplane/redis/keys.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The adapter's subscriber, and the commands that it sent. */
function openScene() {
  const sent: string[] = [];
  const send = async (...channels: string[]) => void sent.push(channels.join(' '));
  const subscriber = Object.assign(new EventEmitter(), {
    isCluster: false,
    ssubscribe: send,
    sunsubscribe: send,
  });
  const clients = { adapterPublisher: { spublish: async () => 1 }, adapterSubscriber: subscriber };
  redisAdapter(clients as never, redisKeys('test'), () => {});
  return { subscriber, sent };
}

test('one channel is subscribed to by the end of the turn; in a crowd, those of twenty milliseconds are one command', () => {
  const { subscriber, sent } = openScene();
  void subscriber.ssubscribe('first');
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(['first']);
  for (const channel of ['a', 'b', 'c']) {
    void subscriber.ssubscribe(channel);
    vi.advanceTimersByTime(5);
  }
  expect(sent).toEqual(['first']);
  vi.advanceTimersByTime(5);
  expect(sent).toEqual(['first', 'a b c']);
});

test('a channel that is let go meanwhile is not subscribed to, and all others anew when the connection is', () => {
  const { subscriber, sent } = openScene();
  for (const channel of ['a', 'b', 'c']) void subscriber.ssubscribe(channel);
  void subscriber.sunsubscribe('b');
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(['a c', 'b']);
  subscriber.emit('ready');
  expect(sent.at(-1)).toBe('a c');
});
