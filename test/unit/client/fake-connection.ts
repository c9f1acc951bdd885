/** The signaling half of an RTCPeerConnection, after W3C WebRTC 4.4.1: states, rollback, negotiation-needed. */
export class FakeConnection {
  signalingState = 'stable';
  iceConnectionState = 'new';
  connectionState = 'new';
  localDescription: { type: string; sdp: string } | null = null;
  remoteDescription: { type: string; sdp: string } | null = null;
  onnegotiationneeded: (() => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  isNegotiationNeeded = false;
  refusesCandidates = false;
  isClosed = false;
  restarts = 0;
  /** What was set, in order. */
  readonly log: string[] = [];
  readonly candidates: (string | null)[] = [];
  readonly senders: { track: unknown }[] = [];
  readonly #name: string;
  #transceivers = 0;
  #offers = 0;

  constructor(name: string) {
    this.#name = name;
  }

  addTrack(track: unknown): void {
    if (this.isClosed) throw new DOMException('closed', 'InvalidStateError');
    this.senders.push({ track });
    this.#transceivers++;
    this.#needNegotiation();
  }

  addTransceiver(): void {
    this.#transceivers++;
    this.#needNegotiation();
  }

  getTransceivers(): unknown[] {
    return Array.from({ length: this.#transceivers });
  }

  getSenders(): { track: unknown }[] {
    return this.senders;
  }

  restartIce(): void {
    this.restarts++;
    this.#needNegotiation();
  }

  async setLocalDescription(): Promise<void> {
    await Promise.resolve();
    if (this.signalingState === 'have-remote-offer') {
      this.localDescription = { type: 'answer', sdp: `v=0 ${this.#name}` };
      this.log.push('local answer');
      this.isNegotiationNeeded = false; // Tracks added meanwhile are in the answer.
      this.signalingState = 'stable';
    } else if (this.signalingState === 'stable') {
      this.localDescription = { type: 'offer', sdp: `v=0 ${this.#name} ${++this.#offers}` };
      this.log.push('local offer');
      this.signalingState = 'have-local-offer';
    } else {
      throw new DOMException(`in ${this.signalingState}`, 'InvalidStateError');
    }
  }

  async setRemoteDescription(description: { type: string; sdp: string }): Promise<void> {
    await Promise.resolve();
    const isGlare = description.type === 'offer' && this.signalingState === 'have-local-offer';
    if (description.type === 'answer' && this.signalingState !== 'have-local-offer') {
      throw new DOMException(`answer in ${this.signalingState}`, 'InvalidStateError');
    }
    this.log.push(`${isGlare ? 'rollback, ' : ''}remote ${description.type}`);
    this.remoteDescription = description;
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
    if (description.type === 'answer') this.isNegotiationNeeded = false;
  }

  async addIceCandidate(candidate?: { candidate: string }): Promise<void> {
    if (this.refusesCandidates) throw new DOMException('unknown ufrag', 'OperationError');
    this.candidates.push(candidate?.candidate ?? null);
  }

  close(): void {
    this.isClosed = true;
  }

  #needNegotiation(): void {
    this.isNegotiationNeeded = true;
    setTimeout(() => {
      if (this.isNegotiationNeeded && this.signalingState === 'stable' && !this.isClosed) {
        this.onnegotiationneeded?.();
      }
    });
  }
}

export function asConnection(fake: FakeConnection): RTCPeerConnection {
  return fake as unknown as RTCPeerConnection;
}

export function fakeTrack(kind: string): MediaStreamTrack {
  return { kind } as MediaStreamTrack;
}
