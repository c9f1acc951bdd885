import type { Candidate, Description } from '@fenghuo/protocol';
import { IncomingMedia } from './incoming-media.ts';
import {
  ANSWER_TIMEOUT_MS,
  DISCONNECTED_GRACE_MS,
  isRestartWorthIt,
  type LinkView,
  planFor,
  remedyFor,
} from './link-plan.ts';
import type { LinkFault, LinkPhase, LinkState, LinkStep, OutgoingSignal } from './link-state.ts';
import { type MediaKind, OutgoingMedia } from './outgoing-media.ts';
import { PathWatch } from './path-watch.ts';
import { areOfDifferentConnections, fragmentsOf, toDictionary, toWire } from './session-text.ts';
import { SignalingError } from './signaling-error.ts';
import { StepQueue } from './step-queue.ts';

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
 * After each step and each change of state the link looks at how it stands, and at what comes next (`link-plan.ts`): an
 * answer that does not come, a step that fails, a path that dies are all made up for, in the end by another
 * RTCPeerConnection. The other side sees by the certificate that the connection is another one, and takes another, too.
 *
 * A node refuses a description that would send what its author is muted in. One that was made just before the mute is
 * taken back, and made anew without that kind; the other side never heard of it.
 */
export class PeerLink {
  /** Undefined while none can be made. */
  #connection: RTCPeerConnection | undefined;
  readonly #options: PeerLinkOptions;
  readonly #outgoing: OutgoingMedia;
  readonly #incoming: IncomingMedia;
  readonly #path = new PathWatch();
  readonly #early: Candidate[] = [];
  readonly #steps = new StepQueue<LinkStep>(
    (step, error) => this.#failed(step, error),
    () => this.#look(),
  );
  #isIgnoringOffer = false;
  #isClosed = false;
  /** An exchange was completed on this connection. */
  #isAgreed = false;
  /** Counts one's own descriptions. It begins anywhere, so that no answer of another link's is taken for this one's. */
  #described = Math.floor(Math.random() * 2 ** 30);
  /** One's last answer, with the number of the offer; undefined where the node refused it. */
  #answer: SentAnswer | undefined;
  /** Since when one's own offer waits for its answer. */
  #offeredAtMs: number | undefined;
  /** Offers in a row that got no answer. */
  #unanswered = 0;
  /** Steps in a row that failed. */
  #failures = 0;
  /** Descriptions that were refused in a row. */
  #refusals = 0;
  /** A description was refused, and nothing has changed since that would spare the next one that. */
  #isHeldBack = false;
  #toldPhase: LinkPhase | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #insistence: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #remedy: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#outgoing = new OutgoingMedia(options.tracks, options.forbidden);
    this.#incoming = new IncomingMedia(() => this.#options.onStreams?.(this.streams), options.silenced);
    this.#connection = this.#open();
    this.#toldPhase = this.#phase;
    const fresh = options.refreshServers?.();
    if (fresh !== undefined) this.#steps.add('servers', () => fresh);
    const start = () => this.#change(() => this.#start());
    if (options.isPolite) start();
    else this.#patience = setTimeout(start, this.#patienceMs);
  }

  get state(): LinkState {
    const { connectionState = 'failed', iceConnectionState = 'failed' } = this.#connection ?? {};
    return { connection: connectionState, ice: iceConnectionState, phase: this.#phase };
  }

  /** What the other side sends and may, in the order in which it came. */
  get streams(): readonly MediaStream[] {
    return this.#incoming.streams;
  }

  /** Undefined where there is no connection. */
  getStats(): Promise<RTCStatsReport> | undefined {
    return this.#connection?.getStats();
  }

  /** Takes a signal of the other side's, in the order of the room's log. */
  receive(signal: { description?: Description | undefined; candidate?: Candidate | null | undefined }): void {
    const { description, candidate } = signal;
    if (description?.type === 'offer') this.#steps.add('remote_offer', () => this.#acceptOffer(description));
    else if (description !== undefined)
      this.#steps.add('remote_answer', () => this.#acceptAnswer(description));
    else if (candidate !== undefined) this.#steps.add('candidate', () => this.#addCandidate(candidate));
  }

  /** Sends a track from now on, and negotiates it. */
  addTrack(track: MediaStreamTrack, stream: MediaStream): void {
    this.#change(() => this.#outgoing.add(track, stream));
  }

  removeTrack(track: MediaStreamTrack): void {
    this.#change(() => this.#outgoing.remove(track));
  }

  /** Sends `next` where `track` was sent: the other side notices nothing, and nothing is negotiated. */
  async replaceTrack(track: MediaStreamTrack, next: MediaStreamTrack): Promise<void> {
    await this.#outgoing.replace(track, next);
  }

  /** Sends nothing of these kinds from now on, until they are named no more. The tracks are kept. */
  forbid(kinds: ReadonlySet<MediaKind>): void {
    this.#change(() => {
      if (this.#outgoing.forbid(kinds) && this.#isHeldBack) this.#offerAnew();
    });
  }

  /** Gives nothing of these kinds on from now on, whatever the other side sends. */
  silence(kinds: ReadonlySet<MediaKind>): void {
    this.#change(() => this.#incoming.silence(kinds));
  }

  /** For what is looked for from now on: the present way stays. */
  setIceServers(iceServers: RTCIceServer[]): void {
    if (this.#isClosed) return;
    const connection = this.#connection;
    if (connection === undefined) {
      this.#steps.add('connection', () => this.#beginAnew());
      return;
    }
    try {
      connection.setConfiguration({ ...connection.getConfiguration(), iceServers });
    } catch (error) {
      this.#tell('servers', error, false);
    }
  }

  /** Looks for a way to the other side anew, over the same session. */
  restartIce(): void {
    if (this.#isClosed) return;
    if (this.#connection === undefined) {
      this.#steps.add('connection', () => this.#beginAnew());
      return;
    }
    const fresh = this.#options.refreshServers?.();
    if (fresh === undefined) this.#connection.restartIce();
    else this.#steps.add('servers', () => fresh.then(() => this.#connection?.restartIce()));
  }

  /**
   * Signals of the other side were lost on the way here. An offer that waits for its answer is sent again, for the
   * answer may be what is missing, and holds all candidates; else ICE is restarted.
   */
  makeUpForLoss(): void {
    this.#steps.add('offer', async () => {
      if (this.#connection?.signalingState === 'have-local-offer') this.#sendDescription();
      else this.restartIce();
    });
  }

  /**
   * Something has changed that may mend what is broken: the network or the session is back, a machine woke up, the other
   * side can be reached again. Where the path is not there, it is looked for at once.
   */
  lookAgain(): void {
    if (this.#isClosed) return;
    const nowMs = performance.now();
    if (this.#connection === undefined) this.restartIce();
    else if (isRestartWorthIt(this.#view(), nowMs)) this.#restart();
    // The answer may be on its way still, over the session that has just come back.
    else if (this.#offeredAtMs !== undefined)
      this.#offeredAtMs = Math.max(this.#offeredAtMs, nowMs - this.#answerTimeoutMs + LATE_ANSWER_MS);
    this.#look();
  }

  close(): void {
    this.#isClosed = true;
    this.#steps.close();
    for (const timer of [this.#patience, this.#insistence, this.#retry, this.#remedy, this.#watch])
      clearTimeout(timer);
    this.#connection?.close();
  }

  get #patienceMs(): number {
    return this.#options.offerPatienceMs ?? OFFER_PATIENCE_MS;
  }

  get #answerTimeoutMs(): number {
    return this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
  }

  get #phase(): LinkPhase {
    if (this.#connection === undefined) return 'failed';
    if (this.#path.path === 'connected') return 'connected';
    if (this.#unanswered > 0) return 'unanswered';
    return this.#path.wasConnected ? 'recovering' : 'calling';
  }

  #view(): LinkView {
    const { path, sinceMs, attemptAtMs, tries, wasConnected } = this.#path;
    return {
      path,
      pathSinceMs: sinceMs,
      attemptAtMs,
      tries,
      wasConnected,
      isLacking: this.#connection !== undefined && this.#path.isLacking(this.#connection),
      offeredAtMs: this.#offeredAtMs,
      unanswered: this.#unanswered,
      isPolite: this.#options.isPolite,
      isReachable: this.#options.isReachable?.() ?? true,
      isHeldBack: this.#isHeldBack,
      answerTimeoutMs: this.#answerTimeoutMs,
      disconnectedGraceMs: this.#options.disconnectedGraceMs ?? DISCONNECTED_GRACE_MS,
    };
  }

  /** Looks at how the link stands, and does what is due, or comes back when it is. */
  #look(): void {
    clearTimeout(this.#watch);
    if (this.#isClosed) return;
    if (this.#phase !== this.#toldPhase) this.#changed();
    this.#change(() => this.#outgoing.goOn());
    if (this.#connection === undefined) return; // Its remedy is under way.
    const nowMs = performance.now();
    const plan = planFor(this.#view(), nowMs);
    if (plan.do === 'wait') {
      if (plan.untilMs === undefined) return;
      this.#watch = setTimeout(() => this.#look(), Math.ceil(plan.untilMs - nowMs));
      return;
    }
    if (plan.about === 'answer') this.#missAnswer(plan.do === 'renew');
    else if (plan.do === 'renew') this.#renewPath();
    else this.#restart();
    this.#look();
  }

  #restart(): void {
    this.#path.restarted();
    this.restartIce();
  }

  #renewPath(): void {
    this.#path.restarted();
    this.#steps.add('connection', () => this.#beginAnew());
  }

  /** The other side does not answer: it lost the offer, cannot take it, or is no longer there. */
  #missAnswer(isRenewed: boolean): void {
    const waited = new Error(`The offer got no answer within ${this.#answerTimeoutMs} ms.`);
    this.#unanswered++;
    this.#offeredAtMs = performance.now(); // Of the next one, which is under way.
    this.#tell('answer_timeout', waited, true);
    this.#steps.add('offer', () => (isRenewed ? this.#beginAnew() : this.#takeBack()));
  }

  /** Undefined where the browser makes none: the servers are no such, or there are too many connections. */
  #open(): RTCPeerConnection | undefined {
    let connection: RTCPeerConnection;
    try {
      connection = this.#options.createConnection();
    } catch (error) {
      this.#failed('connection', error);
      return undefined;
    }
    const whileCurrent = (step: () => void) => () => {
      if (connection === this.#connection && !this.#isClosed) step();
    };
    connection.onnegotiationneeded = whileCurrent(() => this.#steps.add('offer', () => this.#offer()));
    connection.onicecandidate = ({ candidate }) => whileCurrent(() => this.#gathered(candidate))();
    connection.ontrack = (event) => whileCurrent(() => this.#incoming.receive(event))();
    const changed = whileCurrent(() => {
      this.#path.note(connection);
      if (this.#path.path === 'connected') {
        this.#unanswered = 0;
        this.#failures = 0;
      }
      this.#changed();
      this.#look();
    });
    connection.onconnectionstatechange = changed;
    connection.oniceconnectionstatechange = changed;
    return connection;
  }

  #gathered(candidate: RTCIceCandidate | null): void {
    if (candidate !== null) this.#path.gathered(candidate);
    this.#send({ candidate: candidate === null ? null : toWire(candidate) });
  }

  /**
   * Another connection in place of this one. Where the very first offers meet, in place of a rollback: for the other side
   * it is the same; but Chromium, when it rolls back while it gathers its first candidates, may gather none until the
   * network changes.
   */
  #renew(): void {
    clearTimeout(this.#remedy);
    this.#connection?.close();
    this.#isAgreed = false;
    this.#answer = undefined;
    this.#offeredAtMs = undefined;
    this.#path.reset();
    this.#outgoing.reset(); // The answer, or the next offer, takes the tracks along.
    this.#incoming.reset();
    this.#connection = undefined;
    this.#connection = this.#open();
  }

  /** Another connection, on which one offers. */
  async #beginAnew(): Promise<void> {
    this.#renew();
    this.#start();
  }

  /** The offer that waits for its answer, if any, is rolled back; the next one has everything that it had. */
  async #takeBack(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined || !this.#isAgreed) return this.#beginAnew();
    if (connection.signalingState === 'have-local-offer')
      await connection.setLocalDescription({ type: 'rollback' });
    this.#offeredAtMs = undefined;
    connection.restartIce();
  }

  /** Puts one's tracks on the connection, which makes an offer due unless one is being answered. */
  #start(): void {
    if (this.#outgoing.isStarted || this.#isClosed || this.#connection === undefined) return;
    clearTimeout(this.#patience);
    this.#outgoing.start(this.#connection);
  }

  async #offer(): Promise<void> {
    // Whatever is due in another state is asked for again once the state is stable.
    if (this.#connection?.signalingState !== 'stable' || this.#isHeldBack) return;
    await this.#describe();
  }

  /** `answers`: the number of the offer that is answered, where it has one. */
  async #describe(answers?: number): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#described++;
    await this.#outgoing.describe(connection);
    if (connection !== this.#connection) return;
    this.#path.described(connection);
    if (connection.signalingState === 'have-local-offer') this.#offeredAtMs = performance.now();
    else this.#path.agreed();
    const { type, sdp } = connection.localDescription ?? {};
    if (type === 'answer' && sdp !== undefined)
      this.#answer = answers === undefined ? undefined : { sdp, number: answers };
    this.#sendDescription(answers);
  }

  /**
   * An offer came twice: its author missed the answer, or will have it soon. It is not applied again: that would roll back
   * an offer of one's own that the author may have answered.
   */
  #answerAgain(answer: SentAnswer): void {
    this.#options.send({ description: { type: 'answer', ...answer } }).catch(() => this.#forget(answer));
    if (this.#connection?.signalingState === 'have-local-offer') this.#sendDescription();
  }

  async #acceptOffer(offer: Description & { type: 'offer' }): Promise<void> {
    const connection = this.#connection;
    const isCollision = connection !== undefined && connection.signalingState !== 'stable';
    const isAnew = areOfDifferentConnections(offer.sdp, connection?.remoteDescription?.sdp);
    if (!isAnew && this.#answer !== undefined && offer.number === this.#answer.number) {
      this.#answerAgain(this.#answer);
      return;
    }
    this.#isIgnoringOffer = isCollision && !this.#options.isPolite;
    if (this.#isIgnoringOffer) {
      // What was offered is for a connection that the other side has no more.
      if (isAnew) await this.#beginAnew();
      else this.#insist();
      return;
    }
    clearTimeout(this.#insistence);
    const isVeryFirst = isCollision && connection.remoteDescription === null;
    if (connection === undefined || isVeryFirst || isAnew) this.#renew();
    try {
      await this.#applyOffer(offer);
    } catch (error) {
      if (!this.#isAgreed) throw error;
      // What was agreed on stands in the way: the other side has begun anew, or one of both has lost track.
      this.#tell('remote_offer', error, true);
      this.#renew();
      await this.#applyOffer(offer);
    }
    this.#steps.goOn('answer');
    this.#start();
    await this.#describe(offer.number);
  }

  /** One's own offer is taken back where there is one. */
  async #applyOffer({ type, sdp }: Description & { type: 'offer' }): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) throw new Error('There is no connection to take the offer.');
    await connection.setRemoteDescription({ type, sdp });
    this.#offeredAtMs = undefined;
    await this.#addEarly();
  }

  /**
   * The answer to the offer that waits for it; one to another offer, which was sent twice or taken back, is dropped. An
   * answer without a number, of a client that knows none, is taken for the right one.
   */
  async #acceptAnswer(description: Exclude<Description, { type: 'offer' }>): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined || description.type === 'rollback') return;
    const { type, sdp, number } = description;
    if (!/^have-(local-offer|remote-pranswer)$/.test(connection.signalingState)) return;
    if (number !== undefined && number !== this.#described) return;
    this.#isIgnoringOffer = false;
    clearTimeout(this.#insistence);
    await connection.setRemoteDescription({ type, sdp });
    if (connection !== this.#connection) return;
    if (type === 'pranswer') this.#offeredAtMs = performance.now();
    else {
      this.#offeredAtMs = undefined;
      this.#completed();
      this.#path.agreed();
    }
    await this.#addEarly();
  }

  #completed(): void {
    this.#isAgreed = true;
    this.#unanswered = 0;
    this.#failures = 0;
  }

  /**
   * One's own offer stands, and the other side answers it; unless it never got it, because it lost signals. Then
   * both would wait for each other forever, so it is sent again to one who takes that long.
   */
  #insist(): void {
    clearTimeout(this.#insistence);
    this.#insistence = setTimeout(() => {
      this.#steps.add('offer', async () => {
        if (this.#connection?.signalingState === 'have-local-offer') this.#sendDescription();
      });
    }, this.#patienceMs);
  }

  async #addEarly(): Promise<void> {
    for (const candidate of this.#early.splice(0)) await this.#addCandidate(candidate);
  }

  async #addCandidate(candidate: Candidate | null): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined || connection.remoteDescription === null) {
      // Before any description it waits for one; but what belongs to an ignored offer never gets one.
      const isWorthKeeping = candidate !== null && !this.#isIgnoringOffer && this.#early.length < EARLY_MAX;
      if (isWorthKeeping) this.#early.push(candidate);
      return;
    }
    if (!isOfDescription(candidate, connection.remoteDescription)) return;
    try {
      await connection.addIceCandidate(candidate === null ? undefined : toDictionary(candidate));
    } catch (error) {
      // Of an ignored offer, or an end that this browser does not take: nothing is missing. Else the path is watched.
      if (candidate !== null && !this.#isIgnoringOffer) this.#tell('candidate', error, true);
    }
  }

  #sendDescription(answers?: number): void {
    const description = this.#connection?.localDescription;
    if (description === null || description === undefined || this.#isClosed) return;
    const { type, sdp } = description;
    const described = this.#described;
    const { version } = this.#outgoing;
    const number = type === 'offer' ? described : answers;
    const numbered = number === undefined ? { type, sdp } : { type, sdp, number };
    const answer = type === 'answer' ? this.#answer : undefined;
    this.#options.send({ description: numbered as Description }).then(
      () => this.#delivered(type, described),
      (error: unknown) => {
        this.#forget(answer);
        this.#steps.add('signal', () => this.#refused(described, version, error));
      },
    );
  }

  /** The other side never got this answer: the offer, when it comes again, is to have another one. */
  #forget(answer: SentAnswer | undefined): void {
    if (this.#answer === answer) this.#answer = undefined;
  }

  /** The node has taken it: from now on an answer may be waited for. */
  #delivered(type: RTCSdpType, described: number): void {
    this.#refusals = 0;
    if (described !== this.#described || this.#isClosed) return;
    if (type === 'answer') this.#completed();
    else if (this.#offeredAtMs !== undefined) this.#offeredAtMs = performance.now();
    this.#look();
  }

  /**
   * A description of one's own was refused. An offer is rolled back; an answer cannot be, but an offer after it makes
   * the other side take its own back, or send it again. Where nothing was agreed on yet, or the description is too large
   * for a node, a new connection does for both.
   */
  async #refused(described: number, version: number, error: unknown): Promise<void> {
    const code = error instanceof SignalingError ? error.code : undefined;
    if (code !== undefined && ENDED.has(code)) {
      this.#tell('signal', error, false); // The roster, or the session, tells of it.
      return;
    }
    // It gave way to another one meanwhile, or was sent twice.
    if (described !== this.#described || this.#isHeldBack) return;
    this.#isHeldBack = true;
    this.#offeredAtMs = undefined;
    const isTooMuch = this.#isAgreed && code !== undefined && TOO_MUCH.has(code);
    if (!this.#isAgreed || isTooMuch) this.#renew();
    else if (this.#connection?.signalingState === 'have-local-offer') {
      await this.#connection.setLocalDescription({ type: 'rollback' });
    }
    if (code !== 'media_forbidden') this.#tell('signal', error, true);
    if (isTooMuch || version !== this.#outgoing.version) {
      this.#offerAnew();
      return;
    }
    // The roster has still to tell what was forbidden; or it never will, and then this is rare.
    if (code === 'media_forbidden' && this.#refusals > 0) this.#tell('signal', error, true);
    const delayMs = this.#patienceMs * 2 ** Math.min(this.#refusals++, REFUSALS_SPREAD_MAX);
    this.#retry = setTimeout(() => this.#offerAnew(), delayMs);
  }

  #offerAnew(): void {
    clearTimeout(this.#retry);
    this.#isHeldBack = false;
    this.#steps.add('offer', async () => {
      this.#start();
      await this.#offer();
    });
  }

  #send(signal: OutgoingSignal): void {
    // What follows a candidate that was not delivered is found out by the path.
    this.#options.send(signal).catch((error: unknown) => {
      const isOver = error instanceof SignalingError && ENDED.has(error.code);
      this.#tell('signal', error, !isOver);
    });
  }

  #changed(): void {
    this.#toldPhase = this.#phase;
    this.#options.onState?.(this.state);
  }

  /** A browser's exception is a fault of this link: whoever changes something for all of them goes on with the next. */
  #change(run: () => void): void {
    if (this.#isClosed) return;
    try {
      run();
    } catch (error) {
      this.#failed('offer', error);
    }
  }

  /** A step failed: it is made up for, more thoroughly and later where several in a row did. */
  #failed(step: LinkStep, error: unknown): void {
    if (this.#isClosed) return;
    const remedy = remedyFor(++this.#failures, this.#isAgreed && !isTimeout(error) && step !== 'connection');
    const delayMs = step === 'connection' ? Math.max(REOPEN_MS, remedy.delayMs) : remedy.delayMs;
    this.#offeredAtMs = undefined;
    clearTimeout(this.#remedy);
    this.#remedy = setTimeout(() => {
      if (remedy.do === 'renew') this.#steps.add('connection', () => this.#beginAnew());
      else this.#steps.add('offer', () => this.#takeBack());
    }, delayMs);
    // What is wrong with the servers' addresses stays so until there are others.
    this.#tell(step, error, !(step === 'connection' && isMistake(error)));
  }

  #tell(step: LinkStep, error: unknown, isHealing: boolean): void {
    if (!this.#isClosed) this.#options.onFault?.({ step, error, isHealing });
  }
}

/** A candidate may be of an offer that was refused on its way here: its fragment names the one it belongs to. */
function isOfDescription(candidate: Candidate | null, { sdp }: RTCSessionDescription): boolean {
  const fragment = candidate?.usernameFragment;
  return typeof fragment !== 'string' || fragmentsOf(sdp).includes(fragment);
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

function isMistake(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof DOMException && error.name !== 'UnknownError');
}

/** An answer, and the number of the offer. */
interface SentAnswer {
  readonly sdp: string;
  readonly number: number;
}

/** There is nobody left to send to. */
const ENDED: ReadonlySet<string> = new Set(['peer_not_found', 'session_expired', 'not_joined']);

/** What has grown over many negotiations is small again on a new connection. */
const TOO_MUCH: ReadonlySet<string> = new Set(['too_large', 'invalid_request']);

/** Candidates that wait for a description; no honest peer has so many. */
const EARLY_MAX = 256;

/** Tries of a description that is refused again and again are doubled as often: to about a minute. */
const REFUSALS_SPREAD_MAX = 5;

/** A connection that cannot be made is tried again. */
const REOPEN_MS = 5_000;

/** How long an answer may take that was held up. */
const LATE_ANSWER_MS = 2_000;

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
  /** How long an offer waits for its answer; default 8 s. Then it is taken back and made anew. */
  readonly answerTimeoutMs?: number | undefined;
  /** How long a path that is lost may come back by itself; default 4 s. Then ICE is restarted. */
  readonly disconnectedGraceMs?: number | undefined;
  /** May throw, which is a fault of this link. */
  createConnection(): RTCPeerConnection;
  /** Brings a signal to the other side; calls are to arrive in their order. */
  send(signal: OutgoingSignal): Promise<unknown>;
  /** Whether signals reach the other side now; when they do again, `lookAgain` is to be called. Default: always. */
  isReachable?(): boolean;
  /** Before ways are looked for: undefined where the TURN credentials are fresh, else when `setIceServers` was called. */
  refreshServers?(): Promise<void> | undefined;
  onState?(state: LinkState): void;
  onStreams?(streams: readonly MediaStream[]): void;
  /** A step failed; the link lives on. */
  onFault?(fault: LinkFault): void;
}
