// `npm run attack`: hostile clients against a cluster of its own, and what honest ones suffer meanwhile.
import { writeFileSync } from 'node:fs';

import { endWithParent } from '../bench/processes.ts';
import { loadNow } from '../bench/result.ts';
import { ATTACKS } from './attacks/index.ts';
import { type DrillReport, drill } from './drill.ts';
import { HELP, parseOptions } from './options.ts';
import { lineOf, markdown } from './table.ts';
import { missesOf } from './verdict.ts';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') return print(HELP.trimEnd());
  if (options === 'list')
    return print(ATTACKS.map(({ id, title }) => `${id.padEnd(18)} ${title}`).join('\n'));
  endWithParent();
  const loadBefore = loadNow();
  const reports: DrillReport[] = [];
  for (const attack of options.attacks) {
    console.error(`${attack.id}: ${attack.title}`);
    const report = await drill(attack, Math.max(options.seconds, attack.secondsMin ?? 0));
    reports.push(report);
    console.error(`${attack.id}: ${lineOf(report)}`);
  }
  print(
    `\nLoad average before: ${loadBefore.toFixed(1)}. Latencies are those of a machine that does nothing else.\n`,
  );
  print(markdown(reports));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(reports, undefined, 2)}\n`);
  process.exitCode = reports.some((report) => missesOf(report).length > 0) ? 1 : 0;
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
