// `npm run token`: prints a JWT for trying a cluster that wants tokens.
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';

import { ConfigError, type Grant, mintToken } from '@fenghuo/signaling';

const ROLES = ['host', 'moderator', 'speaker', 'listener'] as const;
const DAY_S = 86_400;
const TTL_MAX_S = 365 * DAY_S;
const UNITS_S = { s: 1, m: 60, h: 3_600, d: DAY_S } as const;

const HELP = `Usage: npm run --silent token -- [options]

Prints a token that nodes with the same JWT_SECRET (and JWT_ISSUER, JWT_AUDIENCE, where they are set) take.

  --room NAME     the one room that it is for (default: any)
  --role ROLE     ${ROLES.join(', ')} (default: none, which makes a speaker)
  --name NAME     the name that others see (default: the one that the bearer gives)
  --sub ID        whom it is for; bans and resumes go by it (default: somebody new)
  --ttl TIME      how long it is good: 90s, 15m, 1h, 2d (default 1h)
  --help          print this

From the environment: JWT_SECRET, or JWT_SECRET_FILE; where it holds several, the first one signs.
`;

async function main(): Promise<string> {
  const { values } = parseArgs({
    options: {
      room: { type: 'string' },
      role: { type: 'string' },
      name: { type: 'string' },
      sub: { type: 'string' },
      ttl: { type: 'string', default: '1h' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return HELP;
  const grant: Grant = {
    sub: values.sub ?? randomBytes(9).toString('base64url'),
    room: values.room,
    role: roleFrom(values.role),
    name: values.name,
    ttlS: secondsFrom(values.ttl),
  };
  return `${await mintToken(grant, process.env)}\n`;
}

function roleFrom(text: string | undefined): Grant['role'] {
  const role = ROLES.find((each) => each === text);
  if (text !== undefined && role === undefined)
    throw new Error(`--role ${JSON.stringify(text)} is none of ${ROLES.join(', ')}; give one of them.`);
  return role;
}

function secondsFrom(text: string): number {
  const [, number, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(number) * UNITS_S[unit as keyof typeof UNITS_S];
  if (seconds > 0 && seconds <= TTL_MAX_S) return seconds;
  throw new Error(`--ttl ${JSON.stringify(text)} is no time up to a year; write 90s, 15m, 1h or 2d.`);
}

/** Where the secret is at fault. */
const CURE =
  '. Give the secret of the nodes, or make one for all of them: export JWT_SECRET=$(openssl rand -base64 48)';

try {
  process.stdout.write(await main());
} catch (error) {
  console.error(`fenghuo: ${(error as Error).message}${error instanceof ConfigError ? CURE : ''}`);
  process.exitCode = 1;
}
