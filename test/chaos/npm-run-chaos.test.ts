import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

import { capabilities } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';

const MAIN = fileURLToPath(new URL('../../services/loadtest/chaos.ts', import.meta.url));
const STOPPED_WITHIN_MS = 5_000;

interface Run {
  readonly mark: string;
  /** Where it puts what it writes. */
  readonly folder: string;
  readonly child: ChildProcess;
  output(): string;
  readonly ended: Promise<number | null>;
}

/** Runs `npm run chaos` without npm. What it starts inherits its mark, or (Redis) runs in its folder. */
function start(args: readonly string[], env: Record<string, string> = {}): Run {
  const mark = `npm-run-chaos-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const folder = mkdtempSync(join(tmpdir(), 'fenghuo-test-chaos-'));
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, FENGHUO_TEST_MARK: mark, TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { mark, folder, child, output: () => output, ended };
}

function processesOf({ mark, folder }: Run): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return environment.includes(mark) || readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      return false; // It has ended meanwhile.
    }
  });
}

test('a wrong option is named, with the cure, in one line', async () => {
  const run = start(['--scenario', 'tornado']);
  expect(await run.ended).toBe(1);
  expect(run.output()).toMatch(/^fenghuo: --scenario "tornado" is none of calm, kill, [^\n]+\n$/);
});

test('without a redis-server it says so', async () => {
  const run = start([], { PATH: '/nonexistent' });
  expect(await run.ended).toBe(1);
  expect(run.output()).toMatch(/fenghuo: no redis-server or valkey-server on the PATH; install one/);
});

describe.skipIf(!capabilities.redisServer)('called off', () => {
  test.each(['SIGINT', 'SIGKILL'] as const)(
    'by %s while a node hangs, it leaves nothing running',
    async (signal) => {
      const run = start(['--scenario', 'hang', '--pairs', '2', '--rate', '20', '--seed', '1']);
      await eventually(() => /hang of \S+ for/.test(run.output()), {
        timeoutMs: 40_000,
        what: 'a node hangs',
      });
      // Itself, three nodes, Redis, and the guards that end those should it be killed.
      expect(processesOf(run).length).toBeGreaterThan(5);
      run.child.kill(signal);
      await run.ended;
      await eventually(() => processesOf(run).length === 0 && readdirSync(run.folder).length === 0, {
        timeoutMs: STOPPED_WITHIN_MS,
        what: 'nodes, Redis and what they wrote are gone with the run',
      });
      if (signal === 'SIGINT') expect(run.output()).toMatch(/fenghuo: called off\n$/);
    },
  );
});
