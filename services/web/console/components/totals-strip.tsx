import { Total } from '../../components/total.tsx';
import { figure, fineFigure } from '../figures.ts';
import { NODE_STATES, totalsOf } from '../node-list.ts';
import { useStore, useStrings } from './store-context.ts';

export function TotalsStrip() {
  const { nodes, roomTotal } = useStore();
  const strings = useStrings();
  const totals = totalsOf(nodes.value);
  const states = NODE_STATES.filter((state) => totals.byState[state] !== undefined)
    .map((state) => `${totals.byState[state]} ${strings.nodeStates[state]}`)
    .join(' · ');
  const rooms = roomTotal.value === undefined ? strings.none : figure(roomTotal.value);
  return (
    <dl class="totals" aria-label={strings.totals}>
      <Total name="nodes" label={strings.nodes} value={figure(totals.nodes)} note={states} />
      <Total
        name="connections"
        label={strings.connections}
        value={figure(totals.connections)}
        note={strings.ofMax(figure(totals.connectionsMax))}
      />
      <Total name="rooms" label={strings.rooms} value={rooms} />
      <Total name="people" label={strings.people} value={figure(totals.people)} />
      <Total name="messages" label={strings.messagesPerSecond} value={fineFigure(totals.messagesPerSecond)} />
    </dl>
  );
}
