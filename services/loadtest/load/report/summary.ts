import { styleText } from 'node:util';
import { type Change, countText, ratioText, timeText } from '@fenghuo/web/report';

import { commandLine } from './command-line.ts';
import { changes } from './compare.ts';
import { facts } from './facts.ts';
import { type Latency, measuredLatencies, type Result } from './result.ts';
import { shownValue } from './slo.ts';

const VERDICT_TEXTS = {
  pass: 'PASS',
  slo_failed: 'FAIL',
  invalid: 'INVALID: the generator was too slow; the figures are its own, not the target’s',
  unreachable: 'UNREACHABLE',
} as const satisfies Record<Result['verdict'], string>;

const LATENCY_COLUMNS = [
  ['count', ({ count }) => countText(count)],
  ['p50', ({ p50Ms }) => timeText(p50Ms)],
  ['p90', ({ p90Ms }) => timeText(p90Ms)],
  ['p95', ({ p95Ms }) => timeText(p95Ms)],
  ['p99', ({ p99Ms }) => timeText(p99Ms)],
  ['p99.9', ({ p999Ms }) => timeText(p999Ms)],
  ['max', ({ maxMs }) => timeText(maxMs)],
] as const satisfies readonly (readonly [string, (latency: Latency) => string])[];

interface SummaryOptions {
  readonly hasColours?: boolean;
  /** An earlier run to compare with. */
  readonly before?: Result | undefined;
}

/** The end of a run in the terminal: what was lost first, then what was asked, then how fast it was. */
export function summaryText(result: Result, { hasColours = false, before }: SummaryOptions = {}): string {
  const paint = (colour: 'bold' | 'dim' | 'green' | 'red', text: string) =>
    hasColours ? styleText(colour, text, { validateStream: false }) : text;
  const isPass = result.verdict === 'pass';
  const rows = facts(result);
  const width = Math.max(...rows.map(([what]) => what.length));
  const comparison = before === undefined ? [] : [CHANGE_COLUMNS, ...changeRows(changes(before, result))];
  return [
    '',
    paint(isFaultless(result) ? 'green' : 'red', headline(result)),
    '',
    ...aligned(slos(result), 2).map(
      (line, index) => `  ${paint(result.slos[index]?.isMet ? 'green' : 'red', line)}`,
    ),
    '',
    ...aligned(latencyTable(result)).map((line, index) => `  ${index === 0 ? paint('dim', line) : line}`),
    '',
    ...rows.map(([what, text]) => `  ${paint('dim', what.padEnd(width))}  ${text}`),
    `  ${paint('dim', 'again'.padEnd(width))}  ${commandLine(result)}`,
    ...(comparison.length === 0 ? [] : ['', ...aligned(comparison).map((line) => `  ${line}`)]),
    '',
    paint(isPass ? 'green' : 'red', paint('bold', VERDICT_TEXTS[result.verdict])),
    ...result.reasons.map((reason) => `  ${reason}`),
    '',
  ].join('\n');
}

const CHANGE_COLUMNS = ['', 'before', 'now', 'ratio', ''];

/** The same for people who read it in a repository or a pull request. */
export function summaryMarkdown(result: Result, comparison: readonly Change[] = []): string {
  const [head = [], ...latencies] = latencyTable(result);
  return [
    `# Load test \`${result.scenario}\`: ${VERDICT_TEXTS[result.verdict]}`,
    `**${headline(result)}**`,
    result.reasons.map((reason) => `- ${cell(reason)}`).join('\n'),
    table(['', 'asked', 'measured'], slos(result)),
    latencies.length === 0 ? '' : `## Latencies\n\n${table(head, latencies)}`,
    comparison.length === 0
      ? ''
      : `## Against the earlier run\n\n${table(CHANGE_COLUMNS, changeRows(comparison))}`,
    `## The run\n\n${table(['', ''], facts(result))}`,
    `\`\`\`sh\n${commandLine(result)}\n\`\`\``,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function headline({ signals }: Result): string {
  const { lost, doubled, reordered, misrouted, expected } = signals;
  return `${countText(lost)} lost, ${countText(doubled)} doubled, ${countText(reordered)} reordered, ${countText(misrouted)} misrouted of ${countText(expected)} signals`;
}

function isFaultless({ signals }: Result): boolean {
  return signals.lost + signals.doubled + signals.reordered + signals.misrouted === 0;
}

function slos(result: Result): string[][] {
  return result.slos.map((slo) => [slo.isMet ? '✓' : '✗', slo.text, shownValue(slo) ?? 'not measured']);
}

function latencyTable(result: Result): string[][] {
  const rows = measuredLatencies(result).map(([name, latency]) => [
    name,
    ...LATENCY_COLUMNS.map(([, text]) => text(latency)),
  ]);
  return rows.length === 0 ? [] : [['latency', ...LATENCY_COLUMNS.map(([name]) => name)], ...rows];
}

function changeRows(comparison: readonly Change[]): string[][] {
  return comparison.map(({ metric, before, after, ratio, trend }) => [
    metric,
    before,
    after,
    ratio === undefined ? '–' : ratioText(ratio),
    trend,
  ]);
}

/** Columns below each other: words to the left, the figures after them to the right. */
function aligned(rows: readonly (readonly string[])[], wordColumns = 1): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, column) =>
        column < wordColumns ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** A bar would end the cell, and a `<` might begin an element. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<').replaceAll('\n', ' ');
}
