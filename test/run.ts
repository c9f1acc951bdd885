// `npm test`, and `npm run test:long`: installs what the tests need where it can, runs every part, and ends with what ran and what could not.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

import { installMissing } from './support/apt.ts';
import { audit } from './support/audit.ts';
import { CAPABILITIES_VARIABLE, probeCapabilities } from './support/capabilities.ts';
import { SHARED_REDIS_REPORT, type SharedRedisReport } from './support/global-setup.ts';
import { type Missing, missingParts } from './support/missing.ts';
import { countResults, type Results } from './support/results.ts';

interface Part {
  readonly name: string;
  readonly isOk: boolean;
  readonly seconds: number;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = fileURLToPath(new URL('output/vitest.json', import.meta.url));
const isCi = process.env.CI === 'true' || process.env.CI === '1';

async function main(): Promise<void> {
  stopOnSignals();
  const capabilities = installMissing(probeCapabilities(), say);
  mkdirSync(fileURLToPath(new URL('output', import.meta.url)), { recursive: true });
  for (const stale of [RESULTS, SHARED_REDIS_REPORT]) rmSync(stale, { force: true });

  const vitest = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`];
  const parts = [
    await runPart('lint', 'biome', ['check', '.']),
    await runPart('types', 'tsc', ['--noEmit']),
    await runPart('tests', 'vitest', [...vitest, ...chosen(process.argv.slice(2))], {
      [CAPABILITIES_VARIABLE]: JSON.stringify(capabilities),
      TESTCONTAINERS_RYUK_DISABLED: 'true',
    }),
  ];
  const unasked = isCi ? await runAudit(parts) : [];
  const missing = [...missingParts(capabilities, sharedRedisReport()), ...unasked];
  const results = countResults(RESULTS, parts);
  printSummary(parts, missing, results);
  const isOk = results.failed === 0 && parts.every((part) => part.isOk);
  const mayMiss = !isCi || missing.every((part) => part.isAllowed);
  process.exitCode = isOk && mayMiss ? 0 : 1;
}

/** What takes minutes runs where somebody asks for it. */
function chosen(args: readonly string[]): readonly string[] {
  const isProjectNamed = args.some((arg) => arg.startsWith('--project'));
  return isProjectNamed ? args : ['--project=!long', ...args];
}

async function runPart(
  name: string,
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Part> {
  say(`\n== ${name}: ${command} ${args[0] ?? ''}`);
  const startedAt = performance.now();
  const code = await run(command, args, env);
  return { name, isOk: code === 0, seconds: (performance.now() - startedAt) / 1000 };
}

/** Where it runs unattended, a known advisory fails the run; a machine that cannot ask says so, and passes. */
async function runAudit(parts: Part[]): Promise<Missing[]> {
  say('\n== audit: npm audit --omit=dev');
  const startedAt = performance.now();
  const found = await audit(root);
  if (found.type === 'unasked')
    return [{ what: 'known advisories of the packages', why: found.why, isAllowed: true }];
  for (const advisory of found.known) say(advisory);
  const seconds = (performance.now() - startedAt) / 1000;
  parts.push({ name: 'audit', isOk: found.known.length === 0, seconds });
  return [];
}

/** Runs a command of node_modules/.bin, on the Node that runs this. */
function run(command: string, args: readonly string[], env: Record<string, string>): Promise<number> {
  const bin = `${root}node_modules/.bin`;
  return new Promise((resolve) => {
    const child = spawn(`${bin}/${command}`, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PATH: `${bin}:${process.env.PATH ?? ''}`, ...env },
    });
    running = child;
    child.on('error', (error) => {
      say(`${command} could not be run: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

let running: ReturnType<typeof spawn> | undefined;

/** A stopped run stops what runs, and counts as failed. */
function stopOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      const code = 128 + constants.signals[signal];
      if (running === undefined || running.exitCode !== null) process.exit(code);
      running.once('exit', () => process.exit(code));
      running.kill(signal);
    });
  }
}

function sharedRedisReport(): SharedRedisReport | undefined {
  if (!existsSync(SHARED_REDIS_REPORT)) return undefined;
  return JSON.parse(readFileSync(SHARED_REDIS_REPORT, 'utf8')) as SharedRedisReport;
}

function printSummary(parts: readonly Part[], missing: readonly Missing[], results: Results): void {
  say('\n== summary');
  for (const { name, isOk, seconds } of parts) {
    say(`${isOk ? 'ok     ' : 'FAILED '}  ${name.padEnd(6)} ${seconds.toFixed(1)} s`);
  }
  for (const { what, why, isAllowed } of missing) {
    say(`${isCi && !isAllowed ? 'FAILED ' : 'not run'}  ${what}: ${why}`);
  }
  say(`${results.passed} passed, ${results.failed} failed, ${results.skipped} skipped`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

// A reader that has gone is no reason to stop.
process.stdout.on('error', () => {});
await main();
