import type { Moderation } from '@fenghuo/client';
import { useState } from 'preact/hooks';
import { Confirmation, Menu, MenuItem } from './menu.tsx';
import { useStore, useStrings } from './store-context.ts';

/** What a host or moderator may do about the room. */
export function RoomMenu() {
  const { roomState } = useStore();
  const strings = useStrings();
  const icon = roomState.value?.locked ? 'lock' : 'unlock';
  return (
    <Menu id="room-menu" label={strings.roomRules} icon={icon} class="bare room-menu">
      {(close) => <Actions close={close} />}
    </Menu>
  );
}

function Actions({ close }: { close: () => void }) {
  const store = useStore();
  const strings = useStrings();
  const [isAsked, setAsked] = useState(false);
  const order = (one: Moderation) => {
    close();
    void store.order(one);
  };
  if (isAsked) {
    return (
      <Confirmation
        question={strings.closeSure}
        action={strings.closeNow}
        cancel={strings.cancel}
        onConfirm={() => order({ action: 'close' })}
        onCancel={close}
      />
    );
  }
  const all = { peer: '*' as const, kinds: ['audio' as const] };
  const lock = store.roomState.value?.locked ? 'unlock' : 'lock';
  return (
    <>
      <MenuItem id="mute-all" text={strings.muteAll} onPress={() => order({ action: 'mute', ...all })} />
      <MenuItem
        id="unmute-all"
        text={strings.unmuteAll}
        onPress={() => order({ action: 'unmute', ...all })}
      />
      <hr />
      <MenuItem id={lock} text={strings[lock]} onPress={() => order({ action: lock })} />
      {store.self.value?.role === 'host' && (
        <MenuItem id="close-room" text={strings.closeRoom} tone="harm" onPress={() => setAsked(true)} />
      )}
    </>
  );
}
