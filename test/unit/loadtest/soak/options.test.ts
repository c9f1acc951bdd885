import { expect, test } from 'vitest';

import { parseOptions } from '../../../../services/loadtest/soak/options.ts';

test('a soak takes an hour where nothing else is asked', () => {
  expect(parseOptions([])).toMatchObject({ minutes: 60 });
  expect(parseOptions(['--minutes', '5', '--rate', '20'])).toMatchObject({ minutes: 5, rate: 20 });
});

test.each([[['--minutes', '0']], [['--churn', 'x']], [['--unheard-of']]])(
  '%j is refused with what would be right',
  (args) => {
    expect(() => parseOptions(args)).toThrow(/whole number|--help/);
  },
);
