import type { Comeback } from '../call-store.ts';
import { milliseconds } from '../milliseconds.ts';
import { homeElsewhere } from '../paths.ts';
import type { Strings } from '../strings.ts';
import { useStore, useStrings } from './store-context.ts';

/** The node that one is connected to, how the session came there, and a way to try what it survives. */
export function OwnConnection() {
  const store = useStore();
  const strings = useStrings();
  const { here, signalingMs, connection, comeback } = store;
  const node = here.value;
  const { phase } = connection.value;
  const home = homeElsewhere(store.roomState.value, node);
  const gap = typeof comeback.value === 'object' ? Math.round(comeback.value.gapMs) : undefined;
  return (
    <div
      class="own-node"
      data-testid="own-node"
      data-node={node?.node}
      data-region={node?.region}
      data-self={store.self.value?.id}
    >
      <p class="place">
        <span>
          {strings.yourNode} <b>{node === undefined ? '—' : strings.onNode(node.node, node.region)}</b>
        </span>
        {signalingMs.value !== undefined && (
          <span class="quiet">{strings.answersIn(milliseconds(signalingMs.value))}</span>
        )}
      </p>
      {home !== undefined && (
        <p class="place" data-testid="room-home" data-home={home}>
          {strings.roomHome(home)}
        </p>
      )}
      <p
        class="comeback"
        role="status"
        data-testid="comeback"
        data-kind={kindOf(comeback.value)}
        data-gap={gap}
      >
        {phase === 'reconnecting' ? strings.noNode : comeback.value && tell(comeback.value, strings)}
      </p>
      <button
        type="button"
        class="plain"
        data-testid="drop-socket"
        title={strings.dropSocketHint}
        onClick={() => store.dropConnection()}
      >
        {strings.dropSocket}
      </button>
    </div>
  );
}

function tell(comeback: Comeback, strings: Strings): string {
  if (comeback === 'rejoined') return strings.rejoined;
  const gap = milliseconds(comeback.gapMs);
  return comeback.recovered ? strings.resumed(gap, comeback.missed) : strings.resumedWithLoss(gap);
}

function kindOf(comeback: Comeback | undefined): 'recovered' | 'lossy' | 'rejoined' | undefined {
  if (comeback === undefined || comeback === 'rejoined') return comeback;
  return comeback.recovered ? 'recovered' : 'lossy';
}
