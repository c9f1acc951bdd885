import type uPlot from 'uplot';
import { lookOf, plainTicks } from '../../charts/look.ts';
import { Plot, type PlotOptions } from '../../charts/plot.tsx';
import { tooltip } from '../../charts/tooltip.ts';
import { clock, fineFigure } from '../figures.ts';
import { figuresOf, type Line, linesOf, type Measure } from '../history.ts';
import { useStore, useStrings } from './store-context.ts';

/** What is shown of the past: what there is, within these bounds. */
const SHOWN_S_MIN = 60;
const SHOWN_S_MAX = 300;
const HEIGHT_PX = 168;

/** A measure of each node over the last minutes; for those who do not see it, in words. */
export function Chart({ title, measure }: { title: string; measure: Measure }) {
  const { samples } = useStore();
  const strings = useStrings();
  const lines = linesOf(samples.value, measure);
  const names = lines.map(({ node }) => node ?? strings.otherNodes);
  const data = [samples.value.map(({ at }) => at / 1_000), ...lines.map(({ values }) => [...values])];

  return (
    <figure class="card chart" data-testid={`chart-${measure}`}>
      <figcaption>{title}</figcaption>
      <Plot
        data={data as uPlot.AlignedData}
        shape={names.join('\n')}
        optionsOf={(box) => optionsOf(box, names)}
        heightPx={HEIGHT_PX}
      />
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

function optionsOf(box: HTMLElement, names: readonly string[]): PlotOptions {
  const { axis, line } = lookOf(box);
  const clockOf = (atS: number) => clock(new Date(atS * 1_000));
  return {
    padding: [8, 26, 0, 0],
    legend: { live: false },
    cursor: { sync: { key: 'nodes' }, drag: { x: false, y: false }, y: false },
    scales: {
      x: { range: (_, min, max) => [Math.max(Math.min(min, max - SHOWN_S_MIN), max - SHOWN_S_MAX), max] },
      y: { range: (_, _min, max) => [0, Math.max(max * 1.15, 5)] },
    },
    axes: [
      { ...axis, space: 62, size: 26, values: (_, splits) => splits.map(clockOf) },
      { ...axis, space: 28, size: 46, values: plainTicks },
    ],
    series: [{}, ...names.map(line)],
    plugins: [tooltip({ x: clockOf, y: fineFigure })],
  };
}
