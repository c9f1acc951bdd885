import { parseArgs } from 'node:util';

import { StartFailure } from '@fenghuo/cluster';

import type { Attack } from './attack.ts';
import { ATTACKS } from './attacks/index.ts';

export interface DrillOptions {
  readonly attacks: readonly Attack[];
  readonly seconds: number;
  readonly json: string | undefined;
}

const SECONDS = 10;
const SECONDS_MAX = 600;

export const HELP = `Usage: npm run attack -- [options]

Attacks a cluster of its own, one way after the other, with honest calls beside, and prints what these suffered. Each attack
gets two new nodes and a new Redis on this machine. Exit code 1 where a bar is missed: a node ended, honest p99 went over
three times the calm one (10 ms at least), somebody honest was refused, or memory grew by more than 60 MB. Talks to
127.0.0.0/8 alone, and needs a redis-server on the PATH. An attack takes about ${SECONDS + 20} s.

  --only IDS     some of the attacks, with commas between: B1 alone, B1* with all of its kind
  --seconds N    how long each attack lasts, 1 to ${SECONDS_MAX} (default ${SECONDS}; some take longer to show)
  --list         prints what there is, and ends
  --json FILE    writes everything that was measured there
  --help         print this
`;

/** Reads the command line. Throws a StartFailure for what it cannot use. */
export function parseOptions(args: readonly string[]): DrillOptions | 'help' | 'list' {
  const values = parseFlags(args);
  if (values.help) return 'help';
  if (values.list) return 'list';
  return { attacks: chosen(values.only), seconds: secondsFrom(values.seconds), json: values.json };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        seconds: { type: 'string' },
        list: { type: 'boolean' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const [cause] = String(error instanceof Error ? error.message : error).split(/\.\s|\n/);
    throw new StartFailure(`${cause?.replace(/\.$/, '')}; "npm run attack -- --help" lists the options.`);
  }
}

function chosen(only: string | undefined): readonly Attack[] {
  if (only === undefined) return ATTACKS;
  const wanted = only.split(',').map((id) => id.trim());
  const unknown = wanted.find((id) => !ATTACKS.some((attack) => isOf(attack, id)));
  if (unknown !== undefined)
    throw new StartFailure(
      `--only ${JSON.stringify(unknown)} is no attack; "npm run attack -- --list" lists them.`,
    );
  return ATTACKS.filter((attack) => wanted.some((id) => isOf(attack, id)));
}

function isOf(attack: Attack, id: string): boolean {
  return id.endsWith('*') ? attack.id.startsWith(id.slice(0, -1)) : attack.id === id;
}

function secondsFrom(text: string | undefined): number {
  if (text === undefined) return SECONDS;
  const seconds = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 1 && seconds <= SECONDS_MAX) return seconds;
  throw new StartFailure(
    `--seconds ${JSON.stringify(text)} is not a whole number from 1 to ${SECONDS_MAX}; give one.`,
  );
}
