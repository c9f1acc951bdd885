import { parseArgs } from 'node:util';

import { StartFailure } from '@fenghuo/cluster';

import { CONTESTANTS, type Contestant } from './contestants/index.ts';
import { PART_NAMES, type PartName } from './parts.ts';
import { FULL, type Plan, QUICK } from './plan.ts';

export interface BenchOptions {
  readonly plan: Plan;
  readonly isQuick: boolean;
  readonly contestants: readonly Contestant[];
  readonly out: string;
  readonly isJson: boolean;
}

const width = Math.max(...CONTESTANTS.map(({ name }) => name.length));

export const HELP = `Usage: npm run bench -- [options]

Has Fenghuo and others relay the same calls on this machine, round by round in turn, and prints what each message
cost them. A bench is no test: only a message that did not arrive makes it fail. Talks to 127.0.0.1 alone, needs a
redis-server on the PATH, and wants a machine that does nothing else.

  --quick           smaller and rougher, within 90 s
  --rounds N        1 to 50 (default ${FULL.rounds}, quick ${QUICK.rounds})
  --window S        how long each figure is measured, 0.2 to 60 seconds (default ${FULL.sizes.windowMs / 1_000}, quick ${QUICK.sizes.windowMs / 1_000})
  --only NAMES      some of the contestants, with commas between:
${CONTESTANTS.map(({ name, title }) => `                      ${name.padEnd(width)}  ${title}`).join('\n')}
  --parts NAMES     some of the parts, with commas between: ${PART_NAMES.join(', ')}
  --out DIR         where bench.json, bench.md and bench.html go (default test/output/bench)
  --json            prints bench.json in place of the tables
  --help            print this
`;

/** Reads the command line. Throws a StartFailure for what it cannot use. */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const values = parseFlags(args);
  if (values.help) return 'help';
  const isQuick = values.quick === true;
  const base = isQuick ? QUICK : FULL;
  const parts = values.parts === undefined ? undefined : namesFrom('--parts', values.parts, PART_NAMES);
  const names = namesFrom(
    '--only',
    values.only,
    CONTESTANTS.map(({ name }) => name),
  );
  const windowS = numberFrom('--window', values.window, 0.2, 60);
  return {
    plan: {
      ...base,
      rounds: numberFrom('--rounds', values.rounds, 1, 50, true) ?? base.rounds,
      ...(windowS === undefined ? {} : { sizes: { ...base.sizes, windowMs: windowS * 1_000 } }),
      ...(parts === undefined ? {} : { parts: () => parts as readonly PartName[] }),
    },
    isQuick,
    contestants: CONTESTANTS.filter(({ name }) => names.includes(name)),
    out: values.out ?? 'test/output/bench',
    isJson: values.json === true,
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        window: { type: 'string' },
        only: { type: 'string' },
        parts: { type: 'string' },
        out: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    // parseArgs goes on with hints that don't fit here; its first sentence names the option.
    const [cause] = String(error instanceof Error ? error.message : error).split(/\.\s|\n/);
    throw new StartFailure(`${cause?.replace(/\.$/, '')}; "npm run bench -- --help" lists the options.`);
  }
}

function namesFrom(flag: string, text: string | undefined, known: readonly string[]): readonly string[] {
  if (text === undefined) return known;
  return text.split(',').map((name) => {
    if (known.includes(name.trim())) return name.trim();
    throw new StartFailure(
      `${flag} ${JSON.stringify(name)} is none of ${known.join(', ')}; give one of them.`,
    );
  });
}

function numberFrom(
  flag: string,
  text: string | undefined,
  min: number,
  max: number,
  isWhole = false,
): number | undefined {
  if (text === undefined) return undefined;
  const value = (isWhole ? /^\d+$/ : /^\d+(\.\d+)?$/).test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  const kind = isWhole ? 'a whole number' : 'a number';
  throw new StartFailure(`${flag} ${JSON.stringify(text)} is not ${kind} from ${min} to ${max}; give one.`);
}
