import { parseRedisUrl, type RedisHome } from '../backplane/redis/redis-url.ts';
import type { Environment, Settings } from '../config.ts';
import { withFiles } from '../secret-files.ts';
import { type Finding, fault, ok, warning } from './finding.ts';
import { redisUrlsGiven } from './homes.ts';

interface Secret {
  readonly name: string;
  readonly value: string;
}

/** Words that stand in examples and first drafts; whoever guesses begins with them. */
const EXAMPLES =
  /secret|passw|change|example|default|admin|letmein|qwerty|123456|abcdef|test|demo|fenghuo|coturn|your-|todo|xxxx/i;
const CURE = 'openssl rand -base64 48';
/** Random base64 of 32 characters has about 24 different ones, and never as few as this. */
const DIFFERENT_CHARS_MIN = 12;
/** Hex has 16 of them, so it may have fewer, and wants more length. */
const HEX_DIFFERENT_MIN = 9;
/** Of one that is hard to guess, at least as much is no word of an example. */
const BEYOND_EXAMPLE_MIN = 24;

/** Whether anybody could guess what nobody may know; says nothing of what it is. */
export function checkSecrets(environment: Environment, { NODE_ENV }: Partial<Settings>): Finding[] {
  const secrets = secretsOf(environment);
  const level = NODE_ENV === 'production' ? fault : warning;
  const weak = secrets.flatMap(({ name, value }) => {
    const why = weaknessOf(value);
    return why === undefined ? [] : [level('secrets', `${name} ${why}`, `make another: ${CURE}`)];
  });
  const findings = [...weak, ...shared(secrets)];
  if (findings.length > 0 || secrets.length === 0) return findings;
  return [ok('secrets', `${secrets.map(({ name }) => name).join(', ')}: hard to guess, each its own`)];
}

function secretsOf(environment: Environment): Secret[] {
  const { settings } = withFiles(environment);
  const listed = ['JWT_SECRET', 'TURN_SECRET', 'ADMIN_TOKEN'].flatMap((name) => {
    const values = settings[name]?.split(/\s+/).filter((value) => value !== '') ?? [];
    return values.map((value, at) => ({
      name: values.length > 1 ? `${name} (number ${at + 1})` : name,
      value,
    }));
  });
  const { WEBHOOK_SECRET } = settings;
  const single = WEBHOOK_SECRET === undefined ? [] : [{ name: 'WEBHOOK_SECRET', value: WEBHOOK_SECRET }];
  return [...listed, ...single, ...passwordsOf(redisUrlsGiven(settings))];
}

/** Two homes may have the same. */
function passwordsOf(homes: readonly RedisHome[]): Secret[] {
  const byValue = Map.groupBy(homes, ({ url }) => parseRedisUrl(url)?.credentials.password);
  return [...byValue].flatMap(([value, those]) => {
    const names = those.map(({ home }) => home).join(', ');
    const name = homes.length > 1 ? `REDIS_URLS' password of ${names}` : "REDIS_URL's password";
    return value === undefined ? [] : [{ name, value }];
  });
}

/** Why a secret is easily guessed; undefined where it is not. */
export function weaknessOf(secret: string): string | undefined {
  if (secret.length < 16) return `is short: ${secret.length} characters`;
  if (period(secret) <= secret.length / 2) return 'repeats itself';
  const word = EXAMPLES.exec(secret)?.[0];
  if (word !== undefined && secret.length - word.length < BEYOND_EXAMPLE_MIN)
    return 'reads like an example from a document';
  if (isSentence(secret)) return 'is made of words';
  const isHex = /^[\da-f-]+$/i.test(secret);
  if (new Set(secret).size < (isHex ? HEX_DIFFERENT_MIN : DIFFERENT_CHARS_MIN))
    return 'is made of very few different characters';
  return isRow(secret) ? 'is a row of neighbours in the alphabet' : undefined;
}

/** After how many characters it begins again. */
function period(text: string): number {
  for (let length = 1; length <= text.length / 2; length += 1) {
    if (
      text ===
      text
        .slice(0, length)
        .repeat(Math.ceil(text.length / length))
        .slice(0, text.length)
    )
      return length;
  }
  return text.length;
}

/** Small letters in words, as in "a-secret-of-at-least-thirty-two-bytes": chance mixes in capitals and digits. */
function isSentence(text: string): boolean {
  return /^[a-z]+([-_ .][a-z]+)+$/.test(text);
}

function isRow(text: string): boolean {
  const steps = [...text].slice(1).filter((char, at) => char.charCodeAt(0) - text.charCodeAt(at) === 1);
  return steps.length > text.length / 2;
}

function shared(secrets: readonly Secret[]): Finding[] {
  return secrets.flatMap(({ name, value }, at) => {
    const twin = secrets.slice(at + 1).find((other) => other.value === value);
    if (twin === undefined) return [];
    const text = `${name} and ${twin.name} are the same: who learns one has both`;
    return [warning('secrets', text, `give each its own: ${CURE}`)];
  });
}
