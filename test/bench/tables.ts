import { threeDigits } from '@fenghuo/web/report';

import type { MeasuredRatio, Result, Row, Spread } from './result.ts';

/** A column of the table, or a plot of the page. */
export interface FigureText {
  readonly name: string;
  readonly text: string;
  /** What the stored value is divided by. */
  readonly per: number;
}

/** In the order in which they are read. */
export const FIGURES: readonly FigureText[] = [
  { name: 'saturationNodesUs', text: 'saturation: node CPU, µs a message', per: 1 },
  { name: 'saturationRedisUs', text: 'saturation: Redis CPU, µs a message', per: 1 },
  { name: 'saturationPerSecond', text: 'saturation: messages/s', per: 1 },
  { name: 'fixedNodesUs', text: '2,000/s: node CPU, µs a message', per: 1 },
  { name: 'fixedRedisUs', text: '2,000/s: Redis CPU, µs a message', per: 1 },
  { name: 'fixedP50Us', text: '2,000/s: latency p50, µs', per: 1 },
  { name: 'fixedP95Us', text: '2,000/s: latency p95, µs', per: 1 },
  { name: 'fixedP99Us', text: '2,000/s: latency p99, µs', per: 1 },
  { name: 'bystanderUs', text: 'bystander: CPU, µs a message', per: 1 },
  { name: 'bystanderBytes', text: 'bystander: bytes read a message', per: 1 },
  { name: 'joinsPerSecond', text: 'joins/s', per: 1 },
  { name: 'joinUs', text: 'node CPU, µs a join', per: 1 },
  { name: 'idleBytes', text: 'idle connection: RSS, KiB', per: 1_024 },
  { name: 'stormS', text: 'all at once: until all are in, s', per: 1 },
  { name: 'stormFailed', text: 'all at once: never got in', per: 1 },
  { name: 'wideUs', text: '4 nodes, 2,000/s: CPU, µs a message', per: 1 },
  { name: 'meshUs', text: 'room of 20 over 4 nodes: CPU, µs a message', per: 1 },
  { name: 'widestUs', text: '8 nodes, 2,000/s: CPU, µs a message', per: 1 },
  { name: 'saturationGeneratorUs', text: 'generator, saturation: CPU, µs a message', per: 1 },
  { name: 'saturationGeneratorShare', text: 'generator, saturation: share of a core', per: 1 },
  { name: 'latenessP50Us', text: 'generator, 2,000/s: late by, p50 µs', per: 1 },
  { name: 'latenessP99Us', text: 'generator, 2,000/s: late by, p99 µs', per: 1 },
];

/** The result as Markdown: figures of each contestant, ratios with bar and goal, what was void. */
export function markdown(result: Result): string {
  const shown = FIGURES.filter(({ name }) => result.rows.some(({ figures }) => figures[name] !== undefined));
  const valid = result.rows.filter(({ faults }) => faults.length === 0);
  return [
    `${result.isQuick ? 'A quick run: its figures are rough. ' : ''}${sizeText(result)}`,
    '',
    table(
      ['figure', ...valid.map(({ name }) => name)],
      shown.map(({ name, text, per }) => [
        text,
        ...valid.map(({ figures }) => spreadText(figures[name], per)),
      ]),
    ),
    '',
    'Medians, in brackets the least and the greatest round.',
    ...voids(result.rows),
    '',
    table(
      ['ratio', 'median', 'rounds', 'bar', 'far goal', '', 'of ws-log'],
      result.ratios.map((ratio) => [
        ratio.text,
        ratio.spread === undefined ? 'not measured' : amount(ratio, ratio.spread.median),
        ratio.spread === undefined ? '' : `${two(ratio.spread.min)} to ${two(ratio.spread.max)}`,
        ratio.bar === undefined ? '' : `${sign(ratio)} ${amount(ratio, ratio.bar)}`,
        `${sign(ratio)} ${amount(ratio, ratio.goal)}`,
        verdictOf(ratio),
        ratio.floor === undefined ? '' : amount(ratio, ratio.floor.median),
      ]),
    ),
    '',
  ].join('\n');
}

export function sizeText({ rounds, windowMs, machine, startedAt, tookS }: Result): string {
  return `${startedAt}, ${rounds} rounds of ${windowMs / 1_000} s a figure, ${tookS} s in all; ${machine.cpus} × ${machine.cpu}, Node ${machine.node}, load before ${two(machine.loadBefore)}.`;
}

function voids(rows: readonly Row[]): string[] {
  const lines = rows.flatMap(({ name, faults }) =>
    faults.length === 0 ? [] : [`- **void: ${name}**: ${[...new Set(faults)].join('; ')}`],
  );
  return lines.length === 0 ? [] : ['', ...lines];
}

export function verdictOf(ratio: MeasuredRatio): string {
  if (ratio.spread === undefined) return '';
  const { median } = ratio.spread;
  const meets = (limit: number) => (ratio.is === 'at most' ? median <= limit : median >= limit);
  if (meets(ratio.goal)) return 'goal';
  if (ratio.bar === undefined) return '';
  return meets(ratio.bar) ? 'bar' : 'missed';
}

function spreadText(spread: Spread | undefined, per: number): string {
  if (spread === undefined) return '';
  const [middle, min, max] = [spread.median, spread.min, spread.max].map((value) => threeDigits(value / per));
  return spread.values.length === 1 ? `${middle}` : `${middle} (${min}–${max})`;
}

function amount({ unit }: MeasuredRatio, value: number): string {
  return unit === undefined ? two(value) : `${two(value)} ${unit}`;
}

function sign({ is }: MeasuredRatio): string {
  return is === 'at most' ? '≤' : '≥';
}

function two(value: number): string {
  return String(Number(value.toFixed(2)));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, n) => Math.max(3, cell.length, ...rows.map((row) => row[n]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
