import type { Moderation, Peer } from '@fenghuo/client';
import { useState } from 'preact/hooks';
import { isMuted, KINDS, rolesToGive } from '../room-rules.ts';
import { Confirmation, Menu, MenuItem } from './menu.tsx';
import { useStore, useStrings } from './store-context.ts';

/** What a host or moderator may do about one person. */
export function PersonMenu({ peer }: { peer: Peer }) {
  const strings = useStrings();
  return (
    <Menu id="person-menu" label={strings.manage(peer.name)} icon="more" class="tile-menu">
      {(close) => <Actions peer={peer} close={close} />}
    </Menu>
  );
}

function Actions({ peer, close }: { peer: Peer; close: () => void }) {
  const store = useStore();
  const strings = useStrings();
  const [asked, ask] = useState<'kick' | 'ban'>();
  const self = store.self.value;
  if (self === undefined) return null;
  const order = (one: Moderation) => {
    close();
    void store.order(one);
  };
  if (asked !== undefined) {
    return (
      <Confirmation
        question={asked === 'kick' ? strings.kickSure(peer.name) : strings.banSure(peer.name)}
        action={asked === 'kick' ? strings.kickNow : strings.banNow}
        cancel={strings.cancel}
        onConfirm={() => order({ action: asked, peer: peer.id })}
        onCancel={close}
      />
    );
  }
  return (
    <>
      {peer.role !== 'listener' &&
        KINDS.map((kind) => {
          const action = isMuted(peer, kind) ? 'unmute' : 'mute';
          return (
            <MenuItem
              key={kind}
              id={`${action}-${kind}`}
              text={strings[action][kind]}
              onPress={() => order({ action, peer: peer.id, kinds: [kind] })}
            />
          );
        })}
      <hr />
      {rolesToGive(self, peer).map((role) => (
        <MenuItem
          key={role}
          id={`make-${role}`}
          text={strings.makeRole[role]}
          onPress={() => order({ action: 'set_role', peer: peer.id, role })}
        />
      ))}
      <hr />
      <MenuItem id="kick" text={strings.kick} tone="harm" onPress={() => ask('kick')} />
      <MenuItem id="ban" text={strings.ban} tone="harm" onPress={() => ask('ban')} />
    </>
  );
}
