import { useMemo } from 'preact/hooks';
import { groupBy } from '../../group-by.ts';
import type { RunData, ServerMetric } from '../page-data.ts';
import { bytesText, threeDigits, timeText } from '../units.ts';
import { useStrings } from './language-context.ts';
import { TimeChart } from './time-chart.tsx';
import { type RunProps, useLines } from './timeline-charts.tsx';

const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** How the load tester kept up, and what the nodes measured meanwhile: a chart a metric, a line a node. */
export function MachineCharts({ run, before }: RunProps) {
  const strings = useStrings();
  const [flat, telling] = useMemo(() => {
    const metrics = [...groupBy(run.server ?? [], ({ metric }) => metric)];
    const isFlat = (nodes: readonly ServerMetric[]) =>
      nodes.every(({ points }) => points.every(({ value }) => value === 0));
    return [metrics.filter(([, nodes]) => isFlat(nodes)), metrics.filter(([, nodes]) => !isFlat(nodes))];
  }, [run]);
  const lag = useLines(run, before, [[strings.lines.loop, ({ loopP99Ms }) => loopP99Ms]]);
  if (run.server === undefined && run.timeline.points.length === 0) return null;
  return (
    <section aria-label={strings.machines} class="group">
      <h2>{strings.machines}</h2>
      <div class="charts">
        <TimeChart id="lag" title={strings.lagOverTime} run={run} lines={lag} yText={timeText} />
        {telling.map(([metric, nodes]) => (
          <MetricChart key={metric} metric={metric} nodes={nodes} run={run} />
        ))}
      </div>
      {flat.length > 0 && (
        <p class="quiet flat">
          {strings.stayedZero} <code>{flat.map(([metric]) => metric).join(', ')}</code>
        </p>
      )}
    </section>
  );
}

function MetricChart({
  metric,
  nodes,
  run,
}: {
  metric: string;
  nodes: readonly ServerMetric[];
  run: RunData;
}) {
  const lines = useMemo(
    () =>
      nodes.map(({ node, points }) => ({
        name: node,
        points: points.map(({ atS, value }) => [atS, value] as const),
      })),
    [nodes],
  );
  return (
    <TimeChart
      id={`server-${metric}`}
      title={metric}
      run={run}
      lines={lines}
      yText={textOf(metric)}
      isBinary={isBytes(metric)}
    />
  );
}

/** Prometheus has the unit in the name. */
function textOf(metric: string): (value: number) => string {
  if (isBytes(metric)) return bytesText;
  return /_seconds(_total)?$/.test(metric) ? (value) => timeText(value * 1_000) : shortText;
}

function isBytes(metric: string): boolean {
  return /_bytes(_total)?$/.test(metric);
}

/** Short enough for an axis: `1.2M`. */
function shortText(value: number): string {
  return Math.abs(value) < 10_000 ? threeDigits(value) : SHORT.format(value);
}
