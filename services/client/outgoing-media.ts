/** The kinds that a person may be muted in and that go from peer to peer. */
export type MediaKind = 'audio' | 'video';

/**
 * One's own tracks on one connection. Those of a kind that is forbidden are taken off it at once, and put back where
 * they were when it is allowed again: whoever made them need not know. What changes here makes a negotiation due.
 *
 * A transceiver whose track was removed carries no other one. Where both sides used one m-line anew at the same moment,
 * Chromium 156 sent nothing on it from the side that had sent there before. A description that has grown too large over
 * many of them begins a new connection (`PeerLink`).
 */
export class OutgoingMedia {
  readonly #tracks = new Map<MediaStreamTrack, MediaStream>();
  /** Where each track was put. */
  readonly #carriers = new Map<MediaStreamTrack, RTCRtpTransceiver>();
  #forbidden: ReadonlySet<MediaKind>;
  #connection: RTCPeerConnection | undefined;
  #version = 0;

  constructor(
    tracks: Iterable<readonly [MediaStreamTrack, MediaStream]>,
    forbidden: ReadonlySet<MediaKind> = new Set(),
  ) {
    for (const [track, stream] of tracks) this.#tracks.set(track, stream);
    this.#forbidden = forbidden;
  }

  /** Another one whenever something else is forbidden. */
  get version(): number {
    return this.#version;
  }

  get isStarted(): boolean {
    return this.#connection !== undefined;
  }

  /** Puts one's tracks on the connection, which makes an offer due unless one is being answered. */
  start(connection: RTCPeerConnection): void {
    this.#connection = connection;
    for (const track of this.#tracks.keys()) this.#put(track);
    this.#ask(connection);
  }

  /** The connection is another one, and has nothing yet. */
  reset(): void {
    this.#connection = undefined;
    this.#carriers.clear();
  }

  add(track: MediaStreamTrack, stream: MediaStream): void {
    this.#tracks.set(track, stream);
    this.#put(track);
  }

  remove(track: MediaStreamTrack): void {
    this.#tracks.delete(track);
    this.#takeOff(track);
    this.#carriers.delete(track);
  }

  /**
   * `next`, of the same kind, takes the place of `track`: nothing is negotiated, unless this connection cannot send `next`
   * as it sent `track`. Then `next` gets an m-line of its own.
   */
  async replace(track: MediaStreamTrack, next: MediaStreamTrack): Promise<void> {
    const stream = this.#tracks.get(track);
    if (stream === undefined) return;
    this.#tracks.delete(track);
    this.#tracks.set(next, stream);
    const carrier = this.#carriers.get(track);
    if (carrier === undefined) return;
    this.#carriers.delete(track);
    this.#carriers.set(next, carrier);
    if (this.#isForbidden(next)) return;
    await carrier.sender.replaceTrack(next).catch(() => this.#putElsewhere(next, carrier));
  }

  /** False where nothing changes. */
  forbid(kinds: ReadonlySet<MediaKind>): boolean {
    const before = this.#forbidden;
    if (isSame(before, kinds)) return false;
    this.#forbidden = kinds;
    this.#version++;
    for (const track of this.#tracks.keys()) {
      const wasForbidden = before.has(track.kind as MediaKind);
      if (this.#isForbidden(track) && !wasForbidden) this.#takeOff(track);
      if (!this.#isForbidden(track) && wasForbidden) this.#put(track);
    }
    return true;
  }

  #isForbidden({ kind }: MediaStreamTrack): boolean {
    return this.#forbidden.has(kind as MediaKind);
  }

  #put(track: MediaStreamTrack): void {
    const connection = this.#connection;
    const stream = this.#tracks.get(track);
    if (connection === undefined || stream === undefined || this.#isForbidden(track)) return;
    const carrier = this.#carriers.get(track);
    if (carrier === undefined || isStopped(carrier)) {
      this.#carry(connection, track, stream);
      return;
    }
    carrier.direction = 'sendrecv';
    carrier.sender.replaceTrack(track).catch(() => this.#putElsewhere(track, carrier));
  }

  /** The transceiver does not take the track; nor does a connection that was closed meanwhile. */
  #putElsewhere(track: MediaStreamTrack, carrier: RTCRtpTransceiver): void {
    if (this.#connection?.signalingState === 'closed' || this.#carriers.get(track) !== carrier) return;
    this.#takeOff(track);
    this.#carriers.delete(track);
    const stream = this.#tracks.get(track);
    if (this.#connection === undefined || stream === undefined || this.#isForbidden(track)) return;
    this.#carry(this.#connection, track, stream);
  }

  #carry(connection: RTCPeerConnection, track: MediaStreamTrack, stream: MediaStream): void {
    const made = this.#makeCarrier(connection, track, stream);
    if (made !== undefined) this.#carriers.set(track, made);
  }

  #makeCarrier(connection: RTCPeerConnection, track: MediaStreamTrack, stream: MediaStream) {
    const isWaiting = ({ sender, receiver }: RTCRtpTransceiver) =>
      sender.track === null && receiver.track.kind === track.kind;
    if ([...this.#carriers.values()].some(isWaiting)) {
      // A connection's own addTrack might take one that waits for another track to be put back.
      return connection.addTransceiver(track, { direction: 'sendrecv', streams: [stream] });
    }
    const sender = connection.addTrack(track, stream);
    return connection.getTransceivers().find((each) => each.sender === sender);
  }

  #takeOff(track: MediaStreamTrack): void {
    const carrier = this.#carriers.get(track);
    if (carrier === undefined || isStopped(carrier)) return;
    this.#connection?.removeTrack(carrier.sender); // Ends the sending at once, but does nothing while it is being put back.
    carrier.direction = 'recvonly';
    carrier.sender.replaceTrack(null).catch(() => {});
  }

  /** With nothing of a kind to send, for now or at all, an offer has to ask for it. */
  #ask(connection: RTCPeerConnection): void {
    const isSilent = connection.getTransceivers().length === 0;
    for (const kind of ['audio', 'video'] as const) {
      const isWithheld = this.#forbidden.has(kind);
      const isThere = connection.getTransceivers().some(({ receiver }) => receiver.track.kind === kind);
      if ((isSilent || isWithheld) && !isThere) connection.addTransceiver(kind, { direction: 'recvonly' });
    }
  }
}

/** By either side; its m-line is the connection's to use again. */
function isStopped({ direction, currentDirection }: RTCRtpTransceiver): boolean {
  return direction === 'stopped' || currentDirection === 'stopped';
}

export function isSame(kinds: ReadonlySet<MediaKind>, others: ReadonlySet<MediaKind>): boolean {
  return kinds.size === others.size && [...kinds].every((kind) => others.has(kind));
}
