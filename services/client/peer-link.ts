import type { Candidate, Description } from '@fenghuo/protocol';
import { IncomingMedia } from './incoming-media.ts';
import { type MediaKind, OutgoingMedia } from './outgoing-media.ts';
import { SignalingError } from './signaling-error.ts';

/**
 * One RTCPeerConnection with the perfect negotiation of W3C WebRTC, 10.7: either side may offer at any time; where
 * both do, the impolite side's offer stands and the polite side takes its own back.
 *
 * Offers of one's own and signals from the other side run through one queue, one after the other and in the
 * order in which they came. So a step never sees the connection in the middle of another one.
 *
 * To begin with, the polite side (who came later) offers, and the other one puts its tracks into the answer: one
 * round trip and no glare. A client that waits to be called is called after OFFER_PATIENCE_MS.
 *
 * A node refuses a description that would send what its author is muted in. One that was made just before the mute is
 * taken back, and made anew without that kind; the other side never heard of it.
 */
export class PeerLink {
  #connection: RTCPeerConnection;
  readonly #options: PeerLinkOptions;
  readonly #outgoing: OutgoingMedia;
  readonly #incoming: IncomingMedia;
  readonly #early: Candidate[] = [];
  #queue: Promise<void> = Promise.resolve();
  #isIgnoringOffer = false;
  #isClosed = false;
  /** An exchange was completed on this connection. */
  #isAgreed = false;
  /** Counts one's own descriptions. */
  #described = 0;
  /** Descriptions that were refused in a row. */
  #refusals = 0;
  /** A description was refused, and nothing has changed since that would spare the next one that. */
  #isHeldBack = false;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #insistence: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#outgoing = new OutgoingMedia(options.tracks, options.forbidden);
    this.#incoming = new IncomingMedia(() => this.#options.onStreams?.(this.streams), options.silenced);
    this.#connection = this.#open();
    const fresh = options.refreshServers?.();
    if (fresh !== undefined) this.#enqueue(() => fresh);
    if (options.isPolite) this.#start();
    else this.#patience = setTimeout(() => this.#start(), this.#patienceMs);
  }

  get state(): LinkState {
    const { connectionState, iceConnectionState } = this.#connection;
    return { connection: connectionState, ice: iceConnectionState };
  }

  /** What the other side sends and may, in the order in which it came. */
  get streams(): readonly MediaStream[] {
    return this.#incoming.streams;
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
    if (!this.#isClosed) this.#outgoing.add(track, stream);
  }

  removeTrack(track: MediaStreamTrack): void {
    if (!this.#isClosed) this.#outgoing.remove(track);
  }

  /** Sends `next` where `track` was sent: the other side notices nothing, and nothing is negotiated. */
  async replaceTrack(track: MediaStreamTrack, next: MediaStreamTrack): Promise<void> {
    await this.#outgoing.replace(track, next);
  }

  /** Sends nothing of these kinds from now on, until they are named no more. The tracks are kept. */
  forbid(kinds: ReadonlySet<MediaKind>): void {
    if (!this.#isClosed && this.#outgoing.forbid(kinds) && this.#isHeldBack) this.#offerAnew();
  }

  /** Gives nothing of these kinds on from now on, whatever the other side sends. */
  silence(kinds: ReadonlySet<MediaKind>): void {
    if (!this.#isClosed) this.#incoming.silence(kinds);
  }

  /** For what is looked for from now on: the present way stays. */
  setIceServers(iceServers: RTCIceServer[]): void {
    if (this.#isClosed) return;
    try {
      this.#connection.setConfiguration({ ...this.#connection.getConfiguration(), iceServers });
    } catch (fault) {
      this.#fail(fault);
    }
  }

  /** Looks for a way to the other side anew, over the same session. */
  restartIce(): void {
    const fresh = this.#options.refreshServers?.();
    if (fresh === undefined) this.#connection.restartIce();
    else this.#enqueue(() => fresh.then(() => this.#connection.restartIce()));
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
    clearTimeout(this.#retry);
    this.#connection.close();
  }

  get #patienceMs(): number {
    return this.#options.offerPatienceMs ?? OFFER_PATIENCE_MS;
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
    connection.ontrack = (event) => whileCurrent(() => this.#incoming.receive(event))();
    connection.onconnectionstatechange = whileCurrent(() => this.#changed());
    connection.oniceconnectionstatechange = whileCurrent(() => {
      if (connection.iceConnectionState === 'failed') this.restartIce();
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
    this.#isAgreed = false;
    this.#outgoing.reset(); // The answer, or the next offer, takes the tracks along.
    this.#incoming.reset();
  }

  /** Puts one's tracks on the connection, which makes an offer due unless one is being answered. */
  #start(): void {
    if (this.#outgoing.isStarted || this.#isClosed) return;
    clearTimeout(this.#patience);
    this.#outgoing.start(this.#connection);
  }

  async #offer(): Promise<void> {
    // Whatever is due in another state is asked for again once the state is stable.
    if (this.#connection.signalingState !== 'stable' || this.#isHeldBack) return;
    await this.#describe();
  }

  async #describe(): Promise<void> {
    this.#described++;
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
    if (!isOffer) this.#isAgreed = true;
    for (const candidate of this.#early.splice(0)) await this.#addCandidate(candidate);
    if (!isOffer) return;
    this.#start();
    await this.#describe();
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
    }, this.#patienceMs);
  }

  async #addCandidate(candidate: Candidate | null): Promise<void> {
    if (this.#connection.remoteDescription === null) {
      // Before any description it waits for one; but what belongs to an ignored offer never gets one.
      const isWorthKeeping = candidate !== null && !this.#isIgnoringOffer && this.#early.length < EARLY_MAX;
      if (isWorthKeeping) this.#early.push(candidate);
      return;
    }
    if (!this.#isOfDescription(candidate)) return;
    try {
      await this.#connection.addIceCandidate(candidate === null ? undefined : toDictionary(candidate));
    } catch (fault) {
      // Of an ignored offer, or an end that this browser does not take: nothing is missing.
      if (candidate !== null && !this.#isIgnoringOffer) throw fault;
    }
  }

  /** A candidate may be of an offer that was refused on its way here: its fragment names the one it belongs to. */
  #isOfDescription(candidate: Candidate | null): boolean {
    const fragment = candidate?.usernameFragment;
    if (typeof fragment !== 'string') return true;
    return this.#connection.remoteDescription?.sdp.includes(`a=ice-ufrag:${fragment}`) ?? false;
  }

  #sendDescription(): void {
    const description = this.#connection.localDescription;
    if (description === null || this.#isClosed) return;
    const { type, sdp } = description;
    const number = this.#described;
    const { version } = this.#outgoing;
    this.#options.send({ description: { type, sdp } as Description }).then(
      () => {
        this.#refusals = 0;
        if (type === 'answer' && number === this.#described) this.#isAgreed = true;
      },
      (fault: unknown) => {
        const isForbidden = fault instanceof SignalingError && fault.code === 'media_forbidden';
        if (isForbidden) this.#enqueue(() => this.#takeBack(number, version, fault));
        else this.#fail(fault);
      },
    );
  }

  /**
   * A description of one's own was refused. An offer is rolled back; an answer cannot be, but an offer after it makes
   * the other side take its own back, or send it again. Where nothing was agreed on yet, a new connection does for both.
   */
  async #takeBack(number: number, version: number, fault: SignalingError): Promise<void> {
    // It gave way to another one meanwhile, or was sent twice.
    if (number !== this.#described || this.#isHeldBack) return;
    this.#isHeldBack = true;
    if (!this.#isAgreed) this.#renew();
    else if (this.#connection.signalingState === 'have-local-offer') {
      await this.#connection.setLocalDescription({ type: 'rollback' });
    }
    if (version !== this.#outgoing.version) {
      this.#offerAnew();
      return;
    }
    // The roster has still to tell what was forbidden; or it never will, and then this is rare.
    if (this.#refusals > 0) this.#fail(fault);
    const delayMs = this.#patienceMs * 2 ** Math.min(this.#refusals++, REFUSALS_SPREAD_MAX);
    this.#retry = setTimeout(() => this.#offerAnew(), delayMs);
  }

  #offerAnew(): void {
    clearTimeout(this.#retry);
    this.#isHeldBack = false;
    this.#enqueue(async () => {
      this.#start();
      await this.#offer();
    });
  }

  #send(signal: OutgoingSignal): void {
    if (this.#isClosed) return;
    this.#options.send(signal).catch((fault: unknown) => this.#fail(fault));
  }

  #changed(): void {
    this.#options.onState?.(this.state);
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

/** Tries of a description that is refused again and again are doubled as often: to about a minute. */
const REFUSALS_SPREAD_MAX = 5;

/** How long the impolite side waits for the other one to begin, or to take its own offer back. */
export const OFFER_PATIENCE_MS = 2_000;

export interface PeerLinkOptions {
  /** The side with the larger `joined_seq`. */
  readonly isPolite: boolean;
  /** Sent from the beginning. */
  readonly tracks: Iterable<readonly [MediaStreamTrack, MediaStream]>;
  /** Kinds that are not sent for now. */
  readonly forbidden?: ReadonlySet<MediaKind>;
  /** Kinds of the other side's that are not given on for now. */
  readonly silenced?: ReadonlySet<MediaKind>;
  readonly offerPatienceMs?: number;
  createConnection(): RTCPeerConnection;
  /** Brings a signal to the other side; calls are to arrive in their order. */
  send(signal: OutgoingSignal): Promise<unknown>;
  /** Before ways are looked for: undefined where the TURN credentials are fresh, else when `setIceServers` was called. */
  refreshServers?(): Promise<void> | undefined;
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
