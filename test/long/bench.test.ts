import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';
import type { Result } from '../bench/result.ts';
import { capabilities } from '../support/capabilities.ts';

const MAIN = fileURLToPath(new URL('../bench/main.ts', import.meta.url));
const PAIRS = 200;

/** Runs `npm run bench` without npm. Its files go to a folder that is gone with the test. */
async function bench(...args: readonly string[]) {
  const dir = mkdtempSync(join(tmpdir(), 'fenghuo-bench-'));
  const child = spawn(process.execPath, [MAIN, ...args, '--out', dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output, errors, file: (name: string) => readFileSync(join(dir, name), 'utf8') };
}

test.skipIf(!capabilities.redisServer)(
  'the bench runs, and counts every message that it sends',
  { timeout: 120_000 },
  async () => {
    const contestants = ['fenghuo', 'socket.io-memory'];
    const run = await bench(
      ...['--quick', '--rounds', '1', '--parts', 'pairs,wide', '--only', contestants.join(','), '--json'],
    );
    expect(run.code, run.errors).toBe(0);
    const { rows, ratios } = JSON.parse(run.output) as Result;
    expect(rows.map(({ name, faults }) => ({ name, faults }))).toEqual(
      contestants.map((name) => ({ name, faults: [] })),
    );
    for (const { figures } of rows) {
      expect(figures.delivered).toEqual(figures.sent);
      expect(figures.delivered?.median).toBeGreaterThan(PAIRS);
    }
    const toMemory = ratios.filter(
      ({ against, spread }) => against === 'socket.io-memory' && spread !== undefined,
    );
    expect(toMemory).toHaveLength(1);
    expect(JSON.parse(run.file('bench.json'))).toEqual(JSON.parse(run.output));
    expect(run.file('bench.md')).toContain('| saturation: messages/s');
    expect(run.file('bench.html')).toContain('<svg');
  },
);

test('the bench names an option that it does not know, and what to do', async () => {
  const run = await bench('--only', 'carrier-pigeons');
  expect(run.code).toBe(1);
  expect(run.errors).toMatch(
    /^fenghuo: --only "carrier-pigeons" is none of fenghuo, .*; give one of them\.$/m,
  );
});
