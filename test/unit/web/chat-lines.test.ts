import { expect, test } from 'vitest';

import { addChatLine, type ChatLine, chatText } from '../../../services/web/chat-lines.ts';

function line(text: string, place: Partial<ChatLine> = {}): ChatLine {
  return { key: 0, who: 'Wei', isOwn: false, text, at: new Date(0), status: 'there', epoch: 1, ...place };
}

const order = (...lines: ChatLine[]) =>
  lines.reduce<readonly ChatLine[]>(addChatLine, []).map(({ text }) => text);

test('lines stand in the order of the room, whatever order they came in', () => {
  expect(order(line('a', { seq: 3 }), line('c', { seq: 9 }), line('b', { seq: 5 }))).toEqual(['a', 'b', 'c']);
});

test('what is still being sent stands last, and what was lost stays where it was', () => {
  const lost = line('lost', { status: 'lost' });
  const sending = line('sending', { status: 'sending' });
  expect(order(line('a', { seq: 1 }), lost, sending, line('b', { seq: 2 }))).toEqual([
    'a',
    'lost',
    'b',
    'sending',
  ]);
});

test('the numbers of another life of the room move nothing', () => {
  expect(order(line('before', { seq: 50 }), line('after', { seq: 2, epoch: 2 }))).toEqual([
    'before',
    'after',
  ]);
});

test('only a text is a chat message', () => {
  expect([null, 7, 'text', [], {}, { text: 7 }].map(chatText)).toEqual(Array(6).fill(undefined));
  expect(chatText({ text: 'hi' })).toBe('hi');
});
