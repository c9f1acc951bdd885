import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { wordsOf } from '../../../../services/loadtest/load/command.ts';
import { HELP, scenarioHelp } from '../../../../services/loadtest/load/help.ts';
import { type LoadOptions, parseOptions, UsageFailure } from '../../../../services/loadtest/load/options.ts';
import { SCENARIOS } from '../../../../services/loadtest/load/scenarios/index.ts';

const parse = (line: string): LoadOptions => parseOptions(wordsOf(line), 'now');

function faultsOf(line: string): readonly string[] {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof UsageFailure) return error.faults;
    throw error;
  }
  return [];
}

function file(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'fenghuo-test-load-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'file');
  writeFileSync(path, text);
  return path;
}

test('calls against what npm start prints is what nothing else is said of', () => {
  expect(parse('calls')).toMatchObject({
    targets: [{ url: 'http://127.0.0.1:3001' }, { url: 'http://127.0.0.1:3002' }],
    rate: 200,
    durationS: 30,
    outDir: 'load-results/calls-now',
    credentials: { kind: 'none' },
    isMetricsGuess: true,
  });
});

test('targets have a region and a node where they are labelled', () => {
  const { targets } = parse(
    'calls --url beijing=http://127.0.0.1:1/ --url "shanghai/s-1=https://b http://c"',
  );
  expect(targets).toEqual([
    { url: 'http://127.0.0.1:1', region: 'beijing' },
    { url: 'https://b', region: 'shanghai', node: 's-1' },
    { url: 'http://c' },
  ]);
});

test('everything that is wrong is told at once, by name', () => {
  const faults = faultsOf(
    'tornado --url ftp://x --rate fast --drop 3 --pairs 2 --rooms 2 --slo lots --what --json=1',
  );
  for (const name of [
    'tornado',
    '--url',
    '--rate',
    '--drop',
    '--pairs and --rooms',
    '--slo',
    '--what',
    '--json',
  ])
    expect(faults.filter((fault) => fault.includes(name)).length).toBeGreaterThan(0);
});

describe('a fault that is told', () => {
  test.each([
    ['', /no scenario named; give one of calls, mesh/],
    ['calls storm', /"storm": one scenario a run/],
    ['calls --seed', /--seed needs a value/],
    ['calls --duration 5', /write it like 30s/],
    ['calls --duration 5s --duration 6s', /--duration is given twice/],
    ['calls --drop 5%', /--drop means nothing for calls/],
    ['calls --across', /--across means nothing for calls/],
    ['calls --pairs 3', /--pairs means nothing for calls: --rate says it all/],
    ['regions --url http://x', /--url means nothing for regions: it starts a cluster of its own/],
    ['calls --listen 1', /go together/],
    ['calls --token-file /nowhere', /cannot read \/nowhere: ENOENT/],
    ['calls --token a --jwt-secret-file /nowhere', /--token and --jwt-secret-file: give one/],
    ['storm --drop 0%', /--drop "0%" is no share/],
    ['outage', /--stop-command is missing/],
    ['outage --stop-command "a \'b"', /a quote that does not end/],
    ['drain', /--admin-token-file is missing/],
    ['soak --url http://x', /--metrics is missing/],
    ['abuse --workers 1', /--workers "1" is not a whole number from 2/],
    ['calls --slo relay_p98<1ms', /there is no metric "relay_p98"/],
  ])('%s', (line, expected) => {
    expect(faultsOf(line)).toEqual(expect.arrayContaining([expect.stringMatching(expected)]));
  });
});

test('no secret is kept in the record of the command line', () => {
  const path = file('a-token-that-nobody-may-see');
  const { shown, credentials } = parse(`idle --token-file ${path} --rate 5`);
  expect(credentials).toEqual({ kind: 'token', token: 'a-token-that-nobody-may-see' });
  expect(shown).toEqual({ rate: '5' });
});

test('as many workers are taken as connections need', () => {
  expect(parse('idle --connections 20000').workers).toBeGreaterThanOrEqual(2);
  expect(parse('idle --connections 20000 --workers 5').workers).toBe(5);
});

test('the help of each scenario names its own options, and not those of others', () => {
  for (const scenario of SCENARIOS) {
    const text = scenarioHelp(scenario);
    for (const flag of scenario.flags) expect(text).toContain(`--${flag} `);
    expect(HELP).toContain(scenario.text);
    if (!scenario.flags.includes('drop')) expect(text).not.toContain('--drop ');
  }
});

test('a command is split into words as people write them', () => {
  expect(wordsOf(`docker  stop 'my redis' "" a"b c"d`)).toEqual(['docker', 'stop', 'my redis', '', 'ab cd']);
});
