/** The kinds that a person may be muted in and that go from peer to peer. */
export type MediaKind = 'audio' | 'video';

/**
 * One's own tracks on one connection. Those of a kind that is forbidden are taken off it at once, and put back where
 * they were when it is allowed again: whoever made them need not know. What changes here makes a negotiation due.
 *
 * A connection never loses an m-line, so those made for later tracks carry one track after another. The other side puts
 * nothing on these: where both sides used one m-line anew at the same moment, Chromium 156 lost one of the pictures. And a
 * receiver is told of a stream only where nothing was sent before (W3C WebRTC, 4.4.1.5), so a track of another stream
 * waits until the other side knows that the former one is gone.
 */
export class OutgoingMedia {
  readonly #tracks = new Map<MediaStreamTrack, MediaStream>();
  /** Where each track was put. */
  readonly #carriers = new Map<MediaStreamTrack, RTCRtpTransceiver>();
  /** Made for tracks that came after the start, and the stream that each carried last. */
  readonly #own = new Map<RTCRtpTransceiver, MediaStream>();
  /** Tracks for which no m-line is free yet. */
  readonly #waiting = new Set<MediaStreamTrack>();
  /** The connection whose local description is being set. */
  #describing: RTCPeerConnection | undefined;
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
    for (const [track, stream] of this.#tracks) {
      if (this.#isForbidden(track)) continue;
      const sender = connection.addTrack(track, stream); // Where the other side sends, if it does already.
      const carrier = connection.getTransceivers().find((each) => each.sender === sender);
      if (carrier !== undefined) this.#carriers.set(track, carrier);
    }
    this.#ask(connection);
  }

  /** Sets the local description that is due. */
  async describe(connection: RTCPeerConnection): Promise<void> {
    this.#describing = connection;
    await connection.setLocalDescription().finally(() => {
      if (this.#describing === connection) this.#describing = undefined;
    });
  }

  /** Puts the tracks that wait for an m-line; to be called after each step of a negotiation. */
  goOn(): void {
    for (const [track, carrier] of this.#carriers) {
      const stream = this.#tracks.get(track);
      // Chromium 156 goes back to the first name once a description is set.
      if (stream !== undefined && this.#own.has(carrier) && !isStopped(carrier))
        carrier.sender.setStreams(stream);
    }
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const track of waiting) this.#put(track);
  }

  /** The connection is another one, and has nothing yet. */
  reset(): void {
    this.#connection = undefined;
    this.#carriers.clear();
    this.#own.clear();
    this.#waiting.clear();
  }

  add(track: MediaStreamTrack, stream: MediaStream): void {
    this.#tracks.set(track, stream);
    this.#put(track);
  }

  remove(track: MediaStreamTrack): void {
    this.#tracks.delete(track);
    this.#waiting.delete(track);
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
    const stream = this.#tracks.get(track);
    if (this.#connection === undefined || stream === undefined || this.#isForbidden(track)) return;
    const former = this.#carriers.get(track);
    if (former !== undefined && !isStopped(former)) {
      this.#carryOn(former, track, stream);
      return;
    }
    const idle = this.#idle(track.kind);
    const free = idle.find((each) => this.#own.get(each) === stream || !this.#isTold(each));
    if (free !== undefined) this.#carryOn(free, track, stream);
    else if (idle.length === 0) this.#carry(this.#connection, track, stream);
    else this.#waiting.add(track);
  }

  /** One's own transceivers that carry nothing. */
  #idle(kind: string): RTCRtpTransceiver[] {
    const taken = new Set(this.#carriers.values());
    const isIdle = (each: RTCRtpTransceiver) =>
      !taken.has(each) && !isStopped(each) && each.receiver.track.kind === kind;
    return [...this.#own.keys()].filter(isIdle);
  }

  /** The other side may still be told, or believe, that something is sent. */
  #isTold({ currentDirection }: RTCRtpTransceiver): boolean {
    const connection = this.#connection;
    const isUnderWay = connection === this.#describing || connection?.signalingState !== 'stable';
    return isUnderWay || currentDirection === 'sendrecv' || currentDirection === 'sendonly';
  }

  #carryOn(carrier: RTCRtpTransceiver, track: MediaStreamTrack, stream: MediaStream): void {
    if (this.#own.has(carrier)) {
      this.#own.set(carrier, stream);
      carrier.sender.setStreams(stream);
    }
    this.#carriers.set(track, carrier);
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
    const made = connection.addTransceiver(track, { direction: 'sendrecv', streams: [stream] });
    this.#own.set(made, stream);
    this.#carriers.set(track, made);
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
