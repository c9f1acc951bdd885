import { useMemo } from 'preact/hooks';
import { logScale, logTicks, rarity, rarityText } from '../axes.ts';
import type { RunData } from '../page-data.ts';
import { timeText } from '../units.ts';
import { useStrings } from './language-context.ts';
import { type Line, LineChart } from './line-chart.tsx';
import { nameBefore } from './timeline-charts.tsx';

/** Shares that the axis names, as far as there are values enough. */
const MARKS = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999].map(rarity);
/** How long every share of the values took at most: what a single percentile hides, the slowest of them above all. */
export function SpectrumChart({ run, before }: { run: RunData; before?: RunData | undefined }) {
  const strings = useStrings();
  const lines = useMemo(() => {
    const names = Object.keys(run.latencies);
    const of = (data: RunData, name: string, label: string, colour: number): Line => ({
      name: label,
      colour,
      points: (data.latencies[name]?.spectrum ?? []).map(([share, ms]) => [
        rarity(share),
        ms > 0 ? ms : undefined,
      ]),
    });
    return [
      ...names.map((name, colour) => of(run, name, name, colour)),
      ...(before === undefined
        ? []
        : names.map((name, colour) => ({
            ...of(before, name, nameBefore(name, strings), colour),
            isBefore: true,
          }))),
    ];
  }, [run, before, strings]);
  return (
    <LineChart
      id="spectrum"
      title={strings.spectrum}
      note={strings.spectrumNote}
      xName={strings.percentile}
      xText={rarityText}
      yText={timeText}
      lines={lines}
      isWide
      look={({ axis }) => ({
        scales: {
          x: { time: false, distr: 3, range: (_, _min, max) => [1, Math.max(max, 10)] },
          y: logScale(),
        },
        axes: [
          {
            ...axis,
            size: 28,
            splits: (_plot, _axis, min, max) => MARKS.filter((value) => value >= min && value <= max),
            filter: (_, splits) => splits,
            values: (_, splits) => splits.map(rarityText),
          },
          {
            ...axis,
            size: 58,
            splits: (_plot, _axis, min, max) => logTicks(min, max),
            filter: (_, splits) => splits,
            values: (_, splits) => splits.map(timeText),
          },
        ],
      })}
    />
  );
}
