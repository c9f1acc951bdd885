import { drawnNodes } from '../history.ts';
import { Chart } from './chart.tsx';
import { EventTail } from './event-tail.tsx';
import { NodeTable } from './node-table.tsx';
import { useStore, useStrings } from './store-context.ts';
import { TotalsStrip } from './totals-strip.tsx';

export function NodesView() {
  const { samples } = useStore();
  const strings = useStrings();
  return (
    <div class="nodes-view">
      <div class="column">
        <TotalsStrip />
        <section class="charts" aria-label={strings.charts}>
          <Chart title={strings.chartConnections} measure="connections" />
          <Chart title={strings.chartMessages} measure="messages_per_second" />
        </section>
        <NodeTable drawn={drawnNodes(samples.value)} />
      </div>
      <EventTail />
    </div>
  );
}
