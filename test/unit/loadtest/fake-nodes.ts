import type { JoinReply, Peer, Snapshot } from '@fenghuo/protocol';

import {
  type Answer,
  type Connection,
  type ConnectionListener,
  NotOpened,
} from '../../../services/loadtest/connection.ts';
import { seededRandom } from '../../../services/loadtest/random.ts';
import type { Session } from '../../../services/loadtest/session.ts';
import { type PeerObserver, SimulatedPeer } from '../../../services/loadtest/simulated-peer.ts';

/** One thing that the client asked, and the way to answer it. */
export interface Asked {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the wire as it is
  readonly payload: any;
  answer(answer: Answer): void;
}

/** The node's side of one connection, played by a test. */
export class FakeConnection implements Connection {
  readonly endpoint: string;
  isOpen = true;
  heardMs = performance.now();
  readonly asked: Asked[] = [];
  readonly #listener: ConnectionListener;

  constructor(endpoint: string, listener: ConnectionListener) {
    this.endpoint = endpoint;
    this.#listener = listener;
  }

  ask(name: string, payload: object, answered: (answer: Answer) => void): void {
    this.asked.push({ name, payload, answer: answered });
  }

  close(): void {
    this.isOpen = false;
  }

  cut(): void {
    this.lose();
  }

  send(name: string, payload: object): void {
    this.heardMs = performance.now();
    this.#listener.heard(name, payload);
  }

  /** Its end, as the client sees it when the node dies. */
  lose(): void {
    this.isOpen = false;
    this.#listener.lost('transport close');
  }

  /** The newest request of a name. */
  last(name: string): Asked {
    const found = this.asked.findLast((each) => each.name === name);
    if (found === undefined) throw new Error(`no ${name} on ${this.endpoint}`);
    return found;
  }
}

/** Nodes at addresses, every connection to which a test plays by hand. */
export class FakeNodes {
  readonly connections: FakeConnection[] = [];
  /** Addresses where nobody answers. */
  readonly dead = new Set<string>();

  readonly open = async (endpoint: string, _: number, listener: ConnectionListener): Promise<Connection> => {
    if (this.dead.has(endpoint)) throw new NotOpened('refused');
    const connection = new FakeConnection(endpoint, listener);
    this.connections.push(connection);
    return connection;
  };

  get newest(): FakeConnection {
    const newest = this.connections.at(-1);
    if (newest === undefined) throw new Error('no connection yet');
    return newest;
  }
}

/** What a peer told its observer, in words. */
export function notes(): { told: string[]; observer: PeerObserver } {
  const told: string[] = [];
  const at = (session: Session) => session.id;
  return {
    told,
    observer: {
      joined: (session) => told.push(`joined ${at(session)}`),
      heard: (_, name, event, isRepeat) => told.push(`${name} ${event.seq}${isRepeat ? ' again' : ''}`),
      resumed: (_, missed) => told.push(`resumed, missed ${missed}`),
      replaced: (_, how, isComplete) => told.push(`${how}${isComplete ? ' complete' : ''}`),
      cutOff: (_, endpoint) => told.push(`cut off ${endpoint}`),
      withheld: ({ code }) => told.push(`withheld: ${code}`),
      ended: (_, why) => told.push(`ended: ${why}`),
      odd: (what) => told.push(`odd: ${what}`),
    },
  };
}

export function fakePeer(nodes: FakeNodes, observer: PeerObserver, answerMs = 200): SimulatedPeer {
  return new SimulatedPeer({
    name: 'ann',
    room: 'blue',
    endpoints: ['http://a', 'http://b'],
    random: seededRandom(1),
    observer,
    openMs: 50,
    answerMs,
    open: nodes.open,
  });
}

export function peerNamed(id: string): Peer {
  const fixed = {
    role: 'speaker',
    muted: [],
    connected: true,
    metadata: null,
    joined_seq: 1,
    node: 'n',
    region: 'r',
  };
  return { id, name: id, ...fixed } as unknown as Peer;
}

export function snapshot(seq: number, peers: readonly string[] = ['bob'], epoch = 1): Snapshot {
  const room = { name: 'blue', home: 'main', locked: false, peers_max: 100 };
  return { self: peerNamed('ann'), room, peers: peers.map(peerNamed), seq, epoch, ice_servers: [] };
}

export function joinReply(seq: number, peers?: readonly string[]): Answer {
  const reply: JoinReply = { ...snapshot(seq, peers), resume_token: 'token', resume_window_ms: 30_000 };
  return { ok: true, ...reply };
}

export function refusal(code: 'unavailable' | 'session_expired' | 'session_replaced' | 'draining'): Answer {
  return { ok: false, error: { code, message: code, retry_after_ms: 10 } };
}
