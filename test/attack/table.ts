import type { DrillReport, Latency } from './drill.ts';
import { missesOf } from './verdict.ts';

const MIB = 1_048_576;
const HEAD = [
  'row',
  'attack',
  'nodes',
  'relay p99 ms: calm, attacked, after',
  'join p99 ms: calm, attacked, after',
  'honest refused',
  'node MB: before, peak, after',
  'Redis MB, keys: before, after',
  'core of a node: calm, attacked',
  'attackers’ connections: opened, turned away, closed by the node',
  'answers to attackers',
  'verdict',
];

/** The rows as docs/reliability.md has them. */
export function markdown(reports: readonly DrillReport[]): string {
  const lines = [HEAD, HEAD.map(() => '---'), ...reports.map(cells)];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** One drill, for whoever watches. */
export function lineOf(report: DrillReport): string {
  const misses = missesOf(report);
  return misses.length === 0 ? 'held' : `MISSED: ${misses.join('; ')}`;
}

function cells(report: DrillReport): string[] {
  const { attack, deaths, calm, attacked, after, memory, redis, coreShare, siege } = report;
  const p99s = (read: 'relay' | 'join') => [calm, attacked, after].map((each) => ms(each[read])).join(', ');
  const refused = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((sum, each) => sum + each, 0);
  return [
    attack.id,
    `${attack.title} (${report.seconds} s)`,
    deaths.length === 0 ? 'live' : `${deaths.length} dead`,
    p99s('relay'),
    p99s('join'),
    String(refused(attacked.refused) + refused(after.refused)),
    [memory.before, memory.peak, memory.after].map(mb).join(', '),
    `${mb(redis.before.bytes)}, ${redis.before.keys}; ${mb(redis.after.bytes)}, ${redis.after.keys}`,
    `${coreShare.calm.toFixed(2)}, ${coreShare.attacked.toFixed(2)}`,
    `${siege.opened}, ${refused(siege.turnedAway)}, ${siege.closedByNode}`,
    answersOf(siege.answers),
    lineOf(report).replaceAll('|', '/'),
  ];
}

function answersOf(answers: Readonly<Record<string, number>>): string {
  const most = Object.entries(answers).sort(([, a], [, b]) => b - a);
  return most.map(([code, times]) => `${times} ${code}`).join(', ') || 'none';
}

function ms({ p99Ms }: Latency): string {
  if (p99Ms === undefined) return 'none';
  return p99Ms >= 10 ? p99Ms.toFixed(0) : p99Ms.toFixed(1);
}

function mb(bytes: number): string {
  return Number.isNaN(bytes) ? 'no answer' : (bytes / MIB).toFixed(0);
}
