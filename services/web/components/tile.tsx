import type { Kind, Role } from '@fenghuo/client';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { hueOf } from '../hue.ts';
import { Icon } from './icons.tsx';
import { useStore, useStrings } from './store-context.ts';

interface TileProps {
  readonly id: string;
  readonly name: string;
  /** The node and region that this person is connected to. */
  readonly place?: string | undefined;
  readonly stream?: MediaStream | undefined;
  readonly ice?: RTCIceConnectionState | undefined;
  readonly isOwn?: boolean;
  readonly isSecond?: boolean;
  readonly isMirrored?: boolean;
  readonly isCameraOn?: boolean;
  readonly isMicrophoneOn?: boolean;
  readonly isHeard?: boolean;
  /** By others: what they may not send, whatever they turned on. */
  readonly muted?: readonly Kind[] | undefined;
  readonly role?: Role | undefined;
  readonly isHandUp?: boolean;
  /** What one may do about this person. */
  readonly menu?: ComponentChildren;
  /** False while this person's node is gone; what one sees and hears of them goes on. */
  readonly isConnected?: boolean;
}

/** One picture, with its person's name and what is turned off. */
export function Tile(props: TileProps) {
  const { id, name, place, stream, ice, isOwn = false, isSecond = false } = props;
  const { isMirrored = false, isHeard = false, isConnected = true, isHandUp = false } = props;
  const { muted = [], role = 'speaker', menu } = props;
  const strings = useStrings();
  const isCameraOn = props.isCameraOn !== false && !muted.includes('video');
  const isMicrophoneOn = props.isMicrophoneOn !== false && !muted.includes('audio');
  const why = (kind: Kind, off: string) =>
    muted.includes(kind) && role !== 'listener' ? strings.mutedByHost[kind] : off;
  const isThere = isOwn || ice === 'connected' || ice === 'completed';
  return (
    <figure
      class="tile"
      data-testid={isOwn ? 'own-tile' : 'tile'}
      data-peer={id}
      data-picture={isSecond ? 'second' : 'main'}
      data-state={isOwn ? 'own' : (ice ?? 'new')}
      data-camera={isCameraOn ? 'on' : 'off'}
      data-microphone={isMicrophoneOn ? 'on' : 'off'}
      data-heard={isHeard && isMicrophoneOn}
      data-connected={isConnected}
      data-muted={muted.join(' ')}
      data-role={isSecond ? undefined : role}
      data-hand={isHandUp ? 'up' : 'down'}
      style={{ '--hue': hueOf(name) }}
    >
      <Picture stream={stream} isMuted={isOwn} isMirrored={isMirrored} label={name} />
      {!isCameraOn && (
        <div class="no-picture">
          <span aria-hidden="true">{[...name][0] ?? '·'}</span>
        </div>
      )}
      {!isThere && (
        <div class="waiting">
          <span class="spark" aria-hidden="true" />
          {strings.iceState[ice ?? 'new']}
        </div>
      )}
      <figcaption>
        {!isMicrophoneOn && <Badge icon="microphoneOff" label={why('audio', strings.microphoneOff)} />}
        {!isCameraOn && <Badge icon="cameraOff" label={why('video', strings.cameraOff)} />}
        {!isConnected && <Badge icon="signalsOff" label={strings.peerDetached} />}
        <span class="name">
          {role !== 'speaker' && !isSecond && <RoleMark role={role} />}
          {name}
          {isOwn && !isSecond && <i> ({strings.you})</i>}
        </span>
        {place !== undefined && <span class="place">{place}</span>}
      </figcaption>
      {isHandUp && (
        <span class="hand-up" role="img" aria-label={strings.handOf(name)} title={strings.handOf(name)}>
          <Icon name="hand" />
        </span>
      )}
      {menu}
    </figure>
  );
}

function RoleMark({ role }: { role: Exclude<Role, 'speaker'> }) {
  const strings = useStrings();
  return (
    <span class="role" role="img" aria-label={strings.role[role]} title={strings.role[role]}>
      <Icon name={role} />
    </span>
  );
}

function Badge({ icon, label }: { icon: 'microphoneOff' | 'cameraOff' | 'signalsOff'; label: string }) {
  return (
    <span class="badge" role="img" aria-label={label} title={label}>
      <Icon name={icon} />
    </span>
  );
}

/** Plays a stream. Where the browser wants a touch before it sounds, the picture is shown without sound till then. */
function Picture(props: {
  stream: MediaStream | undefined;
  isMuted: boolean;
  isMirrored: boolean;
  label: string;
}) {
  const { stream, isMuted, isMirrored, label } = props;
  const { isSoundBlocked } = useStore();
  const video = useRef<HTMLVideoElement>(null);
  const isBlocked = isSoundBlocked.value;

  // Together with what is drawn: where sound is allowed, the button that asked for it is gone, and the sound is there.
  useLayoutEffect(() => {
    const element = video.current;
    if (element === null) return;
    if (element.srcObject !== (stream ?? null)) element.srcObject = stream ?? null;
    if (stream === undefined) return;
    element.muted = isMuted || isBlocked;
    element.play().catch((fault: unknown) => {
      if (fault instanceof DOMException && fault.name === 'NotAllowedError' && !isMuted) {
        isSoundBlocked.value = true;
      }
    });
  }, [stream, isMuted, isBlocked]);

  return (
    <video
      ref={video}
      class={isMirrored ? 'mirrored' : ''}
      aria-label={label}
      playsInline
      autoplay
      muted={isMuted}
    />
  );
}
