import { linearScale, logScale, logTicks } from '../axes.ts';
import type { RunData } from '../page-data.ts';
import { phaseMarks } from '../phase-marks.ts';
import { momentText } from '../units.ts';
import { useStrings } from './language-context.ts';
import { type Line, LineChart } from './line-chart.tsx';

interface TimeChartProps {
  readonly id: string;
  readonly title: string;
  readonly run: RunData;
  readonly lines: readonly Line[];
  readonly yText: (value: number) => string;
  readonly isLog?: boolean;
  /** Steps of the vertical axis are powers of two. */
  readonly isBinary?: boolean;
  readonly isWide?: boolean;
}

/** Steps of an axis of time that read well on a clock. */
const ROUND_TIMES_S = [
  0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400,
  604_800,
];
const POWERS_OF_TWO = Array.from({ length: 48 }, (_, power) => 2 ** power);

/** A chart over the time of the run. All of them have one axis and one cursor, so that causes and effects line up. */
export function TimeChart({
  id,
  title,
  run,
  lines,
  yText,
  isLog = false,
  isBinary = false,
  isWide = false,
}: TimeChartProps) {
  const strings = useStrings();
  return (
    <LineChart
      id={id}
      title={title}
      xName={strings.seconds}
      xText={momentText}
      yText={yText}
      lines={lines}
      isWide={isWide}
      look={(look) => ({
        cursor: { sync: { key: 'time' } },
        scales: { x: { time: false, range: [0, endOf(run)] }, y: isLog ? logScale() : linearScale() },
        axes: [
          {
            ...look.axis,
            space: 56,
            size: 28,
            incrs: ROUND_TIMES_S,
            values: (_, splits) => splits.map(momentText),
          },
          {
            ...look.axis,
            size: 58,
            values: (_, splits) => splits.map((value) => (value === null ? '' : yText(value))),
            ...(isLog
              ? {
                  splits: (_plot: unknown, _axis: number, min: number, max: number) => logTicks(min, max),
                  filter: (_plot: unknown, splits: number[]) => splits,
                }
              : { space: 34, ...(isBinary ? { incrs: POWERS_OF_TWO } : {}) }),
          },
        ],
        plugins: [phaseMarks(run.phases, look)],
      })}
    />
  );
}

function endOf({ durationS, timeline, phases }: RunData): number {
  const ends = phases.map(({ fromS, toS = fromS }) => toS);
  return Math.max(durationS, timeline.points.at(-1)?.atS ?? 0, ...ends, 1);
}
