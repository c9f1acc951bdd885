type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

interface FakeTransceiver {
  readonly kind: string;
  readonly sender: {
    track: unknown;
    stream: string;
    replaceTrack(track: FakeTrack | null): Promise<void>;
    setStreams(stream: { id?: string }): void;
  };
  readonly receiver: { readonly track: FakeTrack };
  direction: Direction;
  currentDirection: Direction | null;
  /** Its m-line, once there is one. */
  line: number | undefined;
  /** As it was told to the other side the last time, and in the last exchange that was completed. */
  told: Direction | undefined;
  agreed: Direction | undefined;
  toldStream: string | undefined;
  agreedStream: string | undefined;
  /** Whether the other side's last offer would take anything. */
  isWanted: boolean;
  isReceiving: boolean;
  hasSent: boolean;
}

/**
 * The signaling half of an RTCPeerConnection, after W3C WebRTC 4.4.1 and JSEP (RFC 9429): states, rollback, transceivers and
 * their directions, negotiation-needed. An sdp reads `v=0 name number`, the fingerprint and the ICE credentials of the
 * connection, and then `m=kind direction stream` for each m-line. Of the path there is no more than `hasPath`.
 */
export class FakeConnection {
  signalingState = 'stable';
  iceConnectionState = 'new';
  connectionState = 'new';
  localDescription: { type: string; sdp: string } | null = null;
  remoteDescription: { type: string; sdp: string } | null = null;
  configuration: RTCConfiguration = {};
  onnegotiationneeded: (() => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  ontrack: ((event: RTCTrackEvent) => void) | null = null;
  refusesCandidates = false;
  /** No sender takes another track. */
  refusesReplacing = false;
  isClosed = false;
  restarts = 0;
  /** Whether an exchange leads to a connection: each new set of ICE credentials looks for a path. */
  hasPath = true;
  /** For the next calls of setRemoteDescription, in order: what they reject with, or `hang`. */
  readonly spoilt: (Error | 'hang' | undefined)[] = [];
  /** What was set, in order. */
  readonly log: string[] = [];
  readonly candidates: (string | null)[] = [];
  readonly transceivers: FakeTransceiver[] = [];
  readonly streams = new Map<string, FakeStream>();
  readonly #name: string;
  readonly #id = ++made;
  #generation = 0;
  #remoteFragment: string | undefined;
  #offers = 0;
  #isRestartDue = false;
  #isRestartOffered = false;
  /** It was told that a negotiation is needed, and none has been completed since. */
  #isNegotiationTold = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** What is sent now, by kind. */
  get sending(): string[] {
    return this.transceivers.flatMap(({ kind, sender, currentDirection }) =>
      sender.track !== null && /^send/.test(currentDirection ?? '') ? [kind] : [],
    );
  }

  get senders(): { track: unknown }[] {
    return this.transceivers.filter(({ sender }) => sender.track !== null).map(({ sender }) => sender);
  }

  get isNegotiationNeeded(): boolean {
    const isOther = ({ agreed, direction, agreedStream, sender }: FakeTransceiver) =>
      agreed !== direction || (/^send/.test(direction) && agreedStream !== sender.stream);
    return this.#isRestartDue || this.transceivers.some(isOther);
  }

  addTrack(track: FakeTrack, stream?: { id?: string }): object {
    if (this.isClosed) throw new DOMException('closed', 'InvalidStateError');
    const free = this.transceivers.find(
      ({ kind, sender, hasSent }) => kind === track.kind && sender.track === null && !hasSent,
    );
    const transceiver = free ?? this.#make(track.kind, 'sendrecv');
    transceiver.direction = 'sendrecv';
    transceiver.sender.track = track;
    transceiver.sender.stream = stream?.id ?? 'main';
    this.#changed();
    return transceiver.sender;
  }

  removeTrack(sender: FakeTransceiver['sender']): void {
    const transceiver = this.transceivers.find((each) => each.sender === sender);
    if (transceiver === undefined || sender.track === null) return;
    sender.track = null;
    transceiver.direction = transceiver.direction === 'sendrecv' ? 'recvonly' : 'inactive';
    this.#changed();
  }

  addTransceiver(
    media: string | FakeTrack,
    { direction, streams: [stream] = [] }: { direction: Direction; streams?: { id: string }[] },
  ): FakeTransceiver {
    const transceiver = this.#make(typeof media === 'string' ? media : media.kind, direction);
    if (typeof media !== 'string') transceiver.sender.track = media;
    transceiver.sender.stream = stream?.id ?? '';
    this.#changed();
    return transceiver;
  }

  getTransceivers(): readonly FakeTransceiver[] {
    return this.transceivers;
  }

  getConfiguration(): RTCConfiguration {
    return this.configuration;
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }

  restartIce(): void {
    this.restarts++;
    this.#isRestartDue = true;
    this.#changed();
  }

  async setLocalDescription(description?: { type: 'rollback' }): Promise<void> {
    const named = this.transceivers.map(({ sender }) => sender.stream);
    await Promise.resolve();
    // As in Chromium: a name that was given meanwhile is lost.
    for (const [index, stream] of named.entries())
      (this.transceivers[index] as FakeTransceiver).sender.stream = stream;
    if (description?.type === 'rollback') {
      if (this.signalingState !== 'have-local-offer') throw new DOMException('nothing', 'InvalidStateError');
      this.log.push('rollback');
      this.#rollBack();
      this.signalingState = 'stable';
      this.#isNegotiationTold = false;
      this.#changed();
    } else if (this.signalingState === 'have-remote-offer') {
      this.localDescription = { type: 'answer', sdp: this.#describe(`v=0 ${this.#name}`, true) };
      this.log.push('local answer');
      this.#agree();
    } else if (this.signalingState === 'stable') {
      this.localDescription = { type: 'offer', sdp: this.#describe(this.#offerHead()) };
      this.log.push('local offer');
      this.#isRestartOffered = this.#isRestartDue;
      this.signalingState = 'have-local-offer';
    } else {
      throw new DOMException(`in ${this.signalingState}`, 'InvalidStateError');
    }
  }

  async setRemoteDescription(description: { type: string; sdp: string }): Promise<void> {
    await Promise.resolve();
    const spoilt = this.spoilt.shift();
    if (spoilt === 'hang') await new Promise(() => {});
    if (spoilt instanceof Error) throw spoilt;
    const isGlare = description.type === 'offer' && this.signalingState === 'have-local-offer';
    if (description.type === 'answer' && this.signalingState !== 'have-local-offer') {
      throw new DOMException(`answer in ${this.signalingState}`, 'InvalidStateError');
    }
    this.#check(description.sdp);
    if (isGlare) this.#rollBack();
    const [fragment] = /^a=ice-ufrag:.*$/m.exec(description.sdp) ?? [];
    if (description.type === 'offer' && fragment !== this.#remoteFragment) this.#generation++;
    this.#remoteFragment = fragment;
    this.log.push(`${isGlare ? 'rollback, ' : ''}remote ${description.type}`);
    this.remoteDescription = description;
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
    this.#read(description.sdp);
    if (description.type === 'answer') this.#agree();
  }

  async addIceCandidate(candidate?: { candidate: string }): Promise<void> {
    if (this.refusesCandidates) throw new DOMException('unknown ufrag', 'OperationError');
    this.candidates.push(candidate?.candidate ?? null);
  }

  close(): void {
    this.isClosed = true;
    this.signalingState = 'closed';
  }

  /** The path comes to be so, as Chromium tells it; `failed` and `disconnected` cut it. */
  setPath(state: 'connected' | 'disconnected' | 'failed'): void {
    if (this.isClosed || this.connectionState === state) return;
    this.hasPath = state === 'connected';
    this.connectionState = state;
    // Chromium, after a call was connected once.
    this.iceConnectionState = state === 'failed' ? 'disconnected' : state;
    this.oniceconnectionstatechange?.();
    this.onconnectionstatechange?.();
  }

  #offerHead(): string {
    if (this.#isRestartDue) this.#generation++;
    return `v=0 ${this.#name} ${++this.#offers}`;
  }

  /** A later offer has all m-lines of the former ones: JSEP, 5.10. */
  #check(sdp: string): void {
    const lines = sdp.match(/^m=/gm)?.length ?? 0;
    const agreed = this.transceivers.filter(({ agreed, line }) => agreed !== undefined && line !== undefined);
    if (/^a=fingerprint/m.test(sdp) && lines < agreed.length)
      throw new DOMException('m-lines are missing', 'InvalidAccessError');
  }

  #make(kind: string, direction: Direction): FakeTransceiver {
    const connection = this;
    const sender: FakeTransceiver['sender'] = {
      track: null,
      stream: '',
      async replaceTrack(track) {
        await Promise.resolve();
        if (track !== null && track.kind !== kind) throw new TypeError('a track of another kind');
        if (connection.refusesReplacing && track !== null)
          throw new DOMException('other', 'InvalidModificationError');
        sender.track = track;
      },
      setStreams(to) {
        sender.stream = to.id ?? 'main';
        connection.#changed();
      },
    };
    const receiver = { track: fakeTrack(kind) };
    let now = direction;
    const transceiver: FakeTransceiver = {
      kind,
      sender,
      receiver,
      get direction() {
        return now;
      },
      set direction(next) {
        now = next;
        connection.#changed();
      },
      currentDirection: null,
      line: undefined,
      told: undefined,
      agreed: undefined,
      toldStream: undefined,
      agreedStream: undefined,
      isWanted: true,
      isReceiving: false,
      hasSent: false,
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }

  #describe(head: string, isAnswer = false): string {
    for (const transceiver of this.transceivers) {
      if (isAnswer && transceiver.line === undefined) continue; // What the offer had no place for needs one of its own.
      transceiver.line ??= 1 + Math.max(-1, ...this.transceivers.map(({ line }) => line ?? -1));
      transceiver.told = transceiver.direction;
      transceiver.toldStream = transceiver.sender.stream;
    }
    const lines = this.transceivers
      .filter(({ line }) => line !== undefined)
      .toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0))
      .map(({ kind, direction, isWanted, sender }) => {
        const isOneWay = isAnswer && !isWanted && direction === 'sendrecv';
        return `m=${kind} ${isOneWay ? 'recvonly' : direction} ${sender.stream}`;
      });
    const { id, generation } = { id: this.#id, generation: this.#generation };
    return [head, `a=fingerprint:${id}`, `a=ice-ufrag:${id}.${generation}`, ...lines].join('\n');
  }

  /** Associates m-lines with transceivers, and tells of tracks that come and go. */
  #read(sdp: string): void {
    for (const [line, text] of (sdp.match(/^m=.*$/gm) ?? []).entries()) {
      const [, kind = '', direction = '', id = 'main'] = /^m=(\w+) (\w+) ?(.*)$/.exec(text) ?? [];
      const own =
        this.transceivers.find((each) => each.line === line) ??
        this.transceivers.find(
          (each) => each.line === undefined && each.kind === kind && each.sender.track,
        ) ??
        this.#make(kind, 'recvonly');
      own.line = line;
      own.isWanted = /^(sendrecv|recvonly)$/.test(direction);
      const sends = /^send/.test(direction);
      if (sends && !own.isReceiving) this.#receive(own, id || 'main');
      if (!sends && own.isReceiving) this.#lose(own);
    }
  }

  #receive(transceiver: FakeTransceiver, id: string): void {
    transceiver.isReceiving = true;
    const stream = this.streams.get(id) ?? new FakeStream(id);
    this.streams.set(id, stream);
    stream.addTrack(transceiver.receiver.track);
    const event = { track: transceiver.receiver.track, streams: [stream], transceiver };
    this.ontrack?.(event as unknown as RTCTrackEvent);
  }

  #lose(transceiver: FakeTransceiver): void {
    transceiver.isReceiving = false;
    for (const stream of this.streams.values()) {
      if (stream.tracks.delete(transceiver.receiver.track)) stream.onremovetrack?.();
    }
  }

  #agree(): void {
    this.signalingState = 'stable';
    this.#isNegotiationTold = false;
    if (this.#isRestartOffered) this.#isRestartDue = false;
    this.#isRestartOffered = false;
    // In a task of its own, as in a browser.
    if (this.hasPath) setTimeout(() => this.hasPath && this.setPath('connected'));
    for (const transceiver of this.transceivers) {
      if (transceiver.line === undefined) continue;
      transceiver.agreed = transceiver.told;
      transceiver.agreedStream = transceiver.toldStream;
      const { told, isReceiving, isWanted } = transceiver;
      const sends = isWanted && (told === 'sendrecv' || told === 'sendonly');
      transceiver.hasSent ||= sends;
      const receives = isReceiving && (told === 'sendrecv' || told === 'recvonly');
      transceiver.currentDirection = sends
        ? receives
          ? 'sendrecv'
          : 'sendonly'
        : receives
          ? 'recvonly'
          : 'inactive';
    }
    this.#changed();
  }

  #rollBack(): void {
    this.#isRestartOffered = false;
    for (const transceiver of this.transceivers) {
      if (transceiver.agreed === undefined) transceiver.line = undefined;
      transceiver.told = transceiver.agreed;
      transceiver.toldStream = transceiver.agreedStream;
    }
  }

  #changed(): void {
    setTimeout(() => {
      if (this.signalingState !== 'stable' || this.isClosed) return;
      const wasTold = this.#isNegotiationTold;
      this.#isNegotiationTold = this.isNegotiationNeeded;
      if (this.#isNegotiationTold && !wasTold) this.onnegotiationneeded?.();
    });
  }
}

let made = 0;

/** As Chromium has it: a track that is turned off when it is taken out is not played again when it is put back. */
class FakeStream {
  readonly id: string;
  readonly tracks = new Set<FakeTrack>();
  readonly #lost = new Set<FakeTrack>();
  onremovetrack: (() => void) | null = null;

  constructor(id: string) {
    this.id = id;
  }

  getTracks(): FakeTrack[] {
    return [...this.tracks].filter((track) => !this.#lost.has(track));
  }

  addTrack(track: FakeTrack): void {
    this.tracks.add(track);
  }

  removeTrack(track: FakeTrack): void {
    if (this.tracks.delete(track) && !track.enabled) this.#lost.add(track);
  }
}

export function asConnection(fake: FakeConnection): RTCPeerConnection {
  return fake as unknown as RTCPeerConnection;
}

type FakeTrack = MediaStreamTrack;

export function fakeTrack(kind: string): MediaStreamTrack {
  return { kind, enabled: true } as MediaStreamTrack;
}
