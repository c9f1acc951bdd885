import { parseRedisUrl } from '../backplane/redis/redis-url.ts';
import type { Environment } from '../config.ts';
import { withFiles } from '../secret-files.ts';
import type { Finding, Level } from './finding.ts';
import { redisUrlsGiven } from './homes.ts';

const LEVELS: readonly Level[] = ['fault', 'warning', 'ok'];

/** Aligned lines, the cure under its cause. Plain: they go into tickets and logs. */
export function asLines(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const indent = ' '.repeat('warning'.length + 2 + width + 2);
  const lines = findings.flatMap(({ level, check, text, cure }) => [
    `${level.padEnd('warning'.length)}  ${check.padEnd(width)}  ${text}`,
    ...(cure === undefined ? [] : [`${indent}→ ${cure}`]),
  ]);
  return `${lines.join('\n')}\n\n${summary(findings)}\n`;
}

export function asJson(findings: readonly Finding[]): string {
  const counts = Object.fromEntries(LEVELS.map((level) => [level, count(findings, level)]));
  return `${JSON.stringify({ ok: counts.fault === 0, counts, findings }, undefined, 2)}\n`;
}

function summary(findings: readonly Finding[]): string {
  const [faults = 0, warnings = 0, fine = 0] = LEVELS.map((level) => count(findings, level));
  return `${plural(faults, 'fault')}, ${plural(warnings, 'warning')}, ${fine} ok`;
}

function count(findings: readonly Finding[], level: Level): number {
  return findings.filter((finding) => finding.level === level).length;
}

function plural(many: number, what: string): string {
  return `${many === 0 ? 'no' : many} ${what}${many === 1 ? '' : 's'}`;
}

/** Shorter ones would be found in innocent words. */
const SECRET_CHARS_MIN = 6;

/** Errors come in the words of libraries and servers: whatever they say, no secret of the environment is in it. */
export function withoutSecrets(findings: readonly Finding[], environment: Environment): Finding[] {
  const { settings } = withFiles(environment);
  const { JWT_SECRET, TURN_SECRET, ADMIN_TOKEN, WEBHOOK_SECRET } = settings;
  const passwords = redisUrlsGiven(settings).flatMap(({ url }) => [
    /^[^/]*\/\/[^:@/]*:?(.*)@/.exec(url)?.[1],
    parseRedisUrl(url)?.credentials.password,
  ]);
  const secrets = [JWT_SECRET, TURN_SECRET, ADMIN_TOKEN, WEBHOOK_SECRET, ...passwords]
    .flatMap((text) => text?.split(/\s+/) ?? [])
    .filter((secret) => secret.length >= SECRET_CHARS_MIN);
  const clean = (text: string) => secrets.reduce((left, secret) => left.replaceAll(secret, '…'), text);
  return findings.map((finding) => ({
    ...finding,
    text: clean(finding.text),
    ...(finding.cure === undefined ? {} : { cure: clean(finding.cure) }),
  }));
}
