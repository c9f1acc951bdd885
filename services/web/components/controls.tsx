import { useState } from 'preact/hooks';
import { isMuted } from '../room-rules.ts';
import { Icon, type IconName } from './icons.tsx';
import { useStore, useStrings } from './store-context.ts';

/** What one may do in a call. */
export function Controls() {
  const store = useStore();
  const strings = useStrings();
  const { isMicrophoneOn, isCameraOn, isHandUp, secondPicture, panel, unread, self } = store;
  const isSecondOn = secondPicture.value !== undefined;
  const toggle = (isOn: boolean, what: string, key: string) =>
    isOn ? strings.turnOff(what, key) : strings.turnOn(what, key);
  const whyNot = (kind: 'audio' | 'video') => {
    if (!isMuted(self.value, kind)) return undefined;
    return self.value?.role === 'listener' ? strings.listenersOnly : strings.mutedByHost[kind];
  };
  const [noSound, noPicture] = [whyNot('audio'), whyNot('video')];
  const isHeard = isMicrophoneOn.value && noSound === undefined;
  const isSeen = isCameraOn.value && noPicture === undefined;
  const togglePanel = (name: 'signals' | 'chat') => store.openPanel(panel.value === name ? undefined : name);
  return (
    <nav class="controls" aria-label={strings.callControls}>
      <Control
        id="microphone"
        icon={isHeard ? 'microphone' : 'microphoneOff'}
        label={strings.microphone}
        hint={noSound ?? toggle(isHeard, strings.microphone, 'M')}
        shortcut="m"
        isOn={isHeard}
        isBarred={noSound !== undefined}
        onPress={() => store.toggleMicrophone()}
      />
      <Control
        id="camera"
        icon={isSeen ? 'camera' : 'cameraOff'}
        label={strings.camera}
        hint={noPicture ?? toggle(isSeen, strings.camera, 'V')}
        shortcut="v"
        isOn={isSeen}
        isBarred={noPicture !== undefined}
        onPress={() => store.toggleCamera()}
      />
      <Control
        id="second"
        icon="second"
        label={strings.secondPicture}
        hint={noPicture ?? (isSecondOn ? strings.unshareSecond : strings.shareSecond)}
        isOn={isSecondOn}
        isBarred={noPicture !== undefined}
        isExtra
        onPress={() => store.toggleSecondPicture()}
      />
      <Control
        id="hand"
        icon="hand"
        label={strings.hand}
        hint={isHandUp.value ? strings.lowerHand : strings.raiseHand}
        isOn={isHandUp.value}
        isExtra
        onPress={() => store.toggleHand()}
      />
      <span class="divider" aria-hidden="true" />
      <Control
        id="show-signals"
        icon="signals"
        label={strings.signals}
        hint={strings.signals}
        isOn={panel.value === 'signals'}
        isExtra
        onPress={() => togglePanel('signals')}
      />
      <Control
        id="show-chat"
        icon="chat"
        label={strings.chat}
        hint={unread.value > 0 ? `${strings.chat}, ${strings.unread(unread.value)}` : strings.chat}
        isOn={panel.value === 'chat'}
        isExtra
        count={unread.value}
        onPress={() => togglePanel('chat')}
      />
      <CopyLink />
      <button class="control leave" type="button" data-testid="leave" onClick={() => void store.leave()}>
        <span class="disc">
          <Icon name="leave" />
        </span>
        <span class="caption">{strings.leave}</span>
      </button>
    </nav>
  );
}

interface ControlProps {
  readonly id: string;
  readonly icon: IconName;
  readonly label: string;
  readonly hint: string;
  readonly shortcut?: string;
  readonly isOn: boolean;
  /** Off is its normal state, and no warning. */
  readonly isExtra?: boolean;
  readonly count?: number;
  /** Not one's own to turn on; the hint says why. */
  readonly isBarred?: boolean;
  onPress(): void;
}

function Control({
  id,
  icon,
  label,
  hint,
  shortcut,
  isOn,
  isExtra = false,
  isBarred = false,
  count = 0,
  onPress,
}: ControlProps) {
  return (
    <button
      class={isExtra ? 'control extra' : 'control'}
      type="button"
      data-testid={id}
      aria-pressed={isOn}
      aria-disabled={isBarred}
      aria-label={isBarred ? `${label}: ${hint}` : count > 0 ? hint : label}
      aria-keyshortcuts={shortcut}
      title={hint}
      onClick={onPress}
    >
      <span class="disc">
        <Icon name={icon} />
        {isBarred && (
          <span class="bar">
            <Icon name="lock" />
          </span>
        )}
        {count > 0 && <span class="count">{count}</span>}
      </span>
      <span class="caption">{label}</span>
    </button>
  );
}

/** Copies the room's link; where the browser does not let it, shows the link to copy by hand. */
function CopyLink() {
  const store = useStore();
  const strings = useStrings();
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(store.link);
      setCopied(true);
      setTimeout(() => setCopied(false), 2_000);
    } catch {
      prompt(strings.copyThis, store.link);
    }
  };
  return (
    <button
      class="control extra"
      type="button"
      data-testid="copy-link"
      data-link={store.link}
      title={store.link}
      onClick={() => void copy()}
    >
      <span class="disc">
        <Icon name="link" />
      </span>
      <span class="caption" aria-live="polite">
        {isCopied ? strings.copied : strings.copyLink}
      </span>
    </button>
  );
}
