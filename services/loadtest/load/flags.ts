import { parseArgs } from 'node:util';

interface Flag {
  /** What its value is called in the help; none: it is on or off. */
  readonly value?: string;
  /** It may be given several times. */
  readonly isRepeatable?: true;
  readonly text: string;
}

/** Every option of the command line, in the order in which the help lists them. */
export const FLAGS = {
  url: {
    value: '[REGION[/NODE]=]URL',
    isRepeatable: true,
    text: 'where clients connect, one for each node or balancer (default http://127.0.0.1:3001 and :3002)',
  },
  pin: { text: 'clients stay with one target, rather than go to another when it fails' },
  token: {
    value: 'JWT',
    text: 'the token that every client shows (others of this machine may see it: rather --token-file)',
  },
  'token-file': { value: 'FILE', text: 'a file that holds it' },
  'jwt-secret-file': {
    value: 'FILE',
    text: 'the nodes’ JWT_SECRET: a token for each client is signed with it (HS256)',
  },
  metrics: {
    value: '[NODE=]URL',
    isRepeatable: true,
    text: 'a node’s /metrics, read once a second (default, without --url: http://127.0.0.1:9101/metrics and :9102)',
  },
  'admin-token-file': { value: 'FILE', text: 'the nodes’ ADMIN_TOKEN, for orders to them' },
  rate: { value: 'N', text: 'signals a second, over all clients' },
  duration: { value: 'TIME', text: 'for how long there is load, such as 30s, 5m, 2h' },
  pairs: { value: 'N', text: 'rooms of two' },
  rooms: { value: 'N', text: 'rooms of --peers each' },
  peers: { value: 'N', text: 'people in a room, 2 to 100' },
  connections: { value: 'N', text: 'people in all, in rooms of --peers' },
  ramp: { value: 'N', text: 'connections a second while the rooms are filled' },
  hold: { value: 'TIME', text: 'of a call, on average, once it is set up' },
  churn: { value: 'N', text: 'people who leave, and others who come, in a second' },
  drop: { value: 'N%', text: 'the share of the clients that are cut off at once' },
  'stop-command': { value: 'COMMAND', text: 'takes Redis away; its words are run as they are, by no shell' },
  'start-command': { value: 'COMMAND', text: 'brings Redis back' },
  outage: { value: 'TIME', text: 'how long it is away' },
  rtt: { value: 'N', text: 'how far the two regions are apart, there and back, in milliseconds' },
  jitter: { value: 'N', text: 'by how much that varies, in milliseconds, for a part of the run' },
  cut: { value: 'TIME', text: 'for how long the link between them is cut; 0s: not at all' },
  seed: { value: 'N', text: 'of the schedule and of the clients’ chances (default: another one each time)' },
  workers: {
    value: 'N',
    text: 'processes that are the clients; "auto": as many as connections and processors ask for',
  },
  across: { text: 'the members of a room are different workers’ clients: counted, but not timed' },
  listen: {
    value: 'PORT',
    text: 'takes workers on other machines, rather than start its own (npm run load -- worker --help)',
  },
  expect: { value: 'N', text: 'how many of them it waits for' },
  'secret-file': { value: 'FILE', text: 'holds the secret by which they and this run know each other' },
  slo: {
    value: 'EXPR',
    isRepeatable: true,
    text: 'what the run must keep to, such as "relay_p99<80ms" (default: lost==0, doubled==0, reordered==0, misrouted==0)',
  },
  out: {
    value: 'DIR',
    text: 'where result.json, summary.md and report.html go (default load-results/SCENARIO-TIME)',
  },
  json: { text: 'prints the result as JSON, and nothing else, on standard output' },
  compare: { value: 'FILE', text: 'an earlier result.json, to be held against this one' },
  help: { text: 'print this' },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof FLAGS;

/** Values as they were given, by option. */
export class Given {
  readonly faults: string[] = [];
  readonly words: readonly string[];
  readonly #values = new Map<string, string[]>();

  /** Reads a command line. What is wrong with it is noted in `faults`, all of it. */
  constructor(args: readonly string[]) {
    const options = Object.fromEntries(
      Object.entries<Flag>(FLAGS).map(([name, { value }]) => [
        name,
        { type: value === undefined ? ('boolean' as const) : ('string' as const) },
      ]),
    );
    const { tokens, positionals } = parseArgs({
      args: [...args],
      options,
      strict: false,
      allowPositionals: true,
      tokens: true,
    });
    this.words = positionals;
    for (const token of tokens) if (token.kind === 'option') this.#take(token.name, token.value);
  }

  has(name: FlagName): boolean {
    return this.#values.has(name);
  }

  all(name: FlagName): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  get(name: FlagName): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  fault(name: FlagName, what: string): undefined {
    this.faults.push(`--${name} ${what}`);
  }

  /** Reads a value; where that throws, its words are a fault like any other. */
  read<Value>(name: FlagName, parse: (text: string) => Value): Value | undefined {
    const text = this.get(name);
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      this.fault(name, (error as Error).message);
      return undefined;
    }
  }

  whole(name: FlagName, min: number, max: number): number | undefined {
    return this.read(name, (text) => {
      if (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
      throw new Error(`${JSON.stringify(text)} is not a whole number from ${min} to ${max}; give one.`);
    });
  }

  number(name: FlagName, min: number, max: number): number | undefined {
    return this.read(name, (text) => {
      if (/^\d+(\.\d+)?$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
      throw new Error(`${JSON.stringify(text)} is not a number from ${min} to ${max}; give one.`);
    });
  }

  seconds(name: FlagName, min: number, max: number): number | undefined {
    return this.read(name, (text) => {
      const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(text) ?? [];
      const seconds = Number(number) * ({ s: 1, m: 60, h: 3_600 }[unit] ?? Number.NaN);
      if (seconds >= min && seconds <= max) return seconds;
      throw new Error(
        `${JSON.stringify(text)} is not a time from ${min} s to ${max} s; write it like 30s, 5m or 2h.`,
      );
    });
  }

  #take(name: string, value: string | undefined): void {
    const flag: Flag | undefined = (FLAGS as Record<string, Flag>)[name];
    const shown = name.length === 1 ? `-${name}` : `--${name}`;
    if (flag === undefined) {
      this.faults.push(`${shown} is no option of this command.`);
      return;
    }
    const values = this.#values.get(name) ?? [];
    if (flag.value === undefined && value !== undefined) this.faults.push(`${shown} takes no value.`);
    else if (flag.value !== undefined && (value === undefined || value === ''))
      this.faults.push(`${shown} needs a value: ${shown} ${flag.value}.`);
    else if (values.length > 0 && !flag.isRepeatable) this.faults.push(`${shown} is given twice.`);
    else this.#values.set(name, [...values, value ?? '']);
  }
}
