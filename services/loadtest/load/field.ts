import type { Peer, PeerId, WireError } from '@fenghuo/protocol';

import { type Connection, NotOpened, type OpenConnection, openConnection } from '../connection.ts';
import { type Owner, wrongDeparture } from '../departure.ts';
import { Ledger, type Stamp } from '../ledger.ts';
import { type Random, seededRandom } from '../random.ts';
import type { Outcome } from '../request-line.ts';
import type { Session } from '../session.ts';
import { type LogEvent, type PeerObserver, SimulatedPeer } from '../simulated-peer.ts';
import { sourceAddress } from '../source-address.ts';
import { stampOf } from '../stamp.ts';
import { contentOf, type SignalKind } from './content.ts';
import { CountedConnection } from './counted-connection.ts';
import { Halves } from './measures/halves.ts';
import { TimeHistogram } from './measures/histogram.ts';
import { Latencies } from './measures/latencies.ts';
import type { Plan, Share } from './plan.ts';
import type { LatencyName } from './report/index.ts';
import { tokenFor } from './tokens.ts';

/** What a worker counts besides signals. */
export interface FieldSums {
  opened: number;
  failed: number;
  cutOff: number;
  joined: number;
  resumed: number;
  recovered: number;
  snapshots: number;
  resyncs: number;
  over: number;
  wrongPeerLeft: number;
  /** Sendings that were planned for somebody who could not send: without a session, or with too much unanswered. */
  notSent: number;
}

/** How a signal came, for whoever waits for it. */
export type OnSignal = (session: Session, from: PeerId, event: LogEvent) => void;

export interface Newcomer {
  readonly room: string;
  readonly name: string;
  /** The target that it tries first. */
  readonly first: number;
  readonly onSignal?: OnSignal;
  /** Under which name its relay is timed; without one, by where both ends are then. */
  readonly way?: Way;
}

export type Way = Extract<LatencyName, `relay_${string}`>;

/** A dying node shows in seconds; that a machine full of clients is slow must not look like it. */
const OPEN_MS = 20_000;
const ANSWER_MS = 10_000;
/** A client without a connection keeps what it is to send; one that never comes back must not keep all there is. */
const BACKLOG_MAX = 1_000;
/** What has not come by then is given up, and forgotten as lost. */
const GIVE_UP_MS = 600_000;
/** Node by node, relay is timed for so many pairs of nodes at most. */
const CELLS_MAX = 400;
/** What is missing for so long is shown as lost while the run goes on. */
const OVERDUE_MS = 5_000;

/** All clients of one worker, and everything that they count and time. */
export class Field {
  readonly ledger = new Ledger();
  /** Flows whose other end is at another worker. */
  readonly halves = new Halves();
  readonly latencies = new Latencies();
  /** Relay since it was last emptied. */
  readonly recentRelay = new TimeHistogram();
  /** Relay from node to node, as `from>to`. */
  readonly cells = new Latencies<string>();
  readonly refusedConnections: Record<string, number> = {};
  readonly refusedSignals: Record<string, number> = {};
  readonly sums: FieldSums = {
    opened: 0,
    failed: 0,
    cutOff: 0,
    joined: 0,
    resumed: 0,
    recovered: 0,
    snapshots: 0,
    resyncs: 0,
    over: 0,
    wrongPeerLeft: 0,
    notSent: 0,
  };
  /** How many milliseconds after `drop` those came back who were cut off by it. */
  readonly backAfterMs: number[] = [];
  readonly random: Random;
  readonly plan: Plan;
  readonly share: Share;
  readonly #owners = new Map<string, Owner>();
  readonly #peers = new Set<SimulatedPeer>();
  readonly #connections = new Map<SimulatedPeer, CountedConnection>();
  readonly #cutOffMs = new Map<Session, number>();
  readonly #dropped = new Set<SimulatedPeer>();
  #droppedMs = 0;
  #openNow = 0;
  #newcomers = 0;

  constructor(plan: Plan, share: Share) {
    this.plan = plan;
    this.share = share;
    this.random = seededRandom(plan.seed + 7_919 * (share.index + 1));
  }

  get connected(): number {
    return this.#openNow;
  }

  /** Of those whom `drop` cut off, the ones who have not come back. */
  get away(): number {
    return this.#dropped.size;
  }

  get owed(): number {
    let owed = 0;
    for (const peer of this.#peers) owed += peer.owed + (peer.session?.requests.backlog ?? 0);
    return owed;
  }

  get lost(): number {
    return this.ledger.lostBefore(performance.now() - OVERDUE_MS);
  }

  /** A client that has not connected yet. */
  newcomer(newcomer: Newcomer): SimulatedPeer {
    const { room, name, first } = newcomer;
    const { targets, isPinned, credentials, durationS } = this.plan;
    const urls = targets.map(({ url }) => url);
    const start = first % urls.length;
    const token = tokenFor(credentials, durationS);
    const n = this.#newcomers++;
    const peer: SimulatedPeer = new SimulatedPeer({
      name,
      room,
      endpoints: isPinned ? [urls[start] as string] : [...urls.slice(start), ...urls.slice(0, start)],
      random: this.random,
      openMs: OPEN_MS,
      answerMs: ANSWER_MS,
      observer: this.#observe(() => peer, newcomer),
      open: this.#open(() => peer, token, n),
    });
    this.#peers.add(peer);
    return peer;
  }

  /** One numbered signal, timed from `dueMs` on. False where its sender could not send. */
  send(peer: SimulatedPeer, to: PeerId, kind: SignalKind, dueMs: number): boolean {
    const { session } = peer;
    if (session === undefined || session.requests.backlog >= BACKLOG_MAX) {
      this.sums.notSent += 1;
      return false;
    }
    const book = this.ledger.knows(to) ? this.ledger : this.halves;
    const stamp = book.sent(session.id, to, dueMs);
    peer.request('signal', { to, ...contentOf(kind, stamp) }, (outcome) =>
      this.#settled(book, stamp, dueMs, outcome),
    );
    return true;
  }

  /** It is over for this client: by its own will, and in order. What was sent is kept account of until `forget`. */
  async leave(peer: SimulatedPeer): Promise<void> {
    await peer.leave();
    this.#peers.delete(peer);
    this.#connections.delete(peer);
  }

  /** Nothing of these sessions can come any more. */
  forget(sessions: readonly Session[]): void {
    this.ledger.release(sessions.map(({ id }) => id));
    for (const session of sessions) {
      this.#owners.delete(session.id);
      this.#cutOffMs.delete(session);
    }
  }

  /** Takes the socket away from these clients, all at once. Returns from how many. */
  drop(peers: readonly SimulatedPeer[]): number {
    this.#droppedMs = performance.now();
    let count = 0;
    for (const peer of peers) {
      const connection = this.#connections.get(peer);
      if (!peer.isLive || connection === undefined) continue;
      count += 1;
      this.#dropped.add(peer);
      connection.cut();
    }
    return count;
  }

  /** Takes the socket away from one client, which comes back and resumes. */
  cut(peer: SimulatedPeer): void {
    if (peer.isLive) this.#connections.get(peer)?.cut();
  }

  fold(): void {
    this.ledger.fold(performance.now() - GIVE_UP_MS);
  }

  /** Ends everything without a word. */
  stop(): void {
    for (const peer of this.#peers) peer.stop();
  }

  #open(self: () => SimulatedPeer, token: string | undefined, n: number): OpenConnection {
    return async (endpoint, timeoutMs, listener) => {
      const localAddress = sourceAddress(endpoint, this.share.index, n);
      const fromMs = performance.now();
      try {
        const inner = await openConnection(endpoint, timeoutMs, this.#counting(listener), {
          ...(token === undefined ? {} : { token }),
          localAddress,
        });
        return this.#opened(self(), inner, fromMs);
      } catch (error) {
        this.sums.failed += 1;
        const code = error instanceof NotOpened ? error.error?.code : undefined;
        if (code !== undefined) this.refusedConnections[code] = (this.refusedConnections[code] ?? 0) + 1;
        throw error;
      }
    };
  }

  #counting(listener: Parameters<OpenConnection>[2]): Parameters<OpenConnection>[2] {
    return {
      heard: (name, payload) => listener.heard(name, payload),
      lost: (reason) => {
        this.#openNow -= 1;
        listener.lost(reason);
      },
    };
  }

  #opened(peer: SimulatedPeer, inner: Connection, fromMs: number): Connection {
    this.latencies.record('connect', performance.now() - fromMs);
    this.sums.opened += 1;
    this.#openNow += 1;
    const connection = new CountedConnection(inner, {
      closed: () => {
        this.#openNow -= 1;
      },
      joined: (tookMs) => this.latencies.record('join', tookMs),
    });
    this.#connections.set(peer, connection);
    return connection;
  }

  #settled(book: Ledger | Halves, stamp: Stamp, dueMs: number, outcome: Outcome): void {
    if (outcome.kind === 'ok') {
      this.latencies.record('ack', performance.now() - dueMs);
      book.settled(stamp, 'accepted');
    } else if (outcome.kind === 'abandoned') {
      book.settled(stamp, 'unknown');
    } else {
      book.settled(stamp, 'refused');
      const { code } = outcome.error;
      this.refusedSignals[code] = (this.refusedSignals[code] ?? 0) + 1;
    }
  }

  #observe(self: () => SimulatedPeer, newcomer: Newcomer): PeerObserver {
    return {
      joined: (session) => {
        this.sums.joined += 1;
        this.ledger.joined(session.id, session.room, session.joinedMs);
        this.#owners.set(session.id, { session, peer: self() });
        this.#back(self());
      },
      heard: (session, name, event, isRepeat) => this.#heard(newcomer, session, name, event, isRepeat),
      resumed: (session, missed) => {
        this.sums.resumed += 1;
        if (missed === undefined) this.sums.snapshots += 1;
        else this.sums.recovered += 1;
        const cutOffMs = this.#cutOffMs.get(session);
        if (cutOffMs !== undefined) this.latencies.record('resume', performance.now() - cutOffMs);
        this.#cutOffMs.delete(session);
        this.#back(self());
      },
      replaced: (session, how, isComplete) => {
        if (how === 'resync') this.sums.resyncs += 1;
        if (isComplete) return;
        this.ledger.named(session.id, performance.now());
        this.halves.told(session.id);
      },
      cutOff: (session) => {
        this.sums.cutOff += 1;
        if (!this.#cutOffMs.has(session)) this.#cutOffMs.set(session, performance.now());
      },
      withheld: ({ code }: WireError) => {
        this.refusedSignals[code] = (this.refusedSignals[code] ?? 0) + 1;
      },
      ended: (session) => {
        this.sums.over += 1;
        this.ledger.ended(session.id, performance.now());
        this.halves.told(session.id);
      },
      odd: () => {},
    };
  }

  #back(peer: SimulatedPeer): void {
    if (this.#dropped.delete(peer)) this.backAfterMs.push(performance.now() - this.#droppedMs);
  }

  #heard(
    { onSignal, way }: Newcomer,
    session: Session,
    name: string,
    event: LogEvent,
    isRepeat: boolean,
  ): void {
    if (name === 'peer_left' && !isRepeat) {
      const { peer } = event as unknown as { peer: PeerId };
      if (wrongDeparture(this.#owners.get(peer)) !== undefined) this.sums.wrongPeerLeft += 1;
    }
    if (name !== 'signal') return;
    const { from } = event as unknown as { from: PeerId };
    const stamp = stampOf(event);
    if (stamp !== undefined && this.plan.isAcross && !this.ledger.knows(stamp.from)) {
      this.halves.received(session.id, from, stamp);
      return;
    }
    const nowMs = performance.now();
    const arrival = this.ledger.received(session.id, from, stamp, nowMs);
    if (arrival === undefined) return;
    this.#time(session, from, nowMs - arrival.sentMs, way);
    onSignal?.(session, from, event);
  }

  #time(to: Session, from: PeerId, ms: number, way: Way | undefined): void {
    this.latencies.record('relay', ms);
    this.recentRelay.record(ms);
    const sender = this.#owners.get(from)?.session.self;
    if (sender === undefined) return;
    const receiver = to.self;
    this.latencies.record(way ?? wayOf(sender, receiver), ms);
    const cell = `${sender.node}>${receiver.node}`;
    if (this.cells.get(cell) !== undefined || this.cells.names.length < CELLS_MAX)
      this.cells.record(cell, ms);
  }
}

function wayOf(sender: Peer, receiver: Peer): Way {
  if (sender.node === receiver.node) return 'relay_local';
  return sender.region === receiver.region ? 'relay_node' : 'relay_region';
}
