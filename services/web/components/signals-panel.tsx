import type { LinkStats } from '@fenghuo/client';
import type { PeerView } from '../call-store.ts';
import { hueOf } from '../hue.ts';
import { milliseconds } from '../milliseconds.ts';
import { pathTo } from '../paths.ts';
import { BeaconLine } from './beacon-line.tsx';
import { Icon } from './icons.tsx';
import { OwnConnection } from './own-connection.tsx';
import { useStore, useStrings } from './store-context.ts';
import { WireLog } from './wire-log.tsx';

/** How this call came about: the nodes, the way to each person, and every signal as it passes. */
export function SignalsPanel({ isShown }: { isShown: boolean }) {
  const { peers, stats } = useStore();
  const strings = useStrings();
  return (
    <section class="signals" hidden={!isShown} aria-label={strings.signals}>
      <OwnConnection />
      <BeaconLine />
      <ul class="ways" aria-label={strings.people}>
        {peers.value.length === 0 && <li class="quiet">{strings.nobody}</li>}
        {peers.value.map((view) => (
          <Way key={view.peer.id} view={view} stats={stats.value.get(view.peer.id)} />
        ))}
      </ul>
      <WireLog />
    </section>
  );
}

/** One person, and the way to them. */
function Way({ view, stats }: { view: PeerView; stats: LinkStats | undefined }) {
  const store = useStore();
  const strings = useStrings();
  const { peer, link } = view;
  const path = pathTo(peer, store.here.value);
  const echoMs = store.echoMs.value.get(peer.id);
  const ice = link?.ice ?? 'new';
  const pair = stats?.pair;
  const type = (name: string) => strings.candidateType[name] ?? name;
  return (
    <li
      class="way"
      data-testid="way"
      data-peer={peer.id}
      data-name={peer.name}
      data-role={peer.role}
      data-muted={peer.muted.join(' ')}
      data-node={peer.node}
      data-path={path}
      data-echo={echoMs}
      data-connected={peer.connected}
      data-ice={ice}
      data-pair={pair && `${pair.local}-${pair.remote}`}
      data-frames-decoded={stats?.framesDecoded ?? 0}
      data-audio-energy={stats?.audioEnergy ?? 0}
      style={{ '--hue': hueOf(peer.name) }}
    >
      <div class="way-head">
        <span class="dot" aria-hidden="true" />
        <b>{peer.name}</b>
        {peer.role !== 'speaker' && <span class="quiet role-name">{strings.role[peer.role]}</span>}
        <span class="place">
          {peer.connected ? strings.onNode(peer.node, peer.region) : strings.peerDetached}
        </span>
        <span class={`path ${path}`} title={strings.pathHint}>
          {strings.pathTo[path]}
          {echoMs !== undefined && ` · ${milliseconds(echoMs)}`}
        </span>
        <button
          type="button"
          class="bare"
          data-testid="restart-ice"
          aria-label={strings.restartIce(peer.name)}
          title={strings.restartIce(peer.name)}
          onClick={() => store.restartIce(peer.id)}
        >
          <Icon name="again" />
        </button>
      </div>
      <dl>
        <Fact name={strings.ice} value={strings.iceState[ice]} />
        <Fact
          name={strings.candidates}
          value={pair && `${type(pair.local)} ⇄ ${type(pair.remote)}`}
          title={pair && `${pair.local} ⇄ ${pair.remote}, ${pair.protocol}`}
        />
        <Fact
          name={strings.roundTrip}
          value={pair?.roundTripMs === undefined ? undefined : milliseconds(pair.roundTripMs)}
        />
        <Fact name={strings.frames} value={stats && String(stats.framesDecoded)} />
      </dl>
    </li>
  );
}

function Fact(props: { name: string; value: string | undefined; title?: string | undefined }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd title={props.title}>{props.value ?? '—'}</dd>
    </div>
  );
}
