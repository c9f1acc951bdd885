import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { clock, fineFigure } from '../figures.ts';
import { figuresOf, type Line, linesOf, type Measure } from '../history.ts';
import { useStore, useStrings } from './store-context.ts';

/** What is shown of the past: what there is, within these bounds. */
const SHOWN_S_MIN = 60;
const SHOWN_S_MAX = 300;
const HEIGHT_PX = 168;
/** Lines differ by their dashes, too: nodes often have the same figures, and one line would hide the other. */
const DASHES = [[], [9, 5], [3, 3], [12, 3, 3, 3], [6, 2], [1, 4]];

/** A measure of each node over the last minutes; for those who do not see it, in words. */
export function Chart({ title, measure }: { title: string; measure: Measure }) {
  const { samples } = useStore();
  const strings = useStrings();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const isDark = useDarkness();
  const lines = linesOf(samples.value, measure);
  const names = lines.map(({ node }) => node ?? strings.otherNodes);
  const data = [samples.value.map(({ at }) => at / 1_000), ...lines.map(({ values }) => [...values])];
  const shape = JSON.stringify([names, isDark]);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const drawn = new uPlot(optionsOf(element, names), data as uPlot.AlignedData, element);
    plot.current = drawn;
    const observer = new ResizeObserver(() =>
      drawn.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
    // Another set of lines, or other colours, make another plot; new samples do not.
  }, [shape]);
  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [samples.value]);

  return (
    <figure class="card chart" data-testid={`chart-${measure}`}>
      <figcaption>{title}</figcaption>
      <div ref={box} class="plot" aria-hidden="true" />
      <p class="unseen" data-testid="figures">
        {lines.length === 0 ? strings.noFigures : lines.map((line) => inWords(line, strings)).join(' ')}
      </p>
    </figure>
  );
}

type Strings = ReturnType<typeof useStrings>;

function inWords(line: Line, strings: Strings): string {
  const figures = figuresOf(line);
  if (figures === undefined) return '';
  const { now, least, most } = figures;
  return strings.figures(
    line.node ?? strings.otherNodes,
    fineFigure(now),
    fineFigure(least),
    fineFigure(most),
  );
}

function optionsOf(box: HTMLElement, names: readonly string[]): uPlot.Options {
  const style = getComputedStyle(box);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--quiet'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1, dash: [2, 4] },
    ticks: { show: false },
  };
  return {
    width: box.clientWidth,
    height: HEIGHT_PX,
    padding: [8, 26, 0, 0],
    legend: { live: false },
    cursor: { sync: { key: 'nodes' }, drag: { x: false, y: false }, y: false },
    scales: {
      x: { range: (_, min, max) => [Math.max(Math.min(min, max - SHOWN_S_MIN), max - SHOWN_S_MAX), max] },
      y: { range: (_, _min, max) => [0, Math.max(max * 1.15, 5)] },
    },
    axes: [
      {
        ...axis,
        space: 62,
        size: 26,
        values: (_, splits) => splits.map((at) => clock(new Date(at * 1_000))),
      },
      { ...axis, space: 28, size: 46, values: (_, splits) => splits.map((value) => uPlot.fmtNum(value)) },
    ],
    series: [
      {},
      ...names.map((label, index) => ({
        label,
        stroke: colour(`--line-${index + 1}`),
        dash: DASHES[index] ?? [],
        width: 2,
        points: { show: false },
      })),
    ],
    plugins: [tooltip()],
  };
}

/** What the lines say where the cursor is. */
function tooltip(): uPlot.Plugin {
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  return {
    hooks: {
      init: (plot) => void plot.over.append(tip),
      setCursor: (plot) => {
        const { idx, left = -1 } = plot.cursor;
        const at = idx === null || idx === undefined ? undefined : plot.data[0][idx];
        tip.hidden = at === undefined || left < 0;
        if (tip.hidden || at === undefined || idx === null || idx === undefined) return;
        tip.replaceChildren(text('b', clock(new Date(at * 1_000))), ...valuesAt(plot, idx));
        const isRight = left > plot.over.clientWidth / 2;
        tip.style.left = isRight ? 'auto' : `${left + 12}px`;
        tip.style.right = isRight ? `${plot.over.clientWidth - left + 12}px` : 'auto';
      },
    },
  };
}

function valuesAt(plot: uPlot, idx: number): HTMLElement[] {
  return plot.series.slice(1).flatMap(({ label }, index) => {
    const value = plot.data[index + 1]?.[idx];
    if (value === null || value === undefined) return [];
    const row = text('span', '');
    const swatch = text('i', '');
    swatch.className = 'swatch';
    swatch.dataset.line = String(index + 1);
    row.append(swatch, text('span', String(label)), text('b', fineFigure(value)));
    return [row];
  });
}

function text(tag: string, content: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = content;
  return element;
}

/** Whether the page is dark now: a canvas does not take up colours by itself. */
function useDarkness(): boolean {
  const [isDark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const change = () => setDark(query.matches);
    query.addEventListener('change', change);
    return () => query.removeEventListener('change', change);
  }, []);
  return isDark;
}
