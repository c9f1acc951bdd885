import type { Events, Json, Peer, PeerId } from '@fenghuo/protocol';
import { Emitter } from './emitter.ts';
import type { RoomSession } from './session.ts';

/** Of messages that measure; others have nothing to look for in them. */
export const ECHO_TOPIC = 'fenghuo.echo';

/**
 * How long a word takes to each of the others and back, over the nodes and the room's home: an ephemeral message that the other's client
 * answers by itself, where it does this, too. One person is asked in a second, in turn, and nobody more often than every
 * ten seconds; who was silent three times is asked no more. Muted people can neither ask nor answer. What was measured is
 * forgotten when one of both is at another node.
 */
export class EchoTimes extends Emitter<{ change: ReadonlyMap<PeerId, number> }> {
  readonly #session: RoomSession;
  readonly #tries = new Map<PeerId, Tries>();
  readonly #turns: ReturnType<typeof setInterval>;
  readonly #listeners: readonly (() => void)[];
  #asked = 0;
  #answers = 0;
  #node: string | undefined;

  constructor(session: RoomSession) {
    super();
    this.#session = session;
    this.#turns = setInterval(() => this.#takeTurn(), TURN_MS);
    // In Node, whoever is done need not wait for it.
    (this.#turns as { unref?: () => void }).unref?.();
    this.#listeners = [
      session.on('message', (message) => this.#hear(message)),
      session.on('peer_updated', ({ peer }) => this.#look(peer)),
      session.on('peer_left', ({ peer }) => this.#tries.delete(peer) && this.#tell()),
      session.on('welcome', ({ node }) => this.#moveTo(node)),
      session.on('state', ({ phase }) => phase === 'closed' && this.stop()),
    ];
  }

  /** In milliseconds: of the last few the shortest, since a busy page only adds to it. */
  get times(): ReadonlyMap<PeerId, number> {
    const measured = [...this.#tries].filter(([, { times }]) => times.length > 0);
    return new Map(measured.map(([peer, { times }]) => [peer, Math.min(...times)]));
  }

  /** Neither asks nor answers any more. */
  stop(): void {
    clearInterval(this.#turns);
    for (const end of this.#listeners) end();
  }

  #takeTurn(): void {
    this.#answers = 0;
    const { self, state, peers } = this.#session;
    if (state.phase !== 'connected' || self?.muted.includes('message')) return;
    const now = performance.now();
    let next: Tries | undefined;
    for (const peer of peers.values()) {
      const tries = this.#triesOf(peer);
      const isDue = now - tries.askedAt >= AGAIN_AFTER_MS && tries.silences < SILENCES_MAX;
      if (!isDue || !peer.connected || peer.muted.includes('message')) continue;
      if (next === undefined || tries.askedAt < next.askedAt) next = tries;
    }
    if (next !== undefined) this.#ask(next);
  }

  #ask(tries: Tries): void {
    tries.silences++; // Until there is an answer.
    tries.askedAt = performance.now();
    tries.ask = ++this.#asked;
    this.#session.whisper(ECHO_TOPIC, { ask: tries.ask }, { to: tries.peer });
  }

  #hear({ from, to, topic, data }: Events['message']): void {
    if (topic !== ECHO_TOPIC || to === undefined) return;
    const { ask, answer } = (data ?? {}) as { readonly ask?: Json; readonly answer?: Json };
    const tries = this.#tries.get(from);
    if (typeof ask === 'number' && this.#answers++ < ANSWERS_PER_TURN_MAX)
      this.#session.whisper(ECHO_TOPIC, { answer: ask }, { to: from });
    if (tries === undefined || typeof answer !== 'number' || answer !== tries.ask) return;
    tries.ask = undefined;
    tries.silences = 0;
    tries.times.push(performance.now() - tries.askedAt);
    tries.times.splice(0, tries.times.length - TIMES_KEPT);
    this.#tell();
  }

  #triesOf({ id, node }: Peer): Tries {
    let tries = this.#tries.get(id);
    if (tries?.node !== node) {
      tries = { peer: id, node, ask: undefined, askedAt: Number.NEGATIVE_INFINITY, silences: 0, times: [] };
      this.#tries.set(id, tries);
    }
    return tries;
  }

  #look(peer: Peer): void {
    const tries = this.#tries.get(peer.id);
    if (tries === undefined || tries.node === peer.node) return;
    this.#tries.delete(peer.id);
    this.#tell();
  }

  #moveTo(node: string): void {
    if (this.#node !== undefined && this.#node !== node) {
      this.#tries.clear();
      this.#tell();
    }
    this.#node = node;
  }

  #tell(): void {
    this.emit('change', this.times);
  }
}

/** What was asked of one person, and what came back. */
interface Tries {
  readonly peer: PeerId;
  readonly node: string;
  /** The number of the question that waits for its answer. */
  ask: number | undefined;
  askedAt: number;
  silences: number;
  readonly times: number[];
}

const TURN_MS = 1_000;
const AGAIN_AFTER_MS = 10_000;
const SILENCES_MAX = 3;
const TIMES_KEPT = 5;
/** However many ask: an answer costs of what one may send. */
const ANSWERS_PER_TURN_MAX = 20;
