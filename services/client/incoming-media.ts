import { isSame, type MediaKind } from './outgoing-media.ts';

/**
 * What the other side sends, as streams. Tracks of a silenced kind are taken out of them and turned off, whatever the
 * other side goes on sending, and by whichever m-line: only a track's kind counts.
 */
export class IncomingMedia {
  readonly #streams = new Map<string, MediaStream>();
  readonly #carriers = new Map<RTCRtpTransceiver, MediaStream>();
  readonly #onChange: () => void;
  #silenced: ReadonlySet<MediaKind>;

  constructor(onChange: () => void, silenced: ReadonlySet<MediaKind> = new Set()) {
    this.#onChange = onChange;
    this.#silenced = silenced;
  }

  /** In the order in which they came; without those of which everything is silenced. */
  get streams(): readonly MediaStream[] {
    return [...this.#streams.values()].filter((stream) => stream.getTracks().length > 0);
  }

  receive({ track, streams, transceiver }: RTCTrackEvent): void {
    const stream = streams[0] ?? new MediaStream([track]);
    this.#streams.set(stream.id, stream);
    this.#carriers.set(transceiver, stream);
    stream.onremovetrack = () => {
      if (stream.getTracks().length === 0) this.#streams.delete(stream.id);
      this.#onChange();
    };
    if (this.#isSilenced(track)) this.#hide(track, streams.length > 0 ? streams : [stream]);
    this.#onChange();
  }

  silence(kinds: ReadonlySet<MediaKind>): void {
    if (isSame(this.#silenced, kinds)) return;
    this.#silenced = kinds;
    for (const [transceiver, stream] of this.#carriers) {
      const { track } = transceiver.receiver;
      if (this.#isSilenced(track)) this.#hide(track, [stream]);
      else this.#show(transceiver, stream);
    }
    this.#onChange();
  }

  /** The connection is another one. */
  reset(): void {
    if (this.#carriers.size === 0) return;
    this.#streams.clear();
    this.#carriers.clear();
    this.#onChange();
  }

  #isSilenced({ kind }: MediaStreamTrack): boolean {
    return this.#silenced.has(kind as MediaKind);
  }

  /** Turned off last: Chromium 156 never again plays a sound that was turned off when it was taken out of its stream. */
  #hide(track: MediaStreamTrack, streams: readonly MediaStream[]): void {
    track.enabled = true;
    for (const stream of streams) stream.removeTrack(track);
    track.enabled = false;
  }

  /** Where the other side has ended it meanwhile, it comes by itself when it is begun anew. */
  #show({ receiver, currentDirection }: RTCRtpTransceiver, stream: MediaStream): void {
    receiver.track.enabled = true;
    if (currentDirection !== 'sendrecv' && currentDirection !== 'recvonly') return;
    this.#streams.set(stream.id, stream);
    stream.addTrack(receiver.track);
  }
}
