// `npm run bench`: the same work for Fenghuo and for others, and what a message costs each.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type BenchOptions, HELP, parseOptions } from './options.ts';
import { pageHtml } from './page.ts';
import { runPart } from './part-process.ts';
import { endWithParent } from './processes.ts';
import { type Account, isVoid, loadNow, type Result, resultOf } from './result.ts';
import { markdown } from './tables.ts';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  endWithParent();
  const { plan, isQuick } = options;
  const run = {
    startedAt: new Date(),
    loadBefore: loadNow(),
    isQuick,
    rounds: plan.rounds,
    windowMs: plan.sizes.windowMs,
  };
  const accounts = await compete(options);
  const result = resultOf(accounts, run);
  await write(result, options.out);
  process.stdout.write(
    options.isJson ? `${JSON.stringify(result, undefined, 2)}\n` : `\n${markdown(result)}\n`,
  );
  process.exitCode = accounts.some(isVoid) ? 1 : 0;
}

/** All contestants in each round, every time with another one first. */
async function compete({ plan, contestants }: BenchOptions): Promise<Account[]> {
  const accounts = contestants.map((contestant): Account => ({ contestant, rounds: [], failures: [] }));
  for (let round = 0; round < plan.rounds; round += 1) {
    const first = round % accounts.length;
    for (const account of [...accounts.slice(first), ...accounts.slice(0, first)]) {
      const parts: Account['rounds'][number] = new Map();
      account.rounds[round] = parts;
      for (const name of plan.parts(round, account.contestant)) {
        console.error(`round ${round + 1} of ${plan.rounds}: ${account.contestant.name}, ${name}`);
        try {
          parts.set(name, await runPart(name, account.contestant, plan.sizes));
        } catch (error) {
          account.failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
  }
  return accounts;
}

async function write(result: Result, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'bench.json'), `${JSON.stringify(result, undefined, 2)}\n`);
  await writeFile(join(dir, 'bench.md'), markdown(result));
  await writeFile(join(dir, 'bench.html'), pageHtml(result));
}

main()
  .catch((error: unknown) => {
    console.error(`fenghuo: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  })
  .finally(() => process.exit());
