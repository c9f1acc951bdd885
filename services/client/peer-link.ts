import type { Candidate, Description } from '@fenghuo/protocol';

/**
 * One RTCPeerConnection with the perfect negotiation of W3C WebRTC, 10.7: either side may offer at any time; where
 * both do, the impolite side's offer stands and the polite side takes its own back.
 *
 * Offers of one's own and signals from the other side run through one queue, one after the other and in the
 * order in which they came. So a step never sees the connection in the middle of another one.
 *
 * To begin with, the polite side (who came later) offers, and the other one puts its tracks into the answer: one
 * round trip and no glare. A client that waits to be called is called after OFFER_PATIENCE_MS.
 */
export class PeerLink {
  #connection: RTCPeerConnection;
  readonly #options: PeerLinkOptions;
  readonly #tracks = new Map<MediaStreamTrack, MediaStream>();
  readonly #streams = new Map<string, MediaStream>();
  readonly #early: Candidate[] = [];
  #queue: Promise<void> = Promise.resolve();
  #isStarted = false;
  #isIgnoringOffer = false;
  #isClosed = false;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #insistence: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#connection = this.#open();
    for (const [track, stream] of options.tracks) this.#tracks.set(track, stream);
    if (options.isPolite) this.#start();
    else this.#patience = setTimeout(() => this.#start(), options.offerPatienceMs ?? OFFER_PATIENCE_MS);
  }

  get state(): LinkState {
    const { connectionState, iceConnectionState } = this.#connection;
    return { connection: connectionState, ice: iceConnectionState };
  }

  /** What the other side sends, in the order in which it came. */
  get streams(): readonly MediaStream[] {
    return [...this.#streams.values()];
  }

  getStats(): Promise<RTCStatsReport> {
    return this.#connection.getStats();
  }

  /** Takes a signal of the other side's, in the order of the room's log. */
  receive(signal: { description?: Description | undefined; candidate?: Candidate | null | undefined }): void {
    const { description, candidate } = signal;
    if (description !== undefined) this.#enqueue(() => this.#accept(description));
    else if (candidate !== undefined) this.#enqueue(() => this.#addCandidate(candidate));
  }

  /** Sends a track from now on, and negotiates it. */
  addTrack(track: MediaStreamTrack, stream: MediaStream): void {
    this.#tracks.set(track, stream);
    if (this.#isStarted && !this.#isClosed) this.#connection.addTrack(track, stream);
  }

  removeTrack(track: MediaStreamTrack): void {
    this.#tracks.delete(track);
    const sender = this.#senderOf(track);
    if (sender !== undefined && !this.#isClosed) this.#connection.removeTrack(sender);
  }

  /** Sends `next` where `track` was sent: the other side notices nothing, and nothing is negotiated. */
  async replaceTrack(track: MediaStreamTrack, next: MediaStreamTrack): Promise<void> {
    const stream = this.#tracks.get(track);
    if (stream === undefined) return;
    this.#tracks.delete(track);
    this.#tracks.set(next, stream);
    await this.#senderOf(track)?.replaceTrack(next);
  }

  /** Looks for a way to the other side anew, over the same session. */
  restartIce(): void {
    this.#connection.restartIce();
  }

  /**
   * Signals of the other side were lost on the way here. An offer that waits for its answer is sent again, for the
   * answer may be what is missing, and holds all candidates; else ICE is restarted.
   */
  makeUpForLoss(): void {
    this.#enqueue(async () => {
      if (this.#connection.signalingState === 'have-local-offer') this.#sendDescription();
      else this.#connection.restartIce();
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#patience);
    clearTimeout(this.#insistence);
    this.#connection.close();
  }

  #open(): RTCPeerConnection {
    const connection = this.#options.createConnection();
    const whileCurrent = (step: () => void) => () => {
      if (connection === this.#connection && !this.#isClosed) step();
    };
    connection.onnegotiationneeded = whileCurrent(() => this.#enqueue(() => this.#offer()));
    connection.onicecandidate = ({ candidate }) => {
      whileCurrent(() => this.#send({ candidate: candidate === null ? null : toWire(candidate) }))();
    };
    connection.ontrack = (event) => whileCurrent(() => this.#receiveTrack(event))();
    connection.onconnectionstatechange = whileCurrent(() => this.#changed());
    connection.oniceconnectionstatechange = whileCurrent(() => {
      if (connection.iceConnectionState === 'failed') connection.restartIce();
      this.#changed();
    });
    return connection;
  }

  /**
   * Where the very first offers meet, a new connection in place of a rollback. For the other side it is the same;
   * but Chromium, when it rolls back while it gathers its first candidates, may gather none until the network changes.
   */
  #renew(): void {
    this.#connection.close();
    this.#connection = this.#open();
    this.#isStarted = false; // The answer takes the tracks along.
  }

  /** Puts one's tracks on the connection, which makes an offer due unless one is being answered. */
  #start(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    clearTimeout(this.#patience);
    for (const [track, stream] of this.#tracks) this.#connection.addTrack(track, stream);
    if (this.#connection.getTransceivers().length > 0) return;
    // With nothing to send, an offer has to ask.
    this.#connection.addTransceiver('audio', { direction: 'recvonly' });
    this.#connection.addTransceiver('video', { direction: 'recvonly' });
  }

  async #offer(): Promise<void> {
    // Whatever is due in another state is asked for again once the state is stable.
    if (this.#connection.signalingState !== 'stable') return;
    await this.#connection.setLocalDescription();
    this.#sendDescription();
  }

  async #accept(description: Description): Promise<void> {
    const isOffer = description.type === 'offer';
    const isStable = this.#connection.signalingState === 'stable';
    if (!isOffer && isStable) return; // The second answer, to an offer that was sent twice.
    const isCollision = isOffer && !isStable;
    this.#isIgnoringOffer = isCollision && !this.#options.isPolite;
    if (this.#isIgnoringOffer) {
      this.#insist();
      return;
    }
    clearTimeout(this.#insistence);
    if (isCollision && this.#connection.remoteDescription === null) this.#renew();
    await this.#connection.setRemoteDescription(description); // Takes one's own offer back where there is one.
    for (const candidate of this.#early.splice(0)) await this.#addCandidate(candidate);
    if (!isOffer) return;
    this.#start();
    await this.#connection.setLocalDescription();
    this.#sendDescription();
  }

  /**
   * One's own offer stands, and the other side answers it; unless it never got it, because it lost signals. Then
   * both would wait for each other forever, so it is sent again to one who takes that long.
   */
  #insist(): void {
    clearTimeout(this.#insistence);
    this.#insistence = setTimeout(() => {
      this.#enqueue(async () => {
        if (this.#connection.signalingState === 'have-local-offer') this.#sendDescription();
      });
    }, this.#options.offerPatienceMs ?? OFFER_PATIENCE_MS);
  }

  async #addCandidate(candidate: Candidate | null): Promise<void> {
    if (this.#connection.remoteDescription === null) {
      // Before any description it waits for one; but what belongs to an ignored offer never gets one.
      const isWorthKeeping = candidate !== null && !this.#isIgnoringOffer && this.#early.length < EARLY_MAX;
      if (isWorthKeeping) this.#early.push(candidate);
      return;
    }
    try {
      await this.#connection.addIceCandidate(candidate === null ? undefined : toDictionary(candidate));
    } catch (fault) {
      // Of an ignored offer, or an end that this browser does not take: nothing is missing.
      if (candidate !== null && !this.#isIgnoringOffer) throw fault;
    }
  }

  #sendDescription(): void {
    const description = this.#connection.localDescription;
    if (description === null) return;
    this.#send({ description: { type: description.type, sdp: description.sdp } as Description });
  }

  #send(signal: OutgoingSignal): void {
    if (this.#isClosed) return;
    this.#options.send(signal).catch((fault: unknown) => this.#fail(fault));
  }

  #receiveTrack({ track, streams }: RTCTrackEvent): void {
    const stream = streams[0] ?? new MediaStream([track]);
    this.#streams.set(stream.id, stream);
    stream.onremovetrack = () => {
      if (stream.getTracks().length > 0) return;
      this.#streams.delete(stream.id);
      this.#options.onStreams?.(this.streams);
    };
    this.#options.onStreams?.(this.streams);
  }

  #changed(): void {
    this.#options.onState?.(this.state);
  }

  #senderOf(track: MediaStreamTrack): RTCRtpSender | undefined {
    return this.#connection.getSenders().find((sender) => sender.track === track);
  }

  #enqueue(step: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (this.#isClosed) return;
      try {
        await step();
      } catch (fault) {
        this.#fail(fault);
      }
    });
  }

  #fail(fault: unknown): void {
    if (!this.#isClosed) this.#options.onFault?.(fault);
  }
}

/** Candidates that wait for a description; no honest peer has so many. */
const EARLY_MAX = 256;

/** How long the impolite side waits for the other one to begin, or to take its own offer back. */
export const OFFER_PATIENCE_MS = 2_000;

export interface PeerLinkOptions {
  /** The side with the larger `joined_seq`. */
  readonly isPolite: boolean;
  /** Sent from the beginning. */
  readonly tracks: Iterable<readonly [MediaStreamTrack, MediaStream]>;
  readonly offerPatienceMs?: number;
  createConnection(): RTCPeerConnection;
  /** Brings a signal to the other side; calls are to arrive in their order. */
  send(signal: OutgoingSignal): Promise<unknown>;
  onState?(state: LinkState): void;
  onStreams?(streams: readonly MediaStream[]): void;
  /** A step failed and was skipped; the connection lives on. */
  onFault?(fault: unknown): void;
}

export type OutgoingSignal = { readonly description: Description } | { readonly candidate: Candidate | null };

export interface LinkState {
  readonly connection: RTCPeerConnectionState;
  readonly ice: RTCIceConnectionState;
}

function toWire({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: RTCIceCandidate): Candidate {
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
}

function toDictionary({
  candidate,
  sdpMid,
  sdpMLineIndex,
  usernameFragment,
}: Candidate): RTCIceCandidateInit {
  return {
    candidate,
    sdpMid: sdpMid ?? null,
    sdpMLineIndex: sdpMLineIndex ?? null,
    usernameFragment: usernameFragment ?? null,
  };
}
