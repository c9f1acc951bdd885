// `npm run soak`: hours of honest load on a cluster of its own, what grows meanwhile, and what is left behind.
import { writeFileSync } from 'node:fs';

import { HELP, parseOptions } from './options.ts';
import { type SoakReport, soak } from './soak.ts';
import type { Trend } from './trends.ts';

const MIB = 1_048_576;
const callOff = new AbortController();

async function main(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => callOff.abort());
  process.on('disconnect', () => callOff.abort());
  const { minutes, connections, rate, churnPerS, seed } = options;
  say(`soak, seed ${seed}: ${minutes} min, ${connections} people, ${rate} signals/s, churn ${churnPerS}/s`);
  const report = await soak(options, say, callOff.signal);
  say(textOf(report));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  process.exitCode = report.misses.length === 0 ? 0 : 1;
}

function textOf({ load, trends, unjudged, leftovers, misses }: SoakReport): string {
  const { signals, sessions, calls } = load;
  const width = Math.max(...trends.map(({ what }) => what.length));
  return [
    '',
    `signals   ${signals.sent} sent, ${signals.delivered} delivered, ${signals.lost} lost, ${signals.doubled} doubled, ${signals.reordered} reordered`,
    `sessions  ${sessions.joined} joined, ${sessions.resumed} resumed, ${calls?.connected ?? 0} calls`,
    ...trends.map(
      (trend) => `${trend.what.padEnd(width)}  ${trendText(trend, unjudged.includes(trend.what))}`,
    ),
    `left in Redis after ${leftovers.afterS} s: ${leftovers.keys.length} keys but those of the home`,
    ...load.generator.reasons.map((reason) => `note: the load tester lagged: ${reason}`),
    misses.length === 0 ? 'PASS' : `FAIL: ${misses.join('; ')}`,
  ].join('\n');
}

function trendText({ unit, mean, perHour, isFlat }: Trend, isUnjudged: boolean): string {
  const text = (value: number) =>
    unit === 'bytes' ? `${(value / MIB).toFixed(1)} MB` : `${value.toFixed(0)} ${unit}`;
  if (perHour === undefined) return `${text(mean)} on average, too few readings`;
  const verdict = isUnjudged ? 'not judged' : isFlat ? 'flat' : 'GROWS';
  return `${text(mean)} on average, ${perHour >= 0 ? '+' : '−'}${text(Math.abs(perHour))} an hour: ${verdict}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main()
  .catch((error: unknown) => {
    const message = callOff.signal.aborted
      ? 'called off'
      : error instanceof Error
        ? error.message
        : String(error);
    console.error(`fenghuo: ${message}`);
    process.exitCode = 1;
  })
  .finally(() => process.exit());
