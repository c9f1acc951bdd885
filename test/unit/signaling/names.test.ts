import {
  displayName,
  PEER_NAME_CHARS_MAX,
  parseRoomAddress,
  ROOM_NAME_CHARS_MAX,
  roomAddress,
  roomAddressFault,
} from '@fenghuo/protocol';
import { describe, expect, test } from 'vitest';

const ZWNJ = '\u200c';
const ZWJ = '\u200d';

describe('the name of a room', () => {
  test.each([
    ['plain', 'blue'],
    ['with dots alone', '..'],
    ['with a blank', 'new room'],
    ['as long as it may be, in emoji', '🔥'.repeat(ROOM_NAME_CHARS_MAX)],
    ['a family', '👨‍👩‍👧'],
    ['a family, and more', 'home 👨‍👩‍👧 sweet'],
    ['a rainbow flag, with a variation selector before the joiner', '🏳️‍🌈'],
    ['an emoji with a skin tone', '👩🏽‍⚕️'],
    ['Persian after a digit', `۱۰${ZWNJ}ساله`],
    ['Persian', `می${ZWNJ}خواهم`],
    ['Sinhala', `ශ්${ZWJ}රී`],
    ['Bengali, with a mark behind the joiner', `র${ZWJ}্যা`],
  ])('may be %s', (_, name) => {
    expect(parseRoomAddress(name)).toEqual({ name });
    expect(parseRoomAddress(`${name}@beijing`)).toEqual({ name, home: 'beijing' });
  });

  test.each([
    ['', 'empty'],
    ['@beijing', 'empty'],
    ['a'.repeat(ROOM_NAME_CHARS_MAX + 1), 'too_long'],
    [ZWJ, 'joiner'],
    [`${ZWJ}a`, 'joiner'],
    [`a${ZWNJ}`, 'joiner'],
    [`a${ZWNJ}@beijing`, 'joiner'],
    [`a${ZWJ}${ZWJ}b`, 'joiner'],
    [`a${ZWJ}${ZWNJ}b`, 'joiner'],
    [`a ${ZWJ} b`, 'joiner'],
    [`-${ZWJ}b`, 'joiner'],
    [`a${ZWJ}\ufe0fb`, 'joiner'],
    ['a{b', 'character'],
    ['a\u0000b', 'character'],
    ['a\u200bb', 'character'],
    ['a\u202eb', 'character'],
    ['a\ufeffb', 'character'],
    ['a\ue000', 'character'],
    ['e\u0301', 'not_nfc'],
    ['a@', 'home'],
    ['a@b c', 'home'],
    ['a@b@c', 'home'],
  ])('%j is none', (text, fault) => {
    expect(roomAddressFault(text)).toBe(fault);
    expect(parseRoomAddress(text)).toBeUndefined();
    expect(roomAddress.safeParse(text).success).toBe(false);
  });
});

describe('the name of a person', () => {
  test('loses what would turn the text around it, and nothing else', () => {
    expect(displayName.parse('\u202eeva\u202c \u2066x\u2069')).toBe('eva x');
    const names = ['שָׁלוֹם\u200f', `می${ZWNJ}خواهم`, '👨‍👩‍👧', ' '];
    for (const name of names) expect(displayName.parse(name)).toBe(name);
  });

  test('is counted without that', () => {
    const longest = '火'.repeat(PEER_NAME_CHARS_MAX);
    expect(displayName.parse(`\u202d${longest}\u202c`)).toBe(longest);
    expect(displayName.safeParse(`${longest}火`).success).toBe(false);
  });
});
