import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

import type { Result } from '../../services/loadtest/load/report/index.ts';

const MAIN = fileURLToPath(new URL('../../services/loadtest/load/main.ts', import.meta.url));

export interface LoadRun {
  /** What it has printed until now. */
  output(): string;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  /** Once it has ended. */
  result(): Result;
  kill(signal: NodeJS.Signals): void;
}

/** Runs `npm run load` without npm; its results go to `folder`, or to one that is removed after the test. */
export function startLoad(args: readonly string[], folder?: string): LoadRun {
  const dir = mkdtempSync(join(tmpdir(), 'fenghuo-test-load-'));
  const out = args[0] === 'worker' ? [] : ['--out', folder ?? dir];
  const child = spawn(process.execPath, [MAIN, ...args, ...out], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    output: () => output,
    ended: new Promise((resolve) => child.once('close', resolve)),
    result: () => JSON.parse(readFileSync(join(dir, 'result.json'), 'utf8')) as Result,
    kill: (signal) => void child.kill(signal),
  };
}
