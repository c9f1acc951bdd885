import { parseArgs } from 'node:util';

import { StartFailure } from './start-failure.ts';

export interface Options {
  readonly nodes: number;
  readonly backplane: 'memory' | 'found' | { readonly redisUrl: string } | { readonly rttMs: number };
  readonly host: string;
  /** The first node's port; the next nodes take the following ones. */
  readonly port: number;
  readonly opsPort: number;
}

export const NODES_MAX = 16;
const PORT_MAX = 65_535;
/** Beijing and Shanghai. */
const RTT_MS = 30;
const RTT_MS_MAX = 2_000;
const REDIS_URL_FORM = /^(rediss?|redis\+sentinel|redis\+cluster):\/\/\S+$/;

export const HELP = `Usage: npm start -- [options]

Starts several signaling nodes on this machine, to try them out.

  --nodes N       how many nodes, 1 to ${NODES_MAX} (default 2)
  --redis URL     share rooms through this Redis (default: REDIS_URL from the environment, else a redis-server
                  or valkey-server on the PATH, started here and stopped again, else memory)
  --memory        share rooms through memory, with all nodes in one process
  --regions       a Redis for each region, beijing and shanghai, both started here: rooms have homes
  --rtt N         with --regions: how far the two are apart, there and back, 0 to ${RTT_MS_MAX} ms (default ${RTT_MS})
  --port N        client port of the first node; the others count up from it (default 3001)
  --ops-port N    operators' port of the first node (default 9101)
  --help          print this

From the environment: HOST, the address that the client ports listen on (default 127.0.0.1), LOG_LEVEL (default
warn), and every other setting of a node (services/signaling/config.ts).
`;

/** Reads the command line and the environment. Throws a StartFailure for what it cannot use. */
export function parseOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options | 'help' {
  const values = parseFlags(args);
  if (values.help) return 'help';
  const given = (['memory', 'redis', 'regions'] as const).filter((name) => values[name] !== undefined);
  if (given.length > 1) {
    const [first, second] = given;
    throw new StartFailure(`--${first} and --${second} exclude each other; give one of them.`);
  }
  if (values.rtt !== undefined && !values.regions)
    throw new StartFailure('--rtt goes with --regions; give both, or neither.');
  const nodes = wholeNumber('--nodes', values.nodes, 2, 1, NODES_MAX);
  const port = wholeNumber('--port', values.port, 3001, 1, PORT_MAX + 1 - nodes);
  const opsPort = wholeNumber('--ops-port', values['ops-port'], 9101, 1, PORT_MAX + 1 - nodes);
  if (Math.abs(port - opsPort) < nodes) {
    throw new StartFailure(
      `--port ${port} and --ops-port ${opsPort} overlap with ${nodes} nodes; put them ${nodes} apart or more.`,
    );
  }
  return { nodes, backplane: backplaneOf(values, env), host: env.HOST || '127.0.0.1', port, opsPort };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        nodes: { type: 'string' },
        redis: { type: 'string' },
        memory: { type: 'boolean' },
        regions: { type: 'boolean' },
        rtt: { type: 'string' },
        port: { type: 'string' },
        'ops-port': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    // parseArgs goes on with hints that don't fit here; its first sentence names the option.
    const [cause] = String(error instanceof Error ? error.message : error).split(/\.\s|\n/);
    throw new StartFailure(`${cause?.replace(/\.$/, '')}; "npm start -- --help" lists the options.`);
  }
}

function backplaneOf(
  values: {
    memory?: boolean | undefined;
    redis?: string | undefined;
    regions?: boolean | undefined;
    rtt?: string | undefined;
  },
  env: NodeJS.ProcessEnv,
): Options['backplane'] {
  if (values.memory) return 'memory';
  if (values.regions) return { rttMs: wholeNumber('--rtt', values.rtt, RTT_MS, 0, RTT_MS_MAX) };
  const [source, redisUrl] =
    values.redis === undefined ? ['REDIS_URL', env.REDIS_URL || undefined] : ['--redis', values.redis];
  if (redisUrl === undefined) return 'found';
  if (!REDIS_URL_FORM.test(redisUrl)) {
    throw new StartFailure(
      `${source} is no address of a Redis; write redis://host:port, rediss://, redis+sentinel:// or redis+cluster://.`,
    );
  }
  return { redisUrl };
}

function wholeNumber(
  flag: string,
  text: string | undefined,
  usual: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return usual;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new StartFailure(
    `${flag} ${JSON.stringify(text)} is not a whole number from ${min} to ${max}; give one.`,
  );
}
