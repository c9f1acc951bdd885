// `npm run chaos`: a cluster of its own, traffic, faults, and a verdict.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type ChaosOptions, HELP, parseOptions } from './options.ts';
import { reportText, summaryText } from './report.ts';
import { type RunReport, run } from './run.ts';
import { SCENARIOS, type ScenarioName } from './scenarios.ts';

const MINUTE_MS = 60_000;
const STORM_RATE_MAX = 100;

const callOff = new AbortController();

async function main(): Promise<void> {
  // A reader that has gone (`npm run chaos | head`) is no reason to leave processes behind.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => callOff.abort());
  process.on('disconnect', () => callOff.abort());
  const reports: RunReport[] = [];
  for (const scenario of options.scenarios) {
    const report = await run(runOptions(scenario, options));
    reports.push(report);
    print(reportText(report));
  }
  if (reports.length > 1) print(summaryText(reports));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(reports, undefined, 2)}\n`);
  process.exitCode = reports.every(({ verdict }) => verdict.isPass) ? 0 : 1;
}

function runOptions(scenario: ScenarioName, options: ChaosOptions) {
  const isStorm = scenario === 'storm';
  return {
    scenario,
    seed: options.seed,
    durationMs: options.durationMs ?? Math.max(MINUTE_MS, 3 * SCENARIOS[scenario].everyMs),
    rate: isStorm ? Math.min(options.rate, STORM_RATE_MAX) : options.rate,
    // A room of four comes with every ten of two: 24 clients.
    pairs: isStorm ? Math.max(1, Math.round((options.sessions * 10) / 24)) : (options.pairs ?? 50),
    nodes: options.nodes,
    resumeWindowMs: options.resumeWindowMs,
    ...(options.logsDir === undefined ? {} : { logsDir: join(options.logsDir, scenario) }),
    ...(process.env.LOG_LEVEL ? { logLevel: process.env.LOG_LEVEL } : {}),
    signal: callOff.signal,
    say: print,
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main()
  .catch((error: unknown) => {
    const message = callOff.signal.aborted
      ? 'called off'
      : error instanceof Error
        ? error.message
        : String(error);
    console.error(`fenghuo: ${message.trim().replace(/\s*\n\s*/g, '; ')}`);
    process.exitCode = 1;
  })
  // Sockets of clients that were given up may linger; nothing of ours runs any more.
  .finally(() => process.exit());
