import { BARS, type Bars } from './attack.ts';
import type { DrillReport, HonestReport, Latency } from './drill.ts';

const MIB = 1_048_576;

/** Which bars a drill missed, in words; none: it held. */
export function missesOf(report: DrillReport): string[] {
  const bars = { ...BARS, ...report.attack.bars };
  return [
    ...report.deaths,
    ...slower('relay', report.calm.relay, report.attacked.relay, bars),
    ...(bars.joinP99MsMax === undefined
      ? slower('join', report.calm.join, report.attacked.join, bars)
      : over('join p99', report.attacked.join.p99Ms, bars.joinP99MsMax, 'ms')),
    ...refusals('under attack', report.attacked, bars),
    ...refusals('afterwards', report.after, bars),
    ...over(
      'node memory grew by',
      growth(report.memory.before, report.memory.peak),
      bars.nodeGrowthBytesMax / MIB,
      'MB',
    ),
    ...over(
      'Redis grew by',
      growth(report.redis.before.bytes, report.redis.after.bytes),
      bars.redisGrowthBytesMax / MIB,
      'MB',
    ),
    ...over('keys left in Redis', report.redis.after.keys - report.redis.before.keys, bars.redisKeysMax, ''),
    ...(bars.coreShareMax === undefined
      ? []
      : over('a node’s core, more than calm', extraShare(report), bars.coreShareMax, '')),
    ...(bars.mustClose && report.siege.stillOpen > 0
      ? [`${report.siege.stillOpen} attacking connections still open`]
      : []),
    ...(report.isReadyAfter ? [] : ['not ready afterwards']),
    ...report.siege.checks.filter(({ isOk }) => !isOk).map(({ text }) => text),
    ...(report.siege.error === undefined ? [] : [`the attack failed: ${report.siege.error}`]),
    // An attack that did nothing shows nothing.
    ...(report.siege.opened === 0 && report.deaths.length === 0 ? ['the attack opened no connection'] : []),
  ];
}

/** What the attack took of a core, beside what honest people take. */
export function extraShare({ coreShare }: DrillReport): number {
  return Math.max(0, coreShare.attacked - coreShare.calm);
}

function slower(what: string, calm: Latency, attacked: Latency, { p99RatioMax, p99FloorMs }: Bars): string[] {
  const max = Math.max(p99FloorMs, p99RatioMax * (calm.p99Ms ?? 0));
  return over(`${what} p99`, attacked.p99Ms, max, 'ms');
}

function refusals(when: string, { refused }: HonestReport, { refusedMax }: Bars): string[] {
  const count = Object.values(refused).reduce((sum, each) => sum + each, 0);
  if (count <= refusedMax) return [];
  const codes = Object.entries(refused).map(([code, times]) => `${times} ${code}`);
  return [`honest refused ${when}: ${codes.join(', ')}`];
}

/** `value` undefined: nobody got so far, which counts where someone should have. */
function over(what: string, value: number | undefined, max: number, unit: string): string[] {
  if (value === undefined) return [];
  if (value <= max) return [];
  return [`${what} ${round(value)} ${unit} > ${round(max)}`.replaceAll('  ', ' ')];
}

function growth(before: number, after: number): number {
  // A Redis that no longer answers has no figure; that is a miss, too.
  return Number.isNaN(after) ? Number.POSITIVE_INFINITY : (after - before) / MIB;
}

function round(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}
