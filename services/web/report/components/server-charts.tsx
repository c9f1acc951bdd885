import { useMemo } from 'preact/hooks';
import type { RunData, ServerMetric } from '../page-data.ts';
import { threeDigits } from '../units.ts';
import { useStrings } from './language-context.ts';
import { TimeChart } from './time-chart.tsx';

/** What the nodes measured meanwhile, a chart a metric and a line a node. */
export function ServerCharts({ run }: { run: RunData }) {
  const strings = useStrings();
  const metrics = useMemo(() => [...Map.groupBy(run.server ?? [], ({ metric }) => metric)], [run]);
  if (metrics.length === 0) return null;
  return (
    <section aria-label={strings.server} class="group">
      <h2>{strings.server}</h2>
      <div class="charts">
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
