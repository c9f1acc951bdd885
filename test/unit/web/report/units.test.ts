import { describe, expect, test } from 'vitest';

import {
  bytesText,
  clockText,
  momentText,
  ratioText,
  shareText,
  timeText,
} from '../../../../services/web/report/index.ts';

describe('figures of a load test', () => {
  test.each([
    [0, '0 ms'],
    [0.0004, '0.4 µs'],
    [0.4213, '421 µs'],
    [1, '1 ms'],
    [81.26, '81.3 ms'],
    [999, '999 ms'],
    [2_412, '2.41 s'],
  ])('have %d ms as %s', (ms, text) => expect(timeText(ms)).toBe(text));

  test.each([
    [512, '512 B'],
    [16_589, '16.2 KiB'],
    [1_310_720, '1.25 MiB'],
    [-2_048, '-2 KiB'],
  ])('have %d bytes as %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

  test.each([
    [1, '100 %'],
    [0.5, '50 %'],
    [0.99999, '99.999 %'],
    [0.9999999, '99.99999 %'],
    [0.00024, '0.02 %'],
    [0, '0 %'],
  ])('never round %d up to what it is not: %s', (share, text) => expect(shareText(share)).toBe(text));

  test.each([
    [8.53, '8.5 s'],
    [599.9, '599.9 s'],
    [600, '10:00'],
    [3_725, '1:02:05'],
  ])('have the moment %d as %s', (seconds, text) => expect(momentText(seconds)).toBe(text));

  test('have minutes below an hour, and ratios', () => {
    expect(clockText(65)).toBe('1:05');
    expect(ratioText(1.25)).toBe('×1.25');
  });
});
