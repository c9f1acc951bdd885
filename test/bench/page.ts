import { threeDigits } from '@fenghuo/web/report';

import type { MeasuredRatio, Result, Row } from './result.ts';
import { FIGURES, type FigureText, sizeText, verdictOf } from './tables.ts';

const BAR_PX = 22;
const NAME_PX = 150;
const BARS_PX = 420;
const WIDTH_PX = 720;
const RATIO_MAX = 4;

const STYLE = `
:root { color-scheme: dark light; --page: light-dark(#fffaf1, #171c2e); --ink: light-dark(#2b2420, #f3ead9);
  --quiet: light-dark(#6f6257, #b3a996); --other: light-dark(#8d9bb8, #5d6c94); --own: #e8703a; --good: light-dark(#2c7a3f, #7fd08f);
  --bad: light-dark(#b3261e, #ff8a80); }
body { margin: 2rem auto; max-width: 760px; padding: 0 1rem; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1rem; margin: 2rem 0 .3rem; } p { color: var(--quiet); }
svg { width: 100%; height: auto; display: block; } text { fill: var(--ink); font: 12px system-ui, sans-serif; }
.quiet { fill: var(--quiet); } .other { fill: var(--other); } .own { fill: var(--own); } .spread, .bar { stroke: var(--ink); }
.goal { stroke: var(--good); stroke-dasharray: 3 2; } .missed { fill: var(--bad); }
.floor { fill: none; stroke: var(--ink); stroke-width: 2; }`;

/** A page that works from a file: bars for every figure, and the ratios with their bars and goals. It runs no script. */
export function pageHtml(result: Result): string {
  const valid = result.rows.filter(({ faults }) => faults.length === 0);
  const plots = FIGURES.map((figure) => plotOf(figure, valid)).join('');
  const voids = result.rows
    .filter(({ faults }) => faults.length > 0)
    .map(
      ({ title, faults }) => `<p class="missed">Void: ${escaped(title)}: ${escaped(faults.join('; '))}</p>`,
    )
    .join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Fenghuo: the cost of a message</title>
<style>${STYLE}</style>
</head>
<body>
<h1>The cost of a message</h1>
<p>${escaped(sizeText(result))}${result.isQuick ? ' A quick run: its figures are rough.' : ''}
Bars are medians, thin lines reach from the least to the greatest round.</p>
${voids}${ratioPlot(result.ratios)}${plots}
</body>
</html>
`;
}

function plotOf({ name, text, per }: FigureText, rows: readonly Row[]): string {
  const bars = rows.flatMap(({ name: row, figures }) => {
    const spread = figures[name];
    return spread === undefined ? [] : [{ row, ...spread }];
  });
  const max = Math.max(...bars.map((bar) => bar.max));
  if (bars.length === 0 || !(max > 0)) return '';
  const x = (value: number) => NAME_PX + (Math.max(0, value) / max) * BARS_PX;
  const lines = bars.map(({ row, median, min, max: most }, index) => {
    const y = index * BAR_PX;
    return `<text x="0" y="${y + 15}">${escaped(row)}</text>
<rect class="${row === 'fenghuo' ? 'own' : 'other'}" x="${NAME_PX}" y="${y + 4}" width="${x(median) - NAME_PX}" height="14"/>
<line class="spread" x1="${x(min)}" x2="${x(most)}" y1="${y + 11}" y2="${y + 11}"/>
<text x="${x(most) + 8}" y="${y + 15}">${threeDigits(median / per)}</text>`;
  });
  return `<h2>${escaped(text)}</h2>${svg(bars.length, text, lines.join('\n'))}`;
}

/** Each ratio as a bar, its limit an upright, its far goal a dashed one, and what it would be of ws-log a ring. */
function ratioPlot(ratios: readonly MeasuredRatio[]): string {
  const measured = ratios.filter(({ spread, unit }) => spread !== undefined && unit === undefined);
  if (measured.length === 0) return '';
  const x = (value: number) => NAME_PX + (Math.min(RATIO_MAX, value) / RATIO_MAX) * BARS_PX;
  const lines = measured.map((ratio, index) => {
    const [y, median] = [index * 2 * BAR_PX, ratio.spread?.median ?? 0];
    const verdict = verdictOf(ratio);
    const floor = ratio.floor?.median;
    const after = Math.max(median, ratio.bar ?? 0, ratio.goal, floor ?? 0);
    const upright = (value: number | undefined, kind: string) =>
      value !== undefined
        ? `<line class="${kind}" x1="${x(value)}" x2="${x(value)}" y1="${y + 20}" y2="${y + 42}"/>`
        : '';
    return `<text x="0" y="${y + 15}">${escaped(ratio.text)}</text>
<text class="quiet" x="0" y="${y + 36}">${ratio.is}</text>
<rect class="${verdict === 'missed' ? 'missed' : 'own'}" x="${NAME_PX}" y="${y + 24}" width="${x(median) - NAME_PX}" height="14"/>
${upright(ratio.bar, 'bar')}${upright(ratio.goal, 'goal')}${floor === undefined ? '' : `<circle class="floor" cx="${x(floor)}" cy="${y + 31}" r="4"/>`}
<text x="${x(after) + 8}" y="${y + 36}">${threeDigits(median)}${verdict === '' ? '' : ` (${verdict})`}</text>`;
  });
  return `<h2>Ratios: the limit an upright, the far goal a dashed one; the ring is ws-log, which keeps messages and does no more</h2>${svg(measured.length * 2, 'Ratios', lines.join('\n'))}`;
}

function svg(rows: number, label: string, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH_PX} ${rows * BAR_PX}" role="img" aria-label="${escaped(label)}">${content}</svg>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
