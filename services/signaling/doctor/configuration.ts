import { type Environment, SETTINGS, type Settings } from '../config.ts';
import { IN_FILES } from '../secret-files.ts';
import { type Finding, fault, ok, warning } from './finding.ts';
import { homesToCheck } from './homes.ts';
import { settingMeantBy } from './near-miss.ts';

const NAMES = Object.keys(SETTINGS.shape);
const KNOWN: ReadonlySet<string> = new Set([...NAMES, ...IN_FILES.map((name) => `${name}_FILE`)]);
/** A lease runs for six seconds and pings are a second apart at least; besides, clients need time to come back. */
const RESUME_WINDOW_MIN_MS = 10_000;

/** What a node would refuse to start with, and what it would pass over in silence. */
export function checkConfiguration(
  environment: Environment,
  settings: Partial<Settings>,
  faults: readonly string[],
): Finding[] {
  const check = 'configuration';
  const wrong = faults.map((text) => fault(check, text, cureFor(text)));
  const set = NAMES.filter((name) => environment[name] || environment[`${name}_FILE`]).length;
  return [
    ...(wrong.length > 0 ? wrong : [ok(check, `${set} of ${NAMES.length} settings given, none at fault`)]),
    ...inMemory(environment),
    ...misspelled(environment),
    ...idle(environment, settings),
  ];
}

const SECRETS = /^(JWT_SECRET|TURN_SECRET|ADMIN_TOKEN|WEBHOOK_SECRET) (is not set|must be at least)/;

const CURES = [
  [
    'AUTH=required',
    'export JWT_SECRET="$(openssl rand -base64 48)", the same where tokens are made; or JWKS_URL=https://…',
  ],
  ['AUTH must not', 'unset AUTH, and give JWT_SECRET, JWT_PUBLIC_KEY or JWKS_URL'],
  ['ALLOWED_ORIGINS is not set', 'ALLOWED_ORIGINS=https://app.example.org, the origins of your pages'],
  ['REDIS_URL is not set', 'REDIS_URL=redis://…, the same for all nodes'],
  ['OPS_PORT is the same', 'OPS_PORT=9101'],
] as const;

function cureFor(text: string): string {
  const secret = SECRETS.exec(text)?.[1];
  if (secret !== undefined)
    return `export ${secret}="$(openssl rand -base64 48)", the same wherever it is shared`;
  const known = CURES.find(([start]) => text.startsWith(start));
  return (
    known?.[1] ?? 'a node does not start with this; docs/architecture.md, "Settings", says what it may be'
  );
}

/** In production exposure.ts warns of it. */
function inMemory(environment: Environment): Finding[] {
  const isNamed = ['REDIS_URL', 'REDIS_URLS'].some(
    (name) => environment[name] || environment[`${name}_FILE`],
  );
  if (isNamed || environment.NODE_ENV === 'production') return [];
  return [ok('redis', 'none named: one process, with its rooms in memory')];
}

/** Variables that look like ours and are none: nobody reads them. */
function misspelled(environment: Environment): Finding[] {
  return Object.keys(environment)
    .filter((name) => environment[name] && !KNOWN.has(name))
    .flatMap((name) => {
      const meant = meantBy(name);
      if (meant === undefined) return [];
      return [
        warning('configuration', `${name} is no setting, and nobody reads it`, `did you mean ${meant}?`),
      ];
    });
}

function meantBy(name: string): string | undefined {
  const secret = /^(.*)_FILE$/.exec(name)?.[1];
  return secret !== undefined && NAMES.includes(secret) ? secret : settingMeantBy(name, [...KNOWN]);
}

/** What is set and has not the effect that somebody will have meant. */
function idle(environment: Environment, settings: Partial<Settings>): Finding[] {
  const { AUTH, NODE_ENV, TURN_URLS, RESUME_WINDOW_MS = RESUME_WINDOW_MIN_MS } = settings;
  const isSet = (name: string) => !!environment[name] || !!environment[`${name}_FILE`];
  const findings: Finding[] = [];
  const say = (text: string, cure: string) => findings.push(warning('configuration', text, cure));
  const keys = ['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWKS_URL'].filter(isSet);
  if (AUTH === 'open' && keys.length > 0)
    say(`${keys.join(', ')} is set, and AUTH=open asks for no tokens`, 'unset AUTH, or set AUTH=required');
  if (isSet('TURN_SECRET') && !isSet('TURN_URLS') && TURN_URLS !== undefined)
    say('TURN_SECRET is set, and no TURN_URLS: nobody gets credentials', 'TURN_URLS=turn:turn.example.org');
  const homes = homesToCheck(settings);
  if (homes.length > 1 && homes.every(({ home }) => home !== settings.REGION))
    say(
      `REGION=${settings.REGION} is the name of no home: rooms that are created here lie in ${homes[0]?.home}, the first of REDIS_URLS`,
      `REGION=${homes[0]?.home}, or another name of REDIS_URLS`,
    );
  if (NODE_ENV !== undefined && NODE_ENV !== 'production' && NODE_ENV.toLowerCase().startsWith('prod'))
    say('NODE_ENV is not the word "production", so nothing risky is refused', 'NODE_ENV=production');
  if (RESUME_WINDOW_MS < RESUME_WINDOW_MIN_MS)
    say(
      `RESUME_WINDOW_MS=${RESUME_WINDOW_MS} is less than it takes to notice a silent client or a dead node: sessions end that could go on`,
      `RESUME_WINDOW_MS=30000, the default; at least ${RESUME_WINDOW_MIN_MS}`,
    );
  return findings;
}
