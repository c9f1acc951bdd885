import type { Peer } from '@fenghuo/client';
import { handsUp, mayActOn } from '../room-rules.ts';
import { Icon } from './icons.tsx';
import { useStore, useStrings } from './store-context.ts';

const SHOWN_MAX = 3;

/** Who asks to speak, for those who may let them. */
export function RaisedHands() {
  const { peers, self } = useStore();
  const strings = useStrings();
  const asking = handsUp(peers.value.map(({ peer }) => peer)).filter((peer) => mayActOn(self.value, peer));
  if (asking.length === 0) return null;
  return (
    <ul class="hands" aria-label={strings.handsUp}>
      {asking.slice(0, SHOWN_MAX).map((peer) => (
        <RaisedHand key={peer.id} peer={peer} />
      ))}
      {asking.length > SHOWN_MAX && <li class="quiet">{strings.moreHands(asking.length - SHOWN_MAX)}</li>}
    </ul>
  );
}

function RaisedHand({ peer }: { peer: Peer }) {
  const store = useStore();
  const strings = useStrings();
  return (
    <li class="notice" data-testid="raised-hand" data-name={peer.name} data-tone="wait">
      <Icon name="hand" />
      <span role="status">{strings.handOf(peer.name)}</span>
      {peer.muted.length > 0 && (
        <button
          type="button"
          class="plain"
          data-testid="let-speak"
          aria-label={`${strings.letSpeak}: ${peer.name}`}
          onClick={() => void store.letSpeak(peer)}
        >
          {strings.letSpeak}
        </button>
      )}
      <button
        type="button"
        class="plain"
        data-testid="take-hand-down"
        aria-label={`${strings.handDown}: ${peer.name}`}
        onClick={() => void store.takeHandDown(peer.id)}
      >
        {strings.handDown}
      </button>
    </li>
  );
}
