import { useMemo } from 'preact/hooks';
import type { RunData, ServerMetric } from '../page-data.ts';
import { threeDigits, timeText } from '../units.ts';
import { useStrings } from './language-context.ts';
import { TimeChart } from './time-chart.tsx';
import { type RunProps, useLines } from './timeline-charts.tsx';

/** How the load tester kept up, and what the nodes measured meanwhile: a chart a metric, a line a node. */
export function MachineCharts({ run, before }: RunProps) {
  const strings = useStrings();
  const metrics = useMemo(() => [...Map.groupBy(run.server ?? [], ({ metric }) => metric)], [run]);
  const lag = useLines(run, before, [[strings.lines.loop, ({ loopP99Ms }) => loopP99Ms]]);
  if (metrics.length === 0 && run.timeline.points.length === 0) return null;
  return (
    <section aria-label={strings.machines} class="group">
      <h2>{strings.machines}</h2>
      <div class="charts">
        <TimeChart id="lag" title={strings.lagOverTime} run={run} lines={lag} yText={timeText} />
        {metrics.map(([metric, nodes]) => (
          <MetricChart key={metric} metric={metric} nodes={nodes} run={run} />
        ))}
      </div>
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
  return <TimeChart id={`server-${metric}`} title={metric} run={run} lines={lines} yText={threeDigits} />;
}
