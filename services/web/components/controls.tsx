import { useState } from 'preact/hooks';
import { Icon, type IconName } from './icons.tsx';
import { useStore, useStrings } from './store-context.ts';

/** What one may do in a call. */
export function Controls() {
  const store = useStore();
  const strings = useStrings();
  const { isMicrophoneOn, isCameraOn, secondPicture, panel, unread } = store;
  const isSecondOn = secondPicture.value !== undefined;
  const toggle = (isOn: boolean, what: string, key: string) =>
    isOn ? strings.turnOff(what, key) : strings.turnOn(what, key);
  const togglePanel = (name: 'signals' | 'chat') => store.openPanel(panel.value === name ? undefined : name);
  return (
    <nav class="controls" aria-label={strings.callControls}>
      <Control
        id="microphone"
        icon={isMicrophoneOn.value ? 'microphone' : 'microphoneOff'}
        label={strings.microphone}
        hint={toggle(isMicrophoneOn.value, strings.microphone, 'M')}
        shortcut="m"
        isOn={isMicrophoneOn.value}
        onPress={() => store.toggleMicrophone()}
      />
      <Control
        id="camera"
        icon={isCameraOn.value ? 'camera' : 'cameraOff'}
        label={strings.camera}
        hint={toggle(isCameraOn.value, strings.camera, 'V')}
        shortcut="v"
        isOn={isCameraOn.value}
        onPress={() => store.toggleCamera()}
      />
      <Control
        id="second"
        icon="second"
        label={strings.secondPicture}
        hint={isSecondOn ? strings.unshareSecond : strings.shareSecond}
        isOn={isSecondOn}
        isExtra
        onPress={() => store.toggleSecondPicture()}
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
  count = 0,
  onPress,
}: ControlProps) {
  return (
    <button
      class={isExtra ? 'control extra' : 'control'}
      type="button"
      data-testid={id}
      aria-pressed={isOn}
      aria-label={count > 0 ? hint : label}
      aria-keyshortcuts={shortcut}
      title={hint}
      onClick={onPress}
    >
      <span class="disc">
        <Icon name={icon} />
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
