import { useMemo } from 'preact/hooks';
import type { RunData, TimePoint } from '../page-data.ts';
import type { Strings } from '../strings.ts';
import { countText, threeDigits, timeText } from '../units.ts';
import { useStrings } from './language-context.ts';
import type { Line } from './line-chart.tsx';
import { TimeChart } from './time-chart.tsx';

export interface RunProps {
  readonly run: RunData;
  readonly before?: RunData | undefined;
}

export function TimelineCharts({ run, before }: RunProps) {
  const strings = useStrings();
  const { lines } = strings;
  // A run of nothing but connections has no signals to show.
  const hasSignals = run.signals.planned > 0;
  const latency = useLines(run, before, [
    [lines.p50, ({ relayP50Ms }) => relayP50Ms],
    [lines.p99, ({ relayP99Ms }) => relayP99Ms],
    [lines.max, ({ relayMaxMs }) => relayMaxMs],
  ]);
  const connections = useLines(run, before, [
    [strings.connected, ({ connected }) => connected],
    [strings.target, ({ target }) => target],
  ]);
  const perSecond = (count: number) => count / run.timeline.everyS;
  const rates = useLines(run, before, [
    [strings.sent, ({ sent }) => perSecond(sent)],
    [strings.deliveredLine, ({ delivered }) => perSecond(delivered)],
    // Where none was lost, a line along the bottom would say nothing.
    [
      strings.faults.lost,
      ({ lost }) => (run.signals.lost === 0 || lost === undefined ? undefined : perSecond(lost)),
    ],
  ]);
  return (
    <>
      <TimeChart
        id="latency"
        title={strings.latencyOverTime}
        run={run}
        lines={latency}
        yText={timeText}
        isLog
        isWide
      />
      <TimeChart
        id="connections"
        title={strings.connectionsOverTime}
        run={run}
        lines={connections}
        yText={countText}
      />
      {hasSignals && (
        <TimeChart id="rates" title={strings.ratesOverTime} run={run} lines={rates} yText={threeDigits} />
      )}
    </>
  );
}

type Reading = readonly [name: string, read: (point: TimePoint) => number | undefined];

/** The lines of this run, and below them those of the earlier one in the same colours. */
export function useLines(run: RunData, before: RunData | undefined, readings: readonly Reading[]): Line[] {
  const strings = useStrings();
  return useMemo(
    () => [
      ...readings.map(([name, read], colour) => lineOf(run, name, read, colour)),
      ...(before === undefined
        ? []
        : readings.map(([name, read], colour) => ({
            ...lineOf(before, nameBefore(name, strings), read, colour),
            isBefore: true,
          }))),
    ],
    [run, before, strings],
  );
}

export function nameBefore(name: string, strings: Strings): string {
  return `${name} (${strings.before})`;
}

function lineOf({ timeline }: RunData, name: string, read: Reading[1], colour: number): Line {
  return { name, colour, points: wholeIntervals(timeline).map((point) => [point.atS, read(point)]) };
}

/** Without what is left at the end of a run: the counts of a moment would look like a fall. */
function wholeIntervals({ everyS, points }: RunData['timeline']): readonly TimePoint[] {
  return points.filter(
    ({ atS }, index) => atS - (points[index - 1]?.atS ?? Number.NEGATIVE_INFINITY) > everyS / 2,
  );
}
