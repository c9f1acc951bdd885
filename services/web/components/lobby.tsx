import { PEER_NAME_CHARS_MAX } from '@fenghuo/client';
import { useEffect } from 'preact/hooks';
import { BeaconScene } from './beacon-scene.tsx';
import { FOREIGN_NODES_ID, ForeignNodes } from './foreign-nodes.tsx';
import { LanguageSwitch } from './language-switch.tsx';
import { NoticeBar } from './notice-bar.tsx';
import { RegionPicker } from './region-picker.tsx';
import { useStore, useStrings } from './store-context.ts';

/** Where one says who one is, and which room to enter. */
export function Lobby() {
  const store = useStore();
  const strings = useStrings();
  const isAsking = store.stage.value === 'asking';
  const foreign = store.address.foreignNodes.length;
  // After the first painting, which would count as a part of the ways.
  useEffect(() => void store.lookAround(), [store]);
  return (
    <div class="lobby">
      <BeaconScene />
      <header class="lobby-bar">
        <LanguageSwitch />
      </header>
      <main class="lobby-card">
        <h1>{strings.product}</h1>
        <p class="tagline">{strings.tagline}</p>
        <p class="quiet">{strings.intro}</p>
        <NoticeBar />
        <ForeignNodes />
        <form
          // A key that was held down as the page opened is no decision to enter.
          onKeyDown={(event) => {
            if (event.key === 'Enter' && event.repeat) event.preventDefault();
          }}
          onSubmit={(event) => {
            event.preventDefault();
            void store.enter();
          }}
        >
          <label>
            <span>{strings.yourName}</span>
            <input
              data-testid="name"
              value={store.name.value}
              onInput={(event) => {
                store.name.value = event.currentTarget.value;
              }}
              maxLength={PEER_NAME_CHARS_MAX}
              autocomplete="nickname"
              autofocus
              required
            />
          </label>
          <label>
            <span>{strings.roomName}</span>
            <input
              data-testid="room"
              value={store.room.value}
              onInput={(event) => {
                store.room.value = event.currentTarget.value;
              }}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              aria-describedby="room-hint"
              required
            />
            <small id="room-hint">{strings.roomHint}</small>
          </label>
          <RegionPicker />
          <label class="choice">
            <input
              type="checkbox"
              data-testid="drawn"
              checked={store.wantsDrawn.value}
              onChange={(event) => {
                store.wantsDrawn.value = event.currentTarget.checked;
              }}
            />
            <span>{strings.drawnInstead}</span>
          </label>
          <button
            class="primary"
            type="submit"
            data-testid="enter"
            disabled={isAsking}
            aria-describedby={foreign === 0 ? undefined : FOREIGN_NODES_ID}
          >
            {isAsking ? strings.entering : foreign === 0 ? strings.enter : strings.enterThrough(foreign)}
          </button>
          {isAsking && !store.wantsDrawn.value && (
            <p class="quiet" role="status">
              {strings.askingForCamera}
            </p>
          )}
        </form>
      </main>
    </div>
  );
}
