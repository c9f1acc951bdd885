import { parseArgs } from 'node:util';

import { StartFailure } from '@fenghuo/cluster';

import { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from './scenarios.ts';

export interface ChaosOptions {
  readonly scenarios: readonly ScenarioName[];
  readonly seed: number;
  /** Undefined: each scenario's own. */
  readonly durationMs: number | undefined;
  readonly rate: number;
  readonly pairs: number | undefined;
  readonly sessions: number;
  readonly nodes: number;
  readonly resumeWindowMs: number;
  readonly json: string | undefined;
  readonly logsDir: string | undefined;
}

const DURATION_MIN_MS = 5_000;
const HOUR_MINUTES = 60;
/** A process may hold 20,000 open files. */
const SESSIONS_MAX = 15_000;

const width = Math.max(...SCENARIO_NAMES.map((name) => name.length));

export const HELP = `Usage: npm run chaos -- [options]

Starts a Redis and several nodes on this machine, sends numbered signals between simulated clients, does harm to
Redis and nodes meanwhile, and says whether anything was lost, doubled, reordered or misrouted. Exit code 0 where
nothing was and the harm had an effect, 1 otherwise. Talks to 127.0.0.1 alone.

  --scenario NAMES  one or several, with commas between, or "all" (default kill):
${SCENARIO_NAMES.map((name) => `                      ${name.padEnd(width)}  ${SCENARIOS[name].text}`).join('\n')}
  --minutes N       how long there is traffic, 0.1 to ${HOUR_MINUTES * 24} (default 1; a scenario takes longer where its faults do)
  --rate N          signals per second over all clients, 1 to 5000 (default 200)
  --pairs N         rooms of two, 1 to 5000 (default 50); for every ten of them there is one more room of four
  --sessions N      how many clients a storm hits, 2 to ${SESSIONS_MAX} (default 5000)
  --nodes N         2 to 8 (default 3)
  --window N        RESUME_WINDOW_MS of the nodes, 6000 to 600000 (default 30000)
  --seed N          of the schedule and of the clients' chances (default: another one each time; it is printed)
  --json FILE       writes the whole report there
  --logs DIR        keeps the nodes' logs there (level: LOG_LEVEL, default info)
  --help            print this
`;

/** Reads the command line. Throws a StartFailure for what it cannot use. */
export function parseOptions(args: readonly string[]): ChaosOptions | 'help' {
  const values = parseFlags(args);
  if (values.help) return 'help';
  const minutes = numberFrom('--minutes', values.minutes, 0.1, HOUR_MINUTES * 24);
  return {
    scenarios: scenariosOf(values.scenario ?? 'kill'),
    seed: wholeNumber('--seed', values.seed, 0, 4_294_967_295) ?? Math.floor(Math.random() * 1_000_000),
    durationMs: minutes === undefined ? undefined : Math.max(DURATION_MIN_MS, minutes * 60_000),
    rate: wholeNumber('--rate', values.rate, 1, 5_000) ?? 200,
    pairs: wholeNumber('--pairs', values.pairs, 1, 5_000),
    sessions: wholeNumber('--sessions', values.sessions, 2, SESSIONS_MAX) ?? 5_000,
    nodes: wholeNumber('--nodes', values.nodes, 2, 8) ?? 3,
    resumeWindowMs: wholeNumber('--window', values.window, 6_000, 600_000) ?? 30_000,
    json: values.json,
    logsDir: values.logs,
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: { type: 'string' },
        minutes: { type: 'string' },
        rate: { type: 'string' },
        pairs: { type: 'string' },
        sessions: { type: 'string' },
        nodes: { type: 'string' },
        window: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'string' },
        logs: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    // parseArgs goes on with hints that don't fit here; its first sentence names the option.
    const [cause] = String(error instanceof Error ? error.message : error).split(/\.\s|\n/);
    throw new StartFailure(`${cause?.replace(/\.$/, '')}; "npm run chaos -- --help" lists the options.`);
  }
}

function scenariosOf(text: string): ScenarioName[] {
  if (text === 'all') return SCENARIO_NAMES.filter((name) => name !== 'calm');
  return text.split(',').map((name) => {
    const known = SCENARIO_NAMES.find((one) => one === name.trim());
    if (known !== undefined) return known;
    throw new StartFailure(
      `--scenario ${JSON.stringify(name)} is none of ${SCENARIO_NAMES.join(', ')}, all; give one of them.`,
    );
  });
}

function wholeNumber(flag: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max))
    return text === undefined ? undefined : Number(text);
  throw new StartFailure(
    `${flag} ${JSON.stringify(text)} is not a whole number from ${min} to ${max}; give one.`,
  );
}

function numberFrom(flag: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new StartFailure(`${flag} ${JSON.stringify(text)} is not a number from ${min} to ${max}; give one.`);
}
