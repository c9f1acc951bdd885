import { mayModerate } from '../room-rules.ts';
import { Controls } from './controls.tsx';
import { Icon } from './icons.tsx';
import { LanguageSwitch } from './language-switch.tsx';
import { NoticeBar } from './notice-bar.tsx';
import { RaisedHands } from './raised-hands.tsx';
import { RoomMenu } from './room-menu.tsx';
import { SidePanel } from './side-panel.tsx';
import { useStore, useStrings } from './store-context.ts';
import { TileGrid } from './tile-grid.tsx';

/** A call: everyone's pictures, what one may do, and beside them the chat and the way of the signals. */
export function CallRoom() {
  const store = useStore();
  const strings = useStrings();
  const { connection, announcement, isNodeMissed, isSoundBlocked, panel } = store;
  const { phase } = connection.value;
  return (
    <div class="call" data-testid="call" data-phase={phase} data-panel={panel.value ?? 'none'}>
      <CallBar />
      <main class="stage" aria-label={strings.pictures}>
        <NoticeBar />
        <RaisedHands />
        {(phase === 'connecting' || isNodeMissed.value) && (
          <div class="notice" data-tone="wait" data-testid="waiting" role="status">
            <span class="spark" aria-hidden="true" />
            <span>{phase === 'connecting' ? <Connecting /> : strings.reconnecting}</span>
          </div>
        )}
        {isSoundBlocked.value && (
          <button type="button" class="primary tap-to-hear" onClick={() => store.wake()}>
            <Icon name="sound" /> {strings.tapToHear}
          </button>
        )}
        <TileGrid />
      </main>
      <SidePanel />
      <Controls />
      <div class="unseen" aria-live="polite" data-testid="announcement">
        {announcement.value}
      </div>
    </div>
  );
}

function Connecting() {
  const store = useStore();
  const strings = useStrings();
  const state = store.connection.value;
  const error = 'error' in state ? state.error : undefined;
  return (
    <>
      {error !== undefined && `${strings.errors[error.code]} `}
      {strings.connecting(store.address.nodes.join(', '))}
    </>
  );
}

function CallBar() {
  const { room, roomState, self, connection, here } = useStore();
  const strings = useStrings();
  const { phase } = connection.value;
  const node = here.value;
  return (
    <header class="call-bar">
      <img src="./beacon.svg" alt={strings.product} width="30" height="30" />
      <h1 data-testid="room-name">{room.value}</h1>
      {mayModerate(self.value) && <RoomMenu />}
      {roomState.value?.locked && !mayModerate(self.value) && (
        <span
          class="room-lock"
          data-testid="room-locked"
          role="img"
          aria-label={strings.locked}
          title={strings.locked}
        >
          <Icon name="lock" />
        </span>
      )}
      <span class="pill" data-testid="connection" data-phase={phase}>
        <span class="dot" aria-hidden="true" />
        <span>{strings.phase[phase]}</span>
        {node !== undefined && (
          <span class="where">
            <b>{node.node}</b>
            <i> · {node.region}</i>
          </span>
        )}
      </span>
      <LanguageSwitch />
    </header>
  );
}
