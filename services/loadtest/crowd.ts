import type { PeerId, WireError } from '@fenghuo/protocol';

import { type OpenConnection, openConnection } from './connection.ts';
import { type Owner, wrongDeparture } from './departure.ts';
import { EVERYONE, Ledger, type Stamp } from './ledger.ts';
import { pick, type Random } from './random.ts';
import type { Outcome } from './request-line.ts';
import { PROBE } from './roster-check.ts';
import type { Session } from './session.ts';
import { type LogEvent, type PeerObserver, SimulatedPeer } from './simulated-peer.ts';
import { sourceAddress } from './source-address.ts';
import { signalContent, stampOf, stampText } from './stamp.ts';

export interface CrowdOptions {
  readonly endpoints: readonly string[];
  /** How many peers each room has. */
  readonly roomSizes: readonly number[];
  /** All peers begin on the first endpoint, rather than spread over them. */
  readonly isOnOneNode?: boolean;
  readonly random: Random;
  readonly openMs?: number;
  readonly answerMs?: number;
}

/** Facts about sessions that no ledger of signals shows. */
export interface CrowdSums {
  /** Sessions that went on, on another connection. */
  readonly resumed: number;
  readonly recoveredFalse: number;
  readonly resyncs: number;
  /** Of those, the ones which said that nothing is missing. */
  readonly resyncsComplete: number;
  /** `peer_left` for somebody who had not left, and whose window could not have passed. */
  readonly wrongPeerLeft: number;
  /** Sessions that a node declared over inside their window. */
  readonly expiredEarly: number;
  /** Of those, the ones whose room a living node still hosted when Redis lost it: the room can be restored. */
  readonly expiredHosted: number;
  readonly expired: number;
  /** Events delivered again, by seq. */
  readonly repeated: number;
  /** Requests with a final refusal that nothing explains. */
  readonly failed: number;
  /** Requests that had to be sent again, and were accepted then. */
  readonly servedAgain: number;
  /** What the client that took longest to come back had tried. */
  readonly slowestResume: string;
  readonly withheld: Readonly<Record<string, number>>;
  /** Connections that closed, or did not answer. */
  readonly cutOff: number;
  readonly odd: Readonly<Record<string, number>>;
  readonly examples: readonly string[];
}

interface Interruption {
  readonly fault: number;
  readonly atMs: number;
}

const EXAMPLES_MAX = 12;

/** Everyone who takes part in a run, room by room, and what they saw. */
export class Crowd {
  readonly ledger = new Ledger();
  readonly peers: SimulatedPeer[] = [];
  /** Times to resume in milliseconds, by the fault that they are counted from. */
  readonly resumeMs = new Map<number, number[]>();
  readonly #rooms = new Map<string, SimulatedPeer[]>();
  readonly #owners = new Map<string, Owner>();
  /** Who was sent to and not found: right where their session is over, which their client may learn later. */
  readonly #notFound: Session[] = [];
  readonly #interrupted = new Map<SimulatedPeer, Interruption>();
  readonly #orphaned = new Set<Session>();
  readonly #longestMs = new Map<SimulatedPeer, number>();
  readonly #random: Random;
  readonly #examples: string[] = [];
  readonly #withheld: Record<string, number> = {};
  readonly #odd: Record<string, number> = {};
  #slowest = { tookMs: 0, trail: '' };
  #sums = {
    resumed: 0,
    recoveredFalse: 0,
    resyncs: 0,
    resyncsComplete: 0,
    wrongPeerLeft: 0,
    expiredEarly: 0,
    expiredHosted: 0,
    expired: 0,
    repeated: 0,
    failed: 0,
    servedAgain: 0,
    cutOff: 0,
  };

  constructor(options: CrowdOptions, open: OpenConnection = openConnection) {
    this.#random = options.random;
    const { endpoints } = options;
    for (const [index, size] of options.roomSizes.entries()) {
      const room = `room-${index}`;
      const members = Array.from({ length: size }, (_, member) => {
        const name = `${room}/${member}`;
        const first = options.isOnOneNode ? 0 : (index + member) % endpoints.length;
        const peer: SimulatedPeer = new SimulatedPeer({
          name,
          room,
          endpoints: [...endpoints.slice(first), ...endpoints.slice(0, first)],
          random: options.random,
          observer: this.#observe(() => peer),
          ...(options.openMs === undefined ? {} : { openMs: options.openMs }),
          ...(options.answerMs === undefined ? {} : { answerMs: options.answerMs }),
          open: fromOwnAddress(open, this.peers.length + member),
        });
        return peer;
      });
      this.#rooms.set(room, members);
      this.peers.push(...members);
    }
  }

  get rooms(): ReadonlyMap<string, readonly SimulatedPeer[]> {
    return this.#rooms;
  }

  /** Joins everyone, at most so many at once. */
  async start(atOnce: number): Promise<void> {
    const left = [...this.peers];
    const lane = async () => {
      for (let peer = left.shift(); peer !== undefined; peer = left.shift()) await peer.start();
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
  }

  /** One numbered signal to somebody else in the room, or a message to all. False where there is nobody to send to. */
  send(peer: SimulatedPeer, backlogMax: number): boolean {
    const { session } = peer;
    if (session === undefined || session.requests.backlog >= backlogMax) return false;
    const others = [...session.roster.values()].filter(({ name }) => name !== PROBE);
    if (others.length === 0) return false;
    // In a larger room, now and then to everyone: what is for all goes another way than what is for one.
    const isForAll = others.length > 1 && this.#random() < 0.2;
    const to: string = isForAll ? EVERYONE : pick(this.#random, others).id;
    const plannedMs = performance.now();
    const stamp = this.ledger.sent(session.id, to, plannedMs);
    const [name, body] = isForAll
      ? ['message', { topic: 'load', data: stampText(stamp) }]
      : ['signal', { to, ...signalContent(stamp) }];
    peer.request(name as string, body as object, (outcome) => this.#settled(peer, stamp, plannedMs, outcome));
    return true;
  }

  /** Counts times to resume, for everyone who is on this node now, from the fault that hits it now. */
  interrupt(endpoint: string, fault: number): number {
    let count = 0;
    for (const peer of this.peers) {
      if (peer.endpoint !== endpoint) continue;
      count += 1;
      if (!this.#interrupted.has(peer)) this.#interrupted.set(peer, { fault, atMs: performance.now() });
    }
    return count;
  }

  /** Everyone whom this fault cut off is back, or was never gone. */
  isBack(fault: number): boolean {
    for (const interruption of this.#interrupted.values()) if (interruption.fault === fault) return false;
    return true;
  }

  /** The fault is over: who never lost the connection has nothing to resume. */
  calm(fault: number): void {
    for (const [peer, interruption] of this.#interrupted)
      if (interruption.fault === fault && peer.isLive) this.#interrupted.delete(peer);
  }

  /** Redis loses its data now, and this node, where one is named, dies with it: rooms that no other hosts are gone. */
  orphan(endpoint?: string): void {
    for (const peers of this.#rooms.values()) {
      if (peers.some((peer) => peer.endpoint !== undefined && peer.endpoint !== endpoint)) continue;
      for (const { session } of peers) if (session !== undefined) this.#orphaned.add(session);
    }
  }

  peersOn(endpoint: string): number {
    return this.peers.filter((peer) => peer.endpoint === endpoint).length;
  }

  /** Requests without a final answer. */
  get backlog(): number {
    return this.peers.reduce((sum, { session }) => sum + (session?.requests.backlog ?? 0), 0);
  }

  /** How often somebody was told to ask again later. */
  get timesWithheld(): number {
    return Object.values(this.#withheld).reduce((sum, each) => sum + each, 0);
  }

  /** Events that a resume promised and that have not come. */
  get owed(): number {
    return this.peers.reduce((sum, { owed }) => sum + owed, 0);
  }

  /** Each client's longest time from when a request was to be sent until it was accepted. */
  get gapsMs(): number[] {
    return [...this.#longestMs.values()];
  }

  sums(): CrowdSums {
    return {
      ...this.#sums,
      // As far as is known by now.
      failed: this.#sums.failed + this.#notFound.filter(({ isOver }) => !isOver).length,
      slowestResume: this.#slowest.trail,
      withheld: { ...this.#withheld },
      odd: { ...this.#odd },
      examples: this.#examples,
    };
  }

  #settled(peer: SimulatedPeer, stamp: Stamp, plannedMs: number, outcome: Outcome): void {
    if (outcome.kind === 'abandoned') {
      this.ledger.settled(stamp, 'unknown');
      return;
    }
    if (outcome.kind === 'ok') {
      this.ledger.settled(stamp, 'accepted');
      if (outcome.repeats > 0) this.#sums.servedAgain += 1;
      const tookMs = performance.now() - plannedMs;
      this.#longestMs.set(peer, Math.max(tookMs, this.#longestMs.get(peer) ?? 0));
      return;
    }
    this.ledger.settled(stamp, 'refused');
    const { code, message } = outcome.error;
    const target = this.#owners.get(stamp.to)?.session;
    if (code === 'peer_not_found' && target?.isOver) return;
    if (code === 'peer_not_found' && target !== undefined) this.#notFound.push(target);
    else this.#sums.failed += 1;
    this.#example(
      `refused: ${stamp.from} to ${stamp.to}, number ${stamp.n}, sent at ${Math.round(plannedMs)} ms: ${code}, ${message}`,
    );
  }

  #observe(self: () => SimulatedPeer): PeerObserver {
    return {
      joined: (session) => {
        const peer = self();
        this.ledger.joined(session.id, session.room, session.joinedMs);
        this.#owners.set(session.id, { session, peer });
        this.#back(peer);
      },
      heard: (session, name, event, isRepeat) => this.#heard(session, name, event, isRepeat),
      resumed: () => {
        this.#sums.resumed += 1;
        this.#back(self());
      },
      replaced: (session, how, isComplete) => {
        if (how === 'recovered_false') this.#sums.recoveredFalse += 1;
        else this.#sums.resyncs += 1;
        if (isComplete) this.#sums.resyncsComplete += 1;
        else this.ledger.named(session.id, performance.now());
      },
      cutOff: () => {
        this.#sums.cutOff += 1;
      },
      withheld: ({ code }: WireError) => {
        this.#withheld[code] = (this.#withheld[code] ?? 0) + 1;
      },
      ended: (session, why) => this.#ended(session, why),
      odd: (what) => {
        this.#odd[what] = (this.#odd[what] ?? 0) + 1;
      },
    };
  }

  #back(peer: SimulatedPeer): void {
    const interruption = this.#interrupted.get(peer);
    if (interruption === undefined) return;
    this.#interrupted.delete(peer);
    const samples = this.resumeMs.get(interruption.fault) ?? [];
    const tookMs = performance.now() - interruption.atMs;
    if (tookMs > this.#slowest.tookMs) this.#slowest = { tookMs, trail: peer.trail };
    samples.push(tookMs);
    this.resumeMs.set(interruption.fault, samples);
  }

  #ended(session: Session, why: string): void {
    this.ledger.ended(session.id, performance.now());
    this.#sums.expired += 1;
    const silentMs = performance.now() - session.heardMs;
    if (silentMs >= session.windowMs) return;
    this.#sums.expiredEarly += 1;
    const isHosted = !this.#orphaned.has(session);
    if (isHosted) this.#sums.expiredHosted += 1;
    this.#example(
      `over early: ${session.id} in ${session.room}, ${isHosted ? 'hosted' : 'which nobody hosted'}, ${why} after ${Math.round(silentMs)} ms of silence`,
    );
  }

  #heard(session: Session, name: string, event: LogEvent, isRepeat: boolean): void {
    if (isRepeat) {
      this.#sums.repeated += 1;
      this.#example(`delivered again: ${name} ${event.seq} to ${session.id}, which was at ${session.seq}`);
    }
    if (name === 'signal' || name === 'message') {
      const { from } = event as unknown as { from: string };
      this.ledger.received(session.id, from, stampOf(event), performance.now());
    } else if (name === 'peer_left' && !isRepeat) {
      this.#left(session, event as unknown as { peer: PeerId; reason: string });
    }
  }

  #left(witness: Session, { peer: id, reason }: { peer: PeerId; reason: string }): void {
    const silentMs = wrongDeparture(this.#owners.get(id));
    if (silentMs === undefined) return;
    this.#sums.wrongPeerLeft += 1;
    this.#example(
      `wrong peer_left (${reason}): ${witness.id} was told that ${id} left ${witness.room}, ${Math.round(silentMs)} ms after it was last heard`,
    );
  }

  #example(text: string): void {
    if (this.#examples.length < EXAMPLES_MAX) this.#examples.push(text);
  }
}

/** Connects as the n-th client of a run. */
function fromOwnAddress(open: OpenConnection, n: number): OpenConnection {
  return (endpoint, timeoutMs, listener, options) =>
    open(endpoint, timeoutMs, listener, { localAddress: sourceAddress(endpoint, 0, n), ...options });
}
