import type { IceServer, Kind, Peer, PeerId } from '@fenghuo/protocol';
import { Emitter } from './emitter.ts';
import type { LinkFault, LinkState } from './link-state.ts';
import { type LinkStats, readLinkStats } from './link-stats.ts';
import type { MediaKind } from './outgoing-media.ts';
import { PeerLink } from './peer-link.ts';
import type { RoomSession } from './session.ts';
import { onWakeUp } from './wake-up.ts';

/**
 * A call among everyone in a room: a direct connection to each other peer, kept in step with the roster. What is
 * added here is sent to all of them, and to those who come later. It goes on while the session has no connection.
 *
 * A link that fails is made up for by itself, and is a fault of that link alone: the others go on.
 *
 * What one is muted in is not sent, and is again after the unmute: one's tracks stay. What others are muted in is given
 * to nobody here, whatever they send.
 */
export class MeshCall extends Emitter<CallEvents> {
  readonly #session: RoomSession;
  readonly #options: MeshCallOptions;
  readonly #tracks = new Map<MediaStreamTrack, MediaStream>();
  /** Kinds that the application turned off: tracks that come later are off, too. */
  readonly #off = new Set<MediaKind>();
  readonly #links = new Map<PeerId, PeerLink>();
  /** Peers without a connection to a node, as far as was told. */
  readonly #detached = new Set<PeerId>();
  readonly #stopListening: (() => void)[];

  /** Make it in the same turn as the session, so that no signal comes before it. */
  constructor(session: RoomSession, options: MeshCallOptions = {}) {
    super();
    this.#session = session;
    this.#options = options;
    this.#stopListening = [
      session.on('joined', () => {
        this.#hangUpAll(); // They knew another peer.
        this.#callMissing();
      }),
      session.on('peer_joined', ({ peer }) => this.#call(peer)),
      session.on('peer_updated', ({ peer }) => {
        this.#followMutes(peer);
        this.#followReach(peer);
      }),
      session.on('peer_left', ({ peer }) => this.#hangUp(peer)),
      session.on('ice_servers', (list) => {
        for (const link of this.#links.values()) link.setIceServers(list.map(toDictionary));
      }),
      session.on('signal', (signal) => this.#links.get(signal.from)?.receive(signal)),
      session.on('resync', ({ complete }) => this.#followRoster(complete)),
      session.on('resumed', ({ recovered }) => this.#followRoster(recovered)),
      session.on('state', ({ phase }) => phase === 'closed' && this.close()),
      onWakeUp(() => this.#lookAgain()),
    ];
    this.#callMissing();
  }

  /** Sends a track to everyone; tracks of one stream are shown as one picture. */
  addTrack(track: MediaStreamTrack, stream: MediaStream): void {
    this.#turnOffWhereDue(track);
    this.#tracks.set(track, stream);
    for (const link of this.#links.values()) link.addTrack(track, stream);
  }

  removeTrack(track: MediaStreamTrack): void {
    this.#tracks.delete(track);
    for (const link of this.#links.values()) link.removeTrack(track);
  }

  /**
   * Sends `next` in the place of `track`, without negotiation: another camera, another microphone. `next` is off where
   * `track` was, or its kind is. A track of another kind is negotiated: `track` is removed and `next` is added.
   */
  async replaceTrack(track: MediaStreamTrack, next: MediaStreamTrack): Promise<void> {
    const stream = this.#tracks.get(track);
    if (stream === undefined || next === track) return;
    if (next.kind !== track.kind) {
      this.removeTrack(track);
      this.addTrack(next, stream);
      return;
    }
    if (!track.enabled) next.enabled = false; // Before it is sent: nobody may hear its first moment.
    this.#turnOffWhereDue(next);
    this.#tracks.delete(track);
    this.#tracks.set(next, stream);
    await Promise.all([...this.#links.values()].map((link) => link.replaceTrack(track, next)));
  }

  /**
   * Sends silence, or black, in the place of one's tracks of that kind. The tracks go on. What is off stays off for tracks
   * of the kind that are added, or put in the place of others, later.
   */
  setEnabled(kind: MediaKind, isEnabled: boolean): void {
    if (isEnabled) this.#off.delete(kind);
    else this.#off.add(kind);
    for (const track of this.#tracks.keys()) {
      if (track.kind === kind) track.enabled = isEnabled;
    }
  }

  /** Looks for a way to a peer anew, over the same connection; to everyone where none is named. */
  restartIce(peer?: PeerId): void {
    if (peer !== undefined) this.#links.get(peer)?.restartIce();
    else for (const link of this.#links.values()) link.restartIce();
  }

  streamsOf(peer: PeerId): readonly MediaStream[] {
    return this.#links.get(peer)?.streams ?? [];
  }

  stateOf(peer: PeerId): LinkState | undefined {
    return this.#links.get(peer)?.state;
  }

  /** Undefined where there is no connection to that peer. */
  async statsOf(peer: PeerId): Promise<LinkStats | undefined> {
    const report = await this.#links.get(peer)?.getStats();
    return report && readLinkStats(report);
  }

  /** Ends the connections; the session goes on. The tracks belong to whoever made them. */
  close(): void {
    for (const stop of this.#stopListening) stop();
    this.#hangUpAll();
  }

  #turnOffWhereDue(track: MediaStreamTrack): void {
    if (this.#off.has(track.kind as MediaKind)) track.enabled = false;
  }

  #callMissing(): void {
    for (const peer of this.#session.peers.values()) this.#call(peer);
  }

  #call(peer: Peer): void {
    const { self } = this.#session;
    if (self === undefined || this.#links.has(peer.id)) return;
    this.#followReach(peer);
    const link = new PeerLink({
      isPolite: self.joined_seq > peer.joined_seq,
      tracks: this.#tracks,
      forbidden: mediaKinds(self.muted),
      silenced: mediaKinds(peer.muted),
      answerTimeoutMs: this.#options.answerTimeoutMs,
      disconnectedGraceMs: this.#options.disconnectedGraceMs,
      createConnection: () => this.#createConnection(),
      isReachable: () => this.#isReachable(peer.id),
      refreshServers: () => this.#session.refreshIceServers(),
      send: (signal) => this.#session.signal(peer.id, signal),
      onState: (state) => this.emit('link', { peer: peer.id, state }),
      onStreams: (streams) => this.emit('media', { peer: peer.id, streams }),
      onFault: (fault) => this.emit('fault', { peer: peer.id, ...fault }),
    });
    this.#links.set(peer.id, link);
    this.emit('link', { peer: peer.id, state: link.state });
  }

  #createConnection(): RTCPeerConnection {
    const iceServers = this.#session.iceServers.map(toDictionary);
    // One way for all media: with the browsers' default each kind looks for its own until the answer says that it need not.
    const configuration = { bundlePolicy: 'max-bundle', ...this.#options.configuration, iceServers } as const;
    const { createConnection } = this.#options;
    return createConnection?.(configuration) ?? new RTCPeerConnection(configuration);
  }

  #isReachable(peer: PeerId): boolean {
    const { state, peers } = this.#session;
    return state.phase === 'connected' && peers.get(peer)?.connected === true;
  }

  #lookAgain(): void {
    for (const link of this.#links.values()) link.lookAgain();
  }

  /** Where signals are missing, a fresh exchange makes up for any of them; the media of those who stay goes on. */
  #followRoster(isComplete: boolean): void {
    for (const peer of [...this.#links.keys()]) {
      if (!this.#session.peers.has(peer)) this.#hangUp(peer);
    }
    const { self, peers } = this.#session;
    for (const peer of [self, ...peers.values()]) if (peer !== undefined) this.#followMutes(peer);
    for (const peer of peers.values()) this.#followReach(peer);
    if (isComplete) this.#lookAgain();
    else for (const link of this.#links.values()) link.makeUpForLoss();
    this.#callMissing();
  }

  /** Signals reach a peer again that was detached. */
  #followReach({ id, connected }: Peer): void {
    if (!connected) this.#detached.add(id);
    else if (this.#detached.delete(id)) this.#links.get(id)?.lookAgain();
  }

  #followMutes({ id, muted }: Peer): void {
    const kinds = mediaKinds(muted);
    if (id !== this.#session.self?.id) this.#links.get(id)?.silence(kinds);
    else for (const link of this.#links.values()) link.forbid(kinds);
  }

  #hangUpAll(): void {
    for (const peer of [...this.#links.keys()]) this.#hangUp(peer);
  }

  #hangUp(peer: PeerId): void {
    this.#links.get(peer)?.close();
    this.#links.delete(peer);
    this.#detached.delete(peer);
    this.emit('gone', { peer });
  }
}

export interface MeshCallOptions {
  /** Of every connection; the ICE servers are the session's. Default: `{ bundlePolicy: 'max-bundle' }`. */
  readonly configuration?: Omit<RTCConfiguration, 'iceServers'>;
  /** How long an offer waits for its answer; default 8 s. Then it is taken back, and made anew. */
  readonly answerTimeoutMs?: number;
  /** How long a path that is lost may come back by itself; default 4 s. Then ICE is restarted. */
  readonly disconnectedGraceMs?: number;
  /** Where RTCPeerConnection is not the browser's. */
  readonly createConnection?: (configuration: RTCConfiguration) => RTCPeerConnection;
}

export interface CallEvents {
  /** The connection to a peer was made, or is in another state. */
  link: { readonly peer: PeerId; readonly state: LinkState };
  /** What a peer sends has changed. */
  media: { readonly peer: PeerId; readonly streams: readonly MediaStream[] };
  /** The connection to a peer is closed. */
  gone: { readonly peer: PeerId };
  /** A step of the negotiation with a peer failed; the link says whether it makes up for that by itself. */
  fault: LinkFault & { readonly peer: PeerId };
}

function mediaKinds(kinds: readonly Kind[]): ReadonlySet<MediaKind> {
  return new Set(kinds.filter((kind) => kind !== 'message'));
}

function toDictionary({ urls, username, credential }: IceServer): RTCIceServer {
  return {
    urls: typeof urls === 'string' ? urls : [...urls],
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  };
}
