import { useRef } from 'preact/hooks';
import { groupBy } from '../../group-by.ts';
import { clock, figure, fineFigure, span } from '../figures.ts';
import { type NodeView, stateOf } from '../node-list.ts';
import { drain, undrain } from '../orders.ts';
import { useFocusHandedOn } from './focus-home.ts';
import { useStore, useStrings } from './store-context.ts';

/** Nodes by region. `drawn` are those with a line in the charts, in the order of the lines' colours. */
export function NodeTable({ drawn }: { drawn: readonly string[] }) {
  const { nodes } = useStore();
  const strings = useStrings();
  const regions = groupBy(nodes.value, ({ region }) => region ?? strings.regionUnknown);
  return (
    <section class="card node-list" aria-labelledby="nodes-title">
      <h2 id="nodes-title" data-home tabIndex={-1}>
        {strings.nodes}
      </h2>
      <table data-testid="nodes">
        <thead>
          <tr>
            <th scope="col">{strings.node}</th>
            <th scope="col">{strings.state}</th>
            <th scope="col">{strings.connections}</th>
            <th scope="col" class="number">
              {strings.people}
            </th>
            <th scope="col" class="number">
              {strings.rooms}
            </th>
            <th scope="col" class="number">
              {strings.messagesPerSecond}
            </th>
            <th scope="col" class="number">
              {strings.loopDelay}
            </th>
            <th scope="col" class="number">
              {strings.uptime}
            </th>
            <th scope="col">
              <span class="unseen">{strings.actions}</span>
            </th>
          </tr>
        </thead>
        {nodes.value.length === 0 && (
          <tbody>
            <tr>
              <td colSpan={9} class="quiet">
                {strings.noNodes}
              </td>
            </tr>
          </tbody>
        )}
        {[...regions].map(([region, members]) => (
          <RegionRows key={region} region={region} members={members} drawn={drawn} />
        ))}
      </table>
    </section>
  );
}

interface RegionRowsProps {
  readonly region: string;
  readonly members: readonly NodeView[];
  readonly drawn: readonly string[];
}

function RegionRows({ region, members, drawn }: RegionRowsProps) {
  const strings = useStrings();
  const living = members.filter(({ goneAt }) => goneAt === undefined);
  const connections = living.reduce((sum, node) => sum + node.connections, 0);
  return (
    <tbody>
      <tr class="region">
        <th scope="rowgroup" colSpan={9}>
          <b>{region}</b>
          <span class="quiet">{strings.ofRegion(living.length, figure(connections))}</span>
        </th>
      </tr>
      {members.map((node) => (
        <NodeRow key={node.id} node={node} line={drawn.indexOf(node.id) + 1} />
      ))}
    </tbody>
  );
}

/** A loop that is this late is felt by those who call. */
const LATE_MS = 50;

function NodeRow({ node, line }: { node: NodeView; line: number }) {
  const store = useStore();
  const strings = useStrings();
  const row = useRef<HTMLTableRowElement>(null);
  useFocusHandedOn(row);
  const state = stateOf(node);
  const part = Math.min(node.connections / Math.max(node.connections_max ?? Number.POSITIVE_INFINITY, 1), 1);
  const isGone = node.goneAt !== undefined;
  return (
    <tr ref={row} data-testid="node" data-node={node.id} data-state={state}>
      <th scope="row">
        <span class="swatch" data-line={line} aria-hidden="true" />
        <span class="id">{node.id}</span> <small class="quiet">{node.version}</small>
        {node.processes > 1 && (
          <small class="late" data-testid="shared-name">
            {strings.sharedName(node.processes)}
          </small>
        )}
      </th>
      <td data-label={strings.state}>
        <span class="state" data-state={state}>
          {node.goneAt === undefined
            ? strings.nodeStates[state]
            : strings.goneSince(clock(new Date(node.goneAt)))}
        </span>
      </td>
      <td data-label={strings.connections} class="load">
        <span>
          {figure(node.connections)} <small class="quiet">/ {figure(node.connections_max)}</small>
        </span>
        <span class="bar" aria-hidden="true" style={{ '--part': part }} />
      </td>
      <td class="number" data-label={strings.people}>
        {figure(node.peers)}
      </td>
      <td class="number" data-label={strings.rooms}>
        {figure(node.rooms)}
      </td>
      <td class="number" data-label={strings.messagesPerSecond}>
        {fineFigure(node.messages_per_second)}
      </td>
      <td
        class={(node.event_loop_delay_ms ?? 0) >= LATE_MS ? 'number late' : 'number'}
        data-label={strings.loopDelay}
      >
        {fineFigure(node.event_loop_delay_ms)} ms
      </td>
      <td class="number" data-label={strings.uptime}>
        {span(node.uptime_s)}
      </td>
      <td class="doing">
        {!isGone && !node.draining && (
          <button
            type="button"
            class="plain grave"
            data-testid="drain"
            aria-label={strings.drainNode(node.id)}
            onClick={() => store.order(drain(node))}
          >
            {strings.drain}
          </button>
        )}
        {!isGone && node.draining && (
          <button
            type="button"
            class="plain"
            data-testid="undrain"
            aria-label={strings.undrainNode(node.id)}
            onClick={() => store.order(undrain(node))}
          >
            {strings.undrain}
          </button>
        )}
      </td>
    </tr>
  );
}
