import { useMemo } from 'preact/hooks';
import type { RunData } from '../page-data.ts';
import { countText, shareText, timeText } from '../units.ts';
import { useStrings } from './language-context.ts';
import { type Line, LineChart } from './line-chart.tsx';
import { nameBefore } from './timeline-charts.tsx';

/** How many of those who were cut off were back after how long. */
export function RecoveryChart({ run, before }: { run: RunData; before?: RunData | undefined }) {
  const strings = useStrings();
  const lines = useMemo(() => {
    const of = ({ recovery }: RunData, name: string): Line => ({
      name,
      colour: 0,
      points:
        recovery === undefined ? [] : [[0, 0], ...recovery.points.map(({ s, share }) => [s, share] as const)],
    });
    return [
      of(run, strings.backShare),
      ...(before === undefined
        ? []
        : [{ ...of(before, nameBefore(strings.backShare, strings)), isBefore: true }]),
    ];
  }, [run, before, strings]);
  const { recovery } = run;
  if (recovery === undefined) return null;
  const to99 = recovery.to99S === undefined ? undefined : secondsText(recovery.to99S);
  return (
    <LineChart
      id="recovery"
      title={strings.recovery}
      note={strings.recoveryNote(countText(recovery.sessions), to99)}
      xName={strings.seconds}
      xText={secondsText}
      yText={shareText}
      lines={lines}
      look={({ axis }) => ({
        scales: { x: { time: false, range: (_, _min, max) => [0, max] }, y: { range: [0, 1.04] } },
        axes: [
          { ...axis, space: 52, size: 28, values: (_, splits) => splits.map(secondsText) },
          {
            ...axis,
            size: 58,
            splits: () => [0, 0.25, 0.5, 0.75, 1],
            values: (_, splits) => splits.map(shareText),
          },
        ],
      })}
    />
  );
}

function secondsText(seconds: number): string {
  return timeText(seconds * 1_000);
}
