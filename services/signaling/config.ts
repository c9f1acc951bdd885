import { hostname } from 'node:os';
import { MESSAGE_BYTES_MAX, RESUME_WINDOW_MS, ROOM_PEERS_MAX } from '@fenghuo/protocol';
import { z } from 'zod';

/** A faulty environment: every fault with its variable's name, never with its value. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`configuration: ${faults.join('; ')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

const port = z.coerce.number().int().min(0).max(65_535);
const count = z.coerce.number().int().min(1);
const list = z.string().transform((text) => text.split(/[\s,]+/).filter((item) => item !== ''));

const REDIS_URL = /^rediss?(\+(sentinel|cluster))?:\/\/\S+$/;
const ORIGIN = /^https?:\/\/[^/\s]+$/;

/** Every setting, as docs/architecture.md lists them. Times are in milliseconds. */
export const SETTINGS = z.object({
  NODE_ID: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,63}$/, 'must be 1 to 63 of A-Z a-z 0-9 _ -')
    .default(
      () =>
        hostname()
          .replaceAll(/[^A-Za-z0-9_-]/g, '-')
          .slice(0, 63) || 'node',
    )
    // Rule D8: socket.io takes a name of exactly 20 characters for a socket's id.
    .transform((id) => (id.length === 20 ? `${id}-` : id)),
  REGION: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -')
    .default('local'),
  HOST: z.string().default('0.0.0.0'),
  PORT: port.default(3001),
  OPS_HOST: z.string().default('127.0.0.1'),
  OPS_PORT: port.default(9101),
  TRUST_PROXY: z.enum(['true', 'false']).default('false'),
  REDIS_URL: z
    .string()
    .regex(REDIS_URL, 'must start with redis://, rediss://, redis+sentinel:// or redis+cluster://')
    .optional(),
  AUTH: z.literal('open', 'must be "open": this version checks no tokens yet'),
  ALLOWED_ORIGINS: list
    .pipe(
      z.array(
        z
          .string()
          .refine(
            (item) => item === '*' || ORIGIN.test(item),
            'must hold origins like https://example.org, or *',
          ),
      ),
    )
    .optional(),
  STUN_URLS: list
    .pipe(z.array(z.string().regex(/^stuns?:/, 'must hold URLs that start with stun: or stuns:')))
    .default([]),
  RESUME_WINDOW_MS: count.default(RESUME_WINDOW_MS),
  ROOM_PEERS_MAX: count.max(1_000).default(ROOM_PEERS_MAX),
  MESSAGE_BYTES_MAX: count.max(MESSAGE_BYTES_MAX).default(MESSAGE_BYTES_MAX),
  CONNECTIONS_MAX: count.default(10_000),
  DRAIN_MS: z.coerce.number().int().min(0).default(25_000),
  ADMIN_TOKEN: z
    .string()
    .regex(/^\S+$/, 'must not hold blanks')
    .min(32, 'must be at least 32 characters, hard to guess')
    .optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  NODE_ENV: z.string().optional(),
});

export interface Config {
  readonly nodeId: string;
  readonly region: string;
  readonly clients: { readonly host: string; readonly port: number; readonly trustProxy: boolean };
  readonly operators: { readonly host: string; readonly port: number };
  /** None: the memory backplane. */
  readonly redisUrl: string | undefined;
  /** None: pages of the node's own host name. */
  readonly allowedOrigins: readonly string[] | undefined;
  readonly stunUrls: readonly string[];
  readonly resumeWindowMs: number;
  readonly roomPeersMax: number;
  readonly messageBytesMax: number;
  readonly connectionsMax: number;
  /** How long clients have to go elsewhere, before a node that drains closes them. */
  readonly drainMs: number;
  /** None: no orders are taken. */
  readonly adminToken: string | undefined;
  readonly logLevel: string;
}

/** Reads the environment once. Throws a ConfigError that names every fault. */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== '' && value !== undefined),
  );
  const parsed = SETTINGS.safeParse(given);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(fault));
  const settings = parsed.data;
  if (settings.NODE_ENV === 'production') {
    throw new ConfigError(['AUTH must not be "open" with NODE_ENV=production']);
  }
  return Object.freeze({
    nodeId: settings.NODE_ID,
    region: settings.REGION,
    clients: { host: settings.HOST, port: settings.PORT, trustProxy: settings.TRUST_PROXY === 'true' },
    operators: { host: settings.OPS_HOST, port: settings.OPS_PORT },
    redisUrl: settings.REDIS_URL,
    allowedOrigins: settings.ALLOWED_ORIGINS,
    stunUrls: settings.STUN_URLS,
    resumeWindowMs: settings.RESUME_WINDOW_MS,
    roomPeersMax: settings.ROOM_PEERS_MAX,
    messageBytesMax: settings.MESSAGE_BYTES_MAX,
    connectionsMax: settings.CONNECTIONS_MAX,
    drainMs: settings.DRAIN_MS,
    adminToken: settings.ADMIN_TOKEN,
    logLevel: settings.LOG_LEVEL,
  });
}

function fault(issue: z.core.$ZodIssue): string {
  const variable = String(issue.path[0] ?? '');
  const text = issue.code === 'invalid_type' && issue.input === undefined ? 'is not set' : issue.message;
  return `${variable} ${text}`;
}
