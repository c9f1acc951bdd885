import { parseArgs } from 'node:util';

import { StartFailure } from '@fenghuo/cluster';

import { INGREDIENT_NAMES, INGREDIENTS, type Ingredient } from './generate/script.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Undefined: until all connections were made. */
  readonly durationMs: number | undefined;
  /** Undefined: as many as there is time for. */
  readonly connections: number | undefined;
  /** So many malformed packets, in place of all else. */
  readonly malformed: number | undefined;
  readonly atOnce: number;
  readonly without: ReadonlySet<Ingredient>;
  readonly hasLimits: boolean;
  /** The numbers of single connections, to be played again. */
  readonly only: readonly number[] | undefined;
  readonly logsDir: string | undefined;
}

const MINUTES_MAX = 24 * 60;

const width = Math.max(...INGREDIENT_NAMES.map((name) => name.length));

export const HELP = `Usage: npm run fuzz -- [options]

Starts two clusters on this machine, one with AUTH=required and one with AUTH=open, each of two nodes and a Redis. Throws at
them whatever a hostile client can send, and some of what a hostile writer of Redis can, while honest people are in
calls on the same nodes. Exit code 0 where all nodes lived, nobody honest noticed and every answer was as documented; else 1,
with the shortest trace that was found. Talks to 127.0.0.0/8 alone.

  --seed N          of every decision (default: another one each time; it is printed)
  --minutes N       how long, 0.05 to ${MINUTES_MAX} (default 1; with --connections alone: until they were made)
  --connections N   how many in all, evenly over the time
  --malformed N     sends so many malformed packets, on connections that are opened again as the nodes close them
  --at-once N       how many connections at the same time, 1 to 500 (default 64)
  --without NAMES   leaves ingredients out, with commas between:
${INGREDIENT_NAMES.map((name) => `                      ${name.padEnd(width)}  ${INGREDIENTS[name]}`).join('\n')}
  --only N,N        plays single connections of a run again, by the numbers in its trace
  --limits          leaves the limits of addresses on (ADDRESS_PEERS_MAX), which otherwise end most connections at once
  --logs DIR        keeps the nodes' logs there
  --help            print this
`;

/** Reads the command line. Throws a StartFailure for what it cannot use. */
export function parseOptions(args: readonly string[]): FuzzOptions | 'help' {
  const values = parseFlags(args);
  if (values.help) return 'help';
  const minutes = numberOf('--minutes', values.minutes, 0.05, MINUTES_MAX);
  const connections = wholeOf('--connections', values.connections, 10_000_000);
  const malformed = wholeOf('--malformed', values.malformed, 100_000_000);
  const only = values.only?.split(',').map((text) => wholeOf('--only', text, 10_000_000) ?? 0);
  const isBounded = connections !== undefined || malformed !== undefined || only !== undefined;
  const durationMinutes = minutes ?? (isBounded ? undefined : 1);
  return {
    seed: wholeOf('--seed', values.seed, 4_294_967_295) ?? Math.floor(Math.random() * 1_000_000),
    durationMs: durationMinutes === undefined ? undefined : durationMinutes * 60_000,
    connections,
    malformed,
    atOnce: numberOf('--at-once', values['at-once'], 1, 500) ?? 64,
    without: ingredientsOf(values.without ?? ''),
    hasLimits: values.limits ?? false,
    only,
    logsDir: values.logs,
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        minutes: { type: 'string' },
        connections: { type: 'string' },
        malformed: { type: 'string' },
        'at-once': { type: 'string' },
        without: { type: 'string' },
        only: { type: 'string' },
        limits: { type: 'boolean' },
        logs: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    // The hints of parseArgs don't fit here. Its first sentence names the option.
    const [cause] = String(error instanceof Error ? error.message : error).split(/\.\s|\n/);
    throw new StartFailure(`${cause?.replace(/\.$/, '')}; "npm run fuzz -- --help" lists the options.`);
  }
}

function ingredientsOf(text: string): ReadonlySet<Ingredient> {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return new Set(
    names.map((name) => {
      const known = INGREDIENT_NAMES.find((each) => each === name);
      if (known !== undefined) return known;
      throw new StartFailure(
        `--without ${JSON.stringify(name)} is none of ${INGREDIENT_NAMES.join(', ')}; give one of them.`,
      );
    }),
  );
}

function wholeOf(flag: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined || (/^\d+$/.test(text) && Number(text) <= max))
    return text === undefined ? undefined : Number(text);
  throw new StartFailure(`${flag} ${JSON.stringify(text)} is not a whole number from 0 to ${max}; give one.`);
}

function numberOf(flag: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new StartFailure(`${flag} ${JSON.stringify(text)} is not a number from ${min} to ${max}; give one.`);
}
