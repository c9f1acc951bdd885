import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

import { capabilities } from '../support/capabilities.ts';
import { INGREDIENT_NAMES, malformedScriptOf, scriptOf } from './generate/script.ts';
import { parseOptions } from './options.ts';
import { scriptText } from './steps.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

async function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

const all = { seed: 17, without: new Set<never>() };

test.each([scriptOf, malformedScriptOf])(
  'the same seed makes the same decisions, another one others: %o',
  (make) => {
    const lives = (seed: number) =>
      JSON.stringify(Array.from({ length: 20 }, (_, index) => make(index, { ...all, seed })));
    expect(lives(17)).toEqual(lives(17));
    expect(lives(18)).not.toEqual(lives(17));
  },
);

test('connections do without what is left out', () => {
  const without = new Set(INGREDIENT_NAMES.filter((name) => name !== 'requests'));
  const texts = Array.from({ length: 200 }, (_, index) => scriptText(scriptOf(index, { ...all, without })));
  expect(texts.join('\n')).not.toMatch(/Redis|frame|fragments|deaf|times in one write|EIO=3/);
  for (const text of texts) expect(text.match(/packet "40/g)).toHaveLength(1);
});

test('every kind of request is sent', () => {
  const texts = Array.from({ length: 200 }, (_, index) => JSON.stringify(scriptOf(index, all).steps)).join(
    '\n',
  );
  for (const name of ['join', 'resume', 'leave', 'signal', 'message', 'update', 'moderate'])
    expect(texts).toContain(`[\\"${name}\\",{`);
});

test.each([
  [['--minutes', '0'], /--minutes "0" is not a number from 0.05/],
  [['--seed', 'x'], /--seed "x" is not a whole number/],
  [['--without', 'magic'], /--without "magic" is none of requests, /],
  [['--frobnicate'], /Unknown option '--frobnicate'; "npm run fuzz -- --help"/],
])('%j is refused, with the cure', (args, words) => {
  expect(() => parseOptions(args)).toThrow(words);
});

describe.skipIf(!capabilities.redisServer)('on clusters of its own', () => {
  test('nodes live, nobody honest notices, and all answers are as documented', {
    timeout: 120_000,
  }, async () => {
    const { code, output } = await run(['--seed', '17', '--minutes', '0.2', '--at-once', '32']);
    expect(output).toMatch(/^seed 17\n/);
    expect(output).toMatch(/nothing found\n$/);
    expect(code).toBe(0);
  });

  test('malformed packets by the thousand end no node', { timeout: 120_000 }, async () => {
    const { code, output } = await run(['--seed', '17', '--malformed', '10000', '--at-once', '32']);
    expect(output).toMatch(/nothing found\n$/);
    expect(code).toBe(0);
  });
});
