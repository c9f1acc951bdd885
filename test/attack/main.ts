// `npm run attack`: hostile clients against a cluster of its own, and what honest ones suffer meanwhile.
import { writeFileSync } from 'node:fs';

import { endWithParent } from '../bench/processes.ts';
import { loadNow } from '../bench/result.ts';
import type { Attack } from './attack.ts';
import { ATTACKS } from './attacks/index.ts';
import { type DrillReport, drill } from './drill.ts';
import { HELP, parseOptions } from './options.ts';
import { comeFirst } from './priority.ts';
import { lineOf, markdown } from './table.ts';
import { missesOf } from './verdict.ts';

const TRIES = 3;

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') return print(HELP.trimEnd());
  if (options === 'list')
    return print(ATTACKS.map(({ id, title }) => `${id.padEnd(18)} ${title}`).join('\n'));
  endWithParent();
  comeFirst();
  const loadBefore = loadNow();
  const reports: DrillReport[] = [];
  const notRun: string[] = [];
  for (const attack of options.attacks) {
    console.error(`${attack.id}: ${attack.title}`);
    const report = await tried(attack, Math.max(options.seconds, attack.secondsMin ?? 0));
    console.error(`${attack.id}: ${typeof report === 'string' ? `not run: ${report}` : lineOf(report)}`);
    if (typeof report === 'string') notRun.push(`${attack.id} was not run: ${report}`);
    else reports.push(report);
    // After each, so that one who calls it off has what there is.
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(reports, undefined, 2)}\n`);
  }
  print(
    `\nLoad average before: ${loadBefore.toFixed(1)}. Latencies are those of a machine that does nothing else.\n`,
  );
  print(markdown(reports));
  for (const line of notRun) print(line);
  const isHeld = notRun.length === 0 && reports.every((report) => missesOf(report).length === 0);
  process.exitCode = isHeld ? 0 : 1;
}

/** A machine that is busy for a while may be too slow to start on; why it failed in the end, in words. */
async function tried(attack: Attack, seconds: number, triesLeft = TRIES - 1): Promise<DrillReport | string> {
  try {
    return await drill(attack, seconds);
  } catch (error) {
    if (triesLeft > 0) return tried(attack, seconds, triesLeft - 1);
    return error instanceof Error ? error.message : String(error);
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

main()
  .catch((error: unknown) => {
    console.error(`fenghuo: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  })
  .finally(() => process.exit());
