import { parseArgs } from 'node:util';

import { StartFailure } from '@fenghuo/cluster';

export interface SoakOptions {
  readonly minutes: number;
  readonly rate: number;
  readonly connections: number;
  readonly churnPerS: number;
  readonly seed: number;
  readonly json: string | undefined;
}

const DEFAULTS = { minutes: 60, rate: 1_000, connections: 400, churn: 10 } as const;

export const HELP = `Usage: npm run soak -- [options]

Starts a Redis and two nodes on this machine. Honest people talk there, come and go, call each other in rooms of their own,
lose their connection and resume, for as long as is asked. Every few seconds it reads heap, memory and open files of the
nodes, and keys and memory of Redis. A straight line through the second half says how much each grows an hour. In the end
all leave, and Redis must forget all of them (up to eleven minutes more). Exit code 1 where something grows, is lost,
doubled or reordered, or is left behind. Talks to 127.0.0.0/8 alone, and needs a redis-server on the PATH.

  --minutes N       how long there is load, 1 to 10080 (default ${DEFAULTS.minutes}); under 25, keys of Redis are told and not judged
  --rate N          signals a second over all (default ${DEFAULTS.rate})
  --connections N   people who stay in rooms of four (default ${DEFAULTS.connections})
  --churn N         people who leave, and others who come, in a second (default ${DEFAULTS.churn}); a fifth as many are cut off
  --seed N          of the schedule (default: another one each time; it is printed)
  --json FILE       writes everything that was measured there
  --help            print this
`;

/** Reads the command line. Throws a StartFailure for what it cannot use. */
export function parseOptions(args: readonly string[]): SoakOptions | 'help' {
  const values = parseFlags(args);
  if (values.help) return 'help';
  return {
    minutes: number('--minutes', values.minutes, 1, 10_080) ?? DEFAULTS.minutes,
    rate: number('--rate', values.rate, 1, 20_000) ?? DEFAULTS.rate,
    connections: number('--connections', values.connections, 4, 10_000) ?? DEFAULTS.connections,
    churnPerS: number('--churn', values.churn, 1, 1_000) ?? DEFAULTS.churn,
    seed: number('--seed', values.seed, 0, 4_294_967_295) ?? Math.floor(Math.random() * 1_000_000),
    json: values.json,
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string' },
        rate: { type: 'string' },
        connections: { type: 'string' },
        churn: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const [cause] = String(error instanceof Error ? error.message : error).split(/\.\s|\n/);
    throw new StartFailure(`${cause?.replace(/\.$/, '')}; "npm run soak -- --help" lists the options.`);
  }
}

function number(flag: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new StartFailure(
    `${flag} ${JSON.stringify(text)} is not a whole number from ${min} to ${max}; give one.`,
  );
}
