import { expect, test } from 'vitest';
import { randomTexts } from '../../../services/signaling/random-texts.ts';

test('texts are of the length that was asked for, no two alike, and none is of bytes that were used', () => {
  const randomText = randomTexts();
  const texts = Array.from({ length: 2_000 }, (_, n) => randomText(n % 2 === 0 ? 12 : 32));
  expect(new Set(texts).size).toBe(2_000);
  for (const [n, text] of texts.entries()) expect(text).toMatch(n % 2 === 0 ? /^[\w-]{16}$/ : /^[\w-]{43}$/);
  expect(texts.filter((text) => text.includes('A'.repeat(8)))).toEqual([]);
});
