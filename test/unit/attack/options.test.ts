import { expect, test } from 'vitest';

import { ATTACKS } from '../../attack/attacks/index.ts';
import { parseOptions } from '../../attack/options.ts';

const chosen = (...args: string[]) => {
  const options = parseOptions(args);
  return typeof options === 'string' ? options : options.attacks.map(({ id }) => id);
};

test('every attack has a name of its own, and each row of the table has one', () => {
  const ids = ATTACKS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const row of ['A1', 'A3', 'B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'B7', 'B8', 'FLOOD'])
    expect(ids).toContain(row);
});

test('all run where none is named', () => {
  expect(chosen()).toHaveLength(ATTACKS.length);
});

test('a name chooses one attack, with a star all of its kind', () => {
  expect(chosen('--only', 'B1')).toEqual(['B1']);
  expect(chosen('--only', 'A2*,B5')).toEqual(['A2-es256', 'A2-eddsa', 'A2-rs256', 'B5']);
});

test.each([[['--only', 'Z9']], [['--seconds', '0']], [['--seconds', '1.5']], [['--unheard-of']]])(
  '%j is refused with what would be right',
  (args) => {
    expect(() => parseOptions(args)).toThrow(/--list|whole number|--help/);
  },
);
