import { hostname } from 'node:os';
import {
  ADDRESS_PEERS_MAX,
  JOIN_WITHIN_MS,
  MESSAGE_BYTES_MAX,
  RESUME_WINDOW_MS,
  ROOM_PEERS_MAX,
  USER_PEERS_MAX,
} from '@fenghuo/protocol';
import { z } from 'zod';
import {
  parseRedisUrls,
  type RedisHome,
  redisUrlFault,
  redisUrlsFault,
} from './backplane/redis/redis-url.ts';
import { hostSetting } from './domain/hosts.ts';
import { isStunUrl, isTurnUrl } from './domain/ice-url.ts';
import { originSetting } from './domain/origin.ts';
import type { IceSettings } from './ice-servers.ts';
import { withFiles } from './secret-files.ts';
import { PUBLIC_KEY_RULE, parsePublicKeys } from './tokens/public-keys.ts';
import type { TokenSettings } from './tokens/verifier.ts';
import type { WebhookSettings } from './webhooks/index.ts';
import { keyFrom } from './webhooks/signature.ts';

/** A faulty environment: every fault with its variable's name, never with its value. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`configuration: ${faults.join('; ')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** Digits alone: a blank would be taken for 0, and 0x10 for 16. */
function whole(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}`;
  const digits = z.string().regex(/^\d{1,15}$/, rule);
  return digits.transform(Number).pipe(z.number().min(min, rule).max(max, rule));
}

/** What is wrong with a text, in words that a setting's name comes before; undefined: nothing. */
type FaultOf = (text: string) => string | undefined;

function faultless(faultOf: FaultOf) {
  return (text: string, context: z.RefinementCtx) => {
    const message = faultOf(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  };
}

/** A week: a timer that is told more than 2^31 ms rings at once. */
const TIME_MS_MAX = 7 * 86_400_000;
const port = whole(0, 65_535);
const host = z.string().regex(/^[\w.:%-]+$/, 'must be an address of this machine, or a host name');
const list = z.string().transform((text) => text.split(/[\s,]+/).filter((item) => item !== ''));
/** Separated by blanks alone: a comma may be part of a secret. */
const secrets = z.string().transform((text) => text.split(/\s+/).filter((item) => item !== ''));

/** RFC 7518, 3.2: the key of an HS256 is at least as long as its hash. */
const JWT_SECRET_BYTES_MIN = 32;
const ADMIN_TOKEN_CHARS_MIN = 32;
/** A browser's offer with sound and two pictures is half of it. */
const OFFER_BYTES = 16_384;
/** The Standard Webhooks format asks for 24 bytes at least. */
const WEBHOOK_KEY_BYTES_MIN = 24;
/** What production asks of the secret that it shares with its TURN server. */
const TURN_SECRET_CHARS_MIN = 32;

/** Each node tells the others of it with each beat. */
const PUBLIC_URL_CHARS_MAX = 256;

const ORIGINS_RULE =
  'must hold origins as clients send them, like https://app.example.org, https://*.example.org for every subdomain, or capacitor://localhost; or *';
const STUN_RULE =
  'must hold URLs like stun:stun.example.org:3478, or stuns:, without // and without ?transport= (RFC 7064)';
const TURN_RULE =
  'must hold URLs like turn:turn.example.org:3478?transport=udp, or turns: and tcp, without // and without a user (RFC 7065)';
/** What a header may carry (RFC 9110, 5.5). */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

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
  PUBLIC_URL: z
    .string()
    .refine(
      isEntrance,
      `must be an http:// or https:// URL of at most ${PUBLIC_URL_CHARS_MAX} characters without a path, a user or a fragment; it may have a query`,
    )
    .optional(),
  HOST: host.default('0.0.0.0'),
  PORT: port.default(3001),
  OPS_HOST: host.default('127.0.0.1'),
  OPS_PORT: port.default(9101),
  TRUST_PROXY: z.enum(['true', 'false'], 'must be "true" or "false"').default('false'),
  REDIS_URL: z.string().superRefine(faultless(redisUrlFault)).optional(),
  REDIS_URLS: z
    .string()
    .superRefine(faultless(redisUrlsFault))
    .transform((text) => parseRedisUrls(text) ?? [])
    .optional(),
  AUTH: z.enum(['required', 'open'], 'must be "required" or "open"').default('required'),
  JWT_SECRET: secrets
    .refine(
      (all) => all.length > 0 && all.every((secret) => Buffer.byteLength(secret) >= JWT_SECRET_BYTES_MIN),
      `must be at least ${JWT_SECRET_BYTES_MIN} bytes, hard to guess; several are separated by blanks`,
    )
    .optional(),
  JWT_PUBLIC_KEY: z
    .string()
    .transform((text, context) => {
      const keys = parsePublicKeys(text);
      if (keys !== undefined) return keys;
      context.addIssue({ code: 'custom', message: PUBLIC_KEY_RULE });
      return z.NEVER;
    })
    .optional(),
  JWKS_URL: z
    .string()
    .refine(isPlainUrl, 'must be an http:// or https:// URL, without a user and a password')
    .optional(),
  JWT_ISSUER: z.string().regex(/\S/, 'must not be blank').optional(),
  JWT_AUDIENCE: z.string().regex(/\S/, 'must not be blank').optional(),
  ALLOWED_ORIGINS: list
    .refine((all) => all.length > 0, 'must hold at least one origin')
    .pipe(
      z.array(
        z.string().transform((text, context) => {
          const origin = originSetting(text);
          if (origin !== undefined) return origin;
          context.addIssue({ code: 'custom', message: ORIGINS_RULE });
          return z.NEVER;
        }),
      ),
    )
    .optional(),
  ALLOWED_HOSTS: list
    .pipe(
      z.array(
        z
          .string()
          .refine(
            (item) => item === '*' || hostSetting(item) !== undefined,
            'must hold host names or addresses without a port, like calls.example.org, or *',
          ),
      ),
    )
    .default([]),
  STUN_URLS: list.pipe(z.array(z.string().refine(isStunUrl, STUN_RULE))).default([]),
  TURN_URLS: list.pipe(z.array(z.string().refine(isTurnUrl, TURN_RULE))).default([]),
  TURN_SECRET: secrets.refine((all) => all.length > 0, 'must not be blank').default([]),
  TURN_TTL_S: whole(60, 31_536_000).default(43_200),
  RESUME_WINDOW_MS: whole(1_000, TIME_MS_MAX).default(RESUME_WINDOW_MS),
  ROOM_PEERS_MAX: whole(1, 1_000).default(ROOM_PEERS_MAX),
  MESSAGE_BYTES_MAX: whole(OFFER_BYTES, MESSAGE_BYTES_MAX).default(MESSAGE_BYTES_MAX),
  CONNECTIONS_MAX: whole(1, 1_000_000).default(10_000),
  JOIN_WITHIN_MS: whole(1_000, 3_600_000).default(JOIN_WITHIN_MS),
  USER_PEERS_MAX: whole(1, 10_000).default(USER_PEERS_MAX),
  ADDRESS_PEERS_MAX: whole(0, 1_000_000).default(ADDRESS_PEERS_MAX),
  DRAIN_MS: whole(0, TIME_MS_MAX).default(25_000),
  ADMIN_TOKEN: secrets
    .refine(
      (all) => all.every((one) => VISIBLE_ASCII.test(one)),
      'must not hold anything beyond ASCII, which no header carries',
    )
    .refine(
      (all) => all.length > 0 && all.every(({ length }) => length >= ADMIN_TOKEN_CHARS_MIN),
      `must be at least ${ADMIN_TOKEN_CHARS_MIN} characters, hard to guess; several are separated by blanks`,
    )
    .optional(),
  WEBHOOK_URL: z
    .string()
    .refine(isPlainUrl, 'must be an http:// or https:// URL, without a user and a password')
    .optional(),
  WEBHOOK_SECRET: z.string().superRefine(faultless(webhookSecretFault)).optional(),
  /** `memory`: rooms live and die with this one process, and that is meant. */
  BACKPLANE: z.literal('memory', 'may only be "memory"; for Redis, give REDIS_URL or REDIS_URLS').optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
  NODE_ENV: z.string().optional(),
});

export interface Config {
  readonly nodeId: string;
  readonly region: string;
  /** Where clients enter this node's region from outside; none: nobody is told of a way in. */
  readonly publicUrl: string | undefined;
  readonly clients: { readonly host: string; readonly port: number; readonly trustProxy: boolean };
  readonly operators: { readonly host: string; readonly port: number };
  /** The homes of rooms, each a Redis; none: one home, in memory. */
  readonly homes: readonly RedisHome[];
  /** None: pages of the node's own host name. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** Names and addresses under which both listeners answer, besides those that a node knows by itself; `*`: all. */
  readonly allowedHosts: readonly string[];
  /** Whose tokens are taken; none: the cluster is open. */
  readonly tokens: TokenSettings | undefined;
  readonly ice: IceSettings;
  readonly resumeWindowMs: number;
  readonly roomPeersMax: number;
  readonly messageBytesMax: number;
  readonly connectionsMax: number;
  /** How long a connection may stay that is in no room. */
  readonly joinWithinMs: number;
  /** Sessions that one user has on this node at once. */
  readonly userPeersMax: number;
  /** People behind one address; 0: addresses are not counted. */
  readonly addressPeersMax: number;
  /** How long clients have to go elsewhere, before a node that drains closes them. */
  readonly drainMs: number;
  /** None: no orders are taken. */
  /** None: no orders are taken. */
  readonly adminTokens: readonly string[];
  /** None: nobody is told what happens in rooms. */
  readonly webhooks: WebhookSettings | undefined;
  readonly logLevel: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment once, and the files that it names. Throws a ConfigError that names every fault. */
export function parseConfig(environment: Environment): Config {
  const { settings: usable, faults } = readSettings(environment);
  if (faults.length > 0) throw new ConfigError(faults);
  const settings = usable as Settings;
  return Object.freeze({
    nodeId: settings.NODE_ID,
    region: settings.REGION,
    publicUrl: settings.PUBLIC_URL,
    clients: { host: settings.HOST, port: settings.PORT, trustProxy: settings.TRUST_PROXY === 'true' },
    operators: { host: settings.OPS_HOST, port: settings.OPS_PORT },
    homes: redisHomes(settings),
    allowedOrigins: settings.ALLOWED_ORIGINS,
    allowedHosts: settings.ALLOWED_HOSTS,
    tokens: settings.AUTH === 'open' ? undefined : tokenSettings(settings),
    ice: {
      stunUrls: settings.STUN_URLS,
      turnUrls: settings.TURN_URLS,
      turnSecret: settings.TURN_SECRET[0],
      turnTtlS: settings.TURN_TTL_S,
    },
    resumeWindowMs: settings.RESUME_WINDOW_MS,
    roomPeersMax: settings.ROOM_PEERS_MAX,
    messageBytesMax: settings.MESSAGE_BYTES_MAX,
    connectionsMax: settings.CONNECTIONS_MAX,
    joinWithinMs: settings.JOIN_WITHIN_MS,
    userPeersMax: settings.USER_PEERS_MAX,
    addressPeersMax: settings.ADDRESS_PEERS_MAX,
    drainMs: settings.DRAIN_MS,
    adminTokens: settings.ADMIN_TOKEN ?? [],
    webhooks: webhookSettings(settings),
    logLevel: settings.LOG_LEVEL,
  });
}

/** The settings that can be used, and every fault of the others: each by itself, and what does not go together. */
export function readSettings(environment: Environment): {
  readonly settings: Partial<Settings>;
  readonly faults: readonly string[];
} {
  const { settings: given, faults } = withFiles(environment);
  const parsed = SETTINGS.safeParse(given);
  // Asked of what was given, parsed or not, so that one faulty number hides no missing secret.
  const all = [
    ...faults,
    ...quoted(given),
    ...faultsOf(parsed.error, given),
    ...contradictions(given),
    ...(given.NODE_ENV === 'production' ? risks(given) : []),
  ];
  return { settings: parsed.data ?? usableOf(given), faults: all };
}

/** A shell takes quotes away; docker's --env-file and a file of a secret leave them, and then they are part of the value. */
function quoted(given: Given): string[] {
  const names = Object.keys(SETTINGS.shape).filter((name) => /^(["']).*\1$/s.test(given[name] ?? ''));
  return names.map((name) => `${name} must be written without quotes around it`);
}

function usableOf(given: Given): Partial<Settings> {
  const each = Object.entries(SETTINGS.shape).map(([name, schema]) => [
    name,
    schema.safeParse(given[name]).data,
  ]);
  return Object.fromEntries(each);
}

/** The settings of a schema, with those that lie in files. Throws a ConfigError that names every fault. */
export function parseSettings<Schema extends z.ZodType>(
  schema: Schema,
  environment: Environment,
): z.output<Schema> {
  const { settings, faults } = withFiles(environment);
  const parsed = schema.safeParse(settings);
  const all = [...faults, ...faultsOf(parsed.error, settings)];
  if (!parsed.success || all.length > 0) throw new ConfigError(all);
  return parsed.data;
}

export type Settings = z.output<typeof SETTINGS>;

/** One Redis without a name is a home all the same. */
export const ONLY_HOME = 'main';

/** The homes that are configured, under whichever of the two settings. */
export function redisHomes({ REDIS_URL, REDIS_URLS }: Partial<Settings>): readonly RedisHome[] {
  return REDIS_URLS ?? (REDIS_URL === undefined ? [] : [{ home: ONLY_HOME, url: REDIS_URL }]);
}

function tokenSettings(settings: Settings): TokenSettings {
  return {
    secrets: settings.JWT_SECRET ?? [],
    publicKeys: settings.JWT_PUBLIC_KEY ?? [],
    jwksUrl: settings.JWKS_URL,
    issuer: settings.JWT_ISSUER,
    audience: settings.JWT_AUDIENCE,
  };
}

function webhookSettings({ WEBHOOK_URL, WEBHOOK_SECRET }: Settings): WebhookSettings | undefined {
  const key = WEBHOOK_SECRET === undefined ? undefined : keyFrom(WEBHOOK_SECRET);
  return WEBHOOK_URL === undefined || key === undefined ? undefined : { url: WEBHOOK_URL, key };
}

/** What was given, before it is parsed; nothing in it is empty. */
type Given = Readonly<Record<string, string>>;

/** A file that cannot be read is a fault of its own. */
function isGiven(given: Given, name: string): boolean {
  return given[name] !== undefined || given[`${name}_FILE`] !== undefined;
}

function hasRedis(given: Given): boolean {
  return isGiven(given, 'REDIS_URL') || isGiven(given, 'REDIS_URLS');
}

/** What does not go together. */
function contradictions(given: Given): string[] {
  const faults: string[] = [];
  const needs = (name: string, other: string) => {
    if (isGiven(given, other) && !isGiven(given, name)) faults.push(`${name} is not set, and ${other} is`);
  };
  needs('WEBHOOK_SECRET', 'WEBHOOK_URL');
  needs('WEBHOOK_URL', 'WEBHOOK_SECRET');
  needs('TURN_SECRET', 'TURN_URLS');
  if (isGiven(given, 'REDIS_URL') && isGiven(given, 'REDIS_URLS'))
    faults.push('REDIS_URL and REDIS_URLS are both set: give one of them');
  if (isGiven(given, 'BACKPLANE') && hasRedis(given))
    faults.push('BACKPLANE=memory shares nothing, and a Redis is named: give one of them');
  const hasKey = ['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWKS_URL'].some((name) => isGiven(given, name));
  if ((given.AUTH ?? 'required') === 'required' && !hasKey)
    faults.push(
      'AUTH=required, the default, needs JWT_SECRET, JWT_PUBLIC_KEY or JWKS_URL (or, for trying, AUTH=open)',
    );
  if (isOneListener(usableOf(given)))
    faults.push('OPS_PORT is the same as PORT: clients and operators have listeners of their own');
  return faults;
}

function isOneListener({ HOST = '', PORT, OPS_HOST = '', OPS_PORT }: Partial<Settings>): boolean {
  const isEverywhere = [HOST, OPS_HOST].some((each) => each === '0.0.0.0' || each === '::');
  return PORT !== 0 && PORT !== undefined && PORT === OPS_PORT && (HOST === OPS_HOST || isEverywhere);
}

/** What is good enough for trying, and not for the Internet. */
function risks(given: Given): string[] {
  const faults: string[] = [];
  if (given.AUTH === 'open') faults.push('AUTH must not be "open" with NODE_ENV=production');
  if (!isGiven(given, 'ALLOWED_ORIGINS'))
    faults.push('ALLOWED_ORIGINS is not set, which NODE_ENV=production asks for');
  if (!hasRedis(given) && !isGiven(given, 'BACKPLANE'))
    faults.push(
      'REDIS_URL is not set, which NODE_ENV=production asks for; for one process that takes all rooms with it when it ends, BACKPLANE=memory',
    );
  const turnSecrets = given.TURN_SECRET?.split(/\s+/) ?? [];
  if (turnSecrets.some((secret) => secret !== '' && secret.length < TURN_SECRET_CHARS_MIN))
    faults.push(`TURN_SECRET must be at least ${TURN_SECRET_CHARS_MIN} characters with NODE_ENV=production`);
  return faults;
}

/** A password in it could not be used (Fetch, 5.3), and would come to light in what goes wrong. */
function isPlainUrl(text: string): boolean {
  // A URL parser would mend a blank or a backslash, and others are told the text as it is.
  if (!/^https?:[^\s\\]+$/.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

function webhookSecretFault(text: string): string | undefined {
  if (text.length < 32) return 'must be at least 32 characters, hard to guess';
  const bytes = keyFrom(text)?.length ?? 0;
  return bytes < WEBHOOK_KEY_BYTES_MIN
    ? `must hold, after whsec_, the base64 of at least ${WEBHOOK_KEY_BYTES_MIN} bytes`
    : undefined;
}

/** Clients take its origin and its query: a path of it would be lost. */
function isEntrance(text: string): boolean {
  if (!isPlainUrl(text) || text.length > PUBLIC_URL_CHARS_MAX) return false;
  const { pathname, hash, hostname } = new URL(text);
  return pathname === '/' && hash === '' && hostSetting(hostname) !== undefined;
}

/** Every fault with its variable's name, in words; never with its value. */
function faultsOf(error: z.ZodError | undefined, given: Given): string[] {
  return (error?.issues ?? []).map((issue) => {
    const variable = String(issue.path[0] ?? '');
    return `${variable} ${given[variable] === undefined ? 'is not set' : issue.message}`;
  });
}
