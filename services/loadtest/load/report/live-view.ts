import { stripVTControlCharacters, styleText } from 'node:util';

import { clockText, countText, shareText, threeDigits, timeText } from '@fenghuo/web/report';

/** How a run stands, for those who watch it. */
export interface Progress {
  readonly scenario: string;
  readonly phase: string;
  readonly elapsedS: number;
  readonly durationS: number;
  readonly connected: number;
  readonly target: number;
  /** Signals per second, over the last interval. */
  readonly ratePerS: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly maxMs?: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly misrouted: number;
  /** Of the generator's event loop. */
  readonly lagP99Ms: number;
  /** The last rates, oldest first. */
  readonly recentRates: readonly number[];
}

export interface LiveView {
  show(progress: Progress): void;
  /** A line that stays, above what is redrawn. */
  say(line: string): void;
  /** Takes the block away; what comes next is written where it began. */
  end(): void;
}

/** Where a view is written: a terminal knows its width, which may change, and its colours. */
export interface Screen {
  write(text: string): unknown;
  readonly columns?: number | undefined;
  hasColors?(): boolean;
}

/** A generator that lags more is not believed. */
const LAG_MS_MAX = 10;
const PLAIN_EVERY_S = 5;
const LABEL_COLUMNS = 11;
const COLUMNS_MIN = 20;
const COLUMNS_SHOWN_MAX = 110;
const SPARKS = '▁▂▃▄▅▆▇█';

/** Shows a run while it goes on: one block that is redrawn in a terminal, else a line now and then. */
export function liveView(screen: Screen, { isTty, columns }: { isTty: boolean; columns: number }): LiveView {
  return isTty ? blockView(screen, columns) : lineView(screen);
}

function blockView(screen: Screen, columns: number): LiveView {
  const paint = painter(screen.hasColors?.() ?? false);
  let drawn: readonly string[] = [];
  const width = () => Math.max(COLUMNS_MIN, screen.columns ?? columns);

  /** To where the block began. Lines that a terminal, grown narrower, has broken take several rows. */
  function back(): string {
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / width())), 0);
    return rows === 0 ? '' : `\u001b[${rows}A\r`;
  }
  function draw(lines: readonly string[], above: readonly string[] = []): void {
    // One write a frame, each line written over the old one: nobody sees half of it, or a gap.
    screen.write(`${back()}${[...above, ...lines].map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
    drawn = lines;
  }
  return {
    // One column stays free, so that no terminal breaks a full line.
    show: (progress) => draw(block(progress, Math.min(width() - 1, COLUMNS_SHOWN_MAX), paint)),
    say: (line) => draw(drawn, [line]),
    end: () => draw([]),
  };
}

function lineView(screen: Screen): LiveView {
  let nextS = 0;
  let phase = '';
  return {
    show(progress) {
      if (progress.elapsedS < nextS && progress.phase === phase) return;
      nextS = (Math.floor(progress.elapsedS / PLAIN_EVERY_S) + 1) * PLAIN_EVERY_S;
      phase = progress.phase;
      screen.write(`${plainLine(progress)}\n`);
    },
    say: (line) => void screen.write(`${line}\n`),
    end: () => {},
  };
}

type Paint = (colour: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string) => string;

/** Six lines, none wider than the terminal. */
function block(progress: Progress, width: number, paint: Paint): string[] {
  const { scenario, phase, connected, target, ratePerS, recentRates, lagP99Ms } = progress;
  const label = (text: string) => paint('dim', text.padEnd(LABEL_COLUMNS));
  const lag = timeText(lagP99Ms);
  return [
    bar(progress, `${paint('bold', scenario)}  ${phase}  `, width, paint),
    `${label('connected')}${countText(connected)} of ${countText(target)}`,
    spark(`${label('signals')}${countText(ratePerS)}/s  `, recentRates, width, paint),
    `${label('relay')}${spread(latencies(progress), width)}`,
    `${label('faults')}${spread(faults(progress, paint), width)}`,
    `${label('generator')}lag p99 ${lagP99Ms > LAG_MS_MAX ? paint('red', `${lag}: too slow to be believed`) : lag}`,
  ].map((line) => clipped(line, width));
}

function bar(progress: Progress, before: string, width: number, paint: Paint): string {
  const after = `  ${clock(progress)}`;
  const room = width - widthOf(before) - after.length;
  if (room < 4) return `${before}${clock(progress)}`;
  const full = Math.round(room * share(progress));
  return `${before}${paint('yellow', '━'.repeat(full))}${paint('dim', '─'.repeat(room - full))}${after}`;
}

function spark(before: string, rates: readonly number[], width: number, paint: Paint): string {
  const room = Math.max(0, width - widthOf(before));
  const shown = rates.slice(-Math.min(room, 60));
  const top = Math.max(...shown, 1);
  const marks = shown.map((rate) => SPARKS[Math.round((Math.max(0, rate) / top) * (SPARKS.length - 1))]);
  return room === 0 ? before : `${before}${paint('yellow', marks.join(''))}`;
}

/** With room between the parts, where there is room. */
function spread(parts: readonly string[], width: number): string {
  const wide = parts.join('   ');
  return widthOf(wide) + LABEL_COLUMNS <= width ? wide : parts.join(' ');
}

function latencies({ p50Ms, p99Ms, maxMs }: Progress): string[] {
  const each = (name: string, value: number | undefined) =>
    value === undefined ? [] : [`${name} ${timeText(value)}`];
  const known = [...each('p50', p50Ms), ...each('p99', p99Ms), ...each('max', maxMs)];
  return known.length === 0 ? ['nothing arrived yet'] : known;
}

function faults(progress: Progress, paint: Paint): string[] {
  return (['lost', 'doubled', 'reordered', 'misrouted'] as const).map((fault) =>
    paint(progress[fault] === 0 ? 'green' : 'red', `${countText(progress[fault])} ${fault}`),
  );
}

function plainLine(progress: Progress): string {
  const { scenario, phase, connected, target, ratePerS, lagP99Ms } = progress;
  return [
    `${scenario} ${clock(progress)} (${shareText(Number(share(progress).toFixed(2)))})`,
    phase,
    `${countText(connected)} of ${countText(target)} connected`,
    `${countText(ratePerS)}/s`,
    latencies(progress).join(' '),
    faults(progress, (_, text) => text).join(' '),
    `lag p99 ${threeDigits(lagP99Ms)} ms`,
  ].join(' · ');
}

function share({ elapsedS, durationS }: Progress): number {
  return durationS > 0 ? Math.min(1, Math.max(0, elapsedS / durationS)) : 0;
}

/** `18 / 30 s`, `1:02:05 / 4:00:00` */
function clock({ elapsedS, durationS }: Progress): string {
  if (durationS < 120) return `${Math.floor(elapsedS)} / ${Math.round(durationS)} s`;
  return `${clockText(elapsedS)} / ${clockText(durationS)}`;
}

function painter(hasColours: boolean): Paint {
  return (colour, text) => (hasColours ? styleText(colour, text, { validateStream: false }) : text);
}

function widthOf(line: string): number {
  return [...stripVTControlCharacters(line)].length;
}

/** The line cut to the width; colours go where something is cut, since a cut might leave one open. */
function clipped(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  return `${[...stripVTControlCharacters(line)].slice(0, width - 1).join('')}…`;
}
