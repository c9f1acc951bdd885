import { expect, test } from 'vitest';

import { HELP, parseOptions } from '../../../services/loadtest/options.ts';
import { SCENARIO_NAMES } from '../../../services/loadtest/scenarios.ts';

function parsed(...args: string[]) {
  const options = parseOptions(args);
  if (options === 'help') throw new Error('help');
  return options;
}

test('what is named is taken', () => {
  const line = '--scenario kill --minutes 5 --rate 500 --pairs 50 --seed 7 --json report.json';
  expect(parsed(...line.split(' '))).toMatchObject({
    scenarios: ['kill'],
    durationMs: 300_000,
    rate: 500,
    pairs: 50,
    seed: 7,
    json: 'report.json',
  });
});

test('several scenarios, or all', () => {
  expect(parsed('--scenario', 'roll,storm').scenarios).toEqual(['roll', 'storm']);
  expect(parsed('--scenario', 'all').scenarios).toEqual(SCENARIO_NAMES.filter((name) => name !== 'calm'));
});

test('without a seed there is another one each time', () => {
  expect(parsed().seed).not.toBe(parsed().seed);
});

test('the help names every scenario', () => {
  expect(parseOptions(['--help'])).toBe('help');
  for (const name of SCENARIO_NAMES) expect(HELP).toContain(`  ${name} `);
});

test.each([
  [['--scenario', 'tornado'], /--scenario "tornado" is none of calm, kill, /],
  [['--rate', 'fast'], /--rate "fast" is not a whole number from 1 to 5000/],
  [['--minutes', '0'], /--minutes "0" is not a number from 0.1 to/],
  [['--nodes', '1'], /--nodes "1" is not a whole number from 2 to 8/],
  [['--speed', '1'], /Unknown option '--speed'.*lists the options/],
])('%s is refused with the cure', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
