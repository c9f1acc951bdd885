import {
  type Answer,
  type ErrorCode,
  type Events,
  type JoinOptions,
  type ServerEvent,
  type SignalingConnection,
  SignalingError,
} from '../../../services/client/index.ts';
import { peer, snapshot } from './fake-cluster.ts';

type Options = Parameters<NonNullable<JoinOptions['connect']>>[1];
type Answered = (answer: Answer) => void;

/**
 * A room with one client, as the protocol promises it to be, over connections that fail in every way they may: they
 * are refused, end, keep answers to themselves; nodes send away, and are unavailable before or after they did what was
 * asked. `heal` ends all that.
 */
export class ModelRoom {
  /** What the client is to hear, and when: each once and in this order. */
  readonly log: { readonly seq: number; readonly data: number }[] = [];
  /** What the client sent, as the room applied it. */
  readonly applied: unknown[] = [];
  resumes = 0;
  readonly #random: () => number;
  readonly #answers = new Map<number, Answer>();
  #seq = 10;
  #attempt = 0;
  #current: ModelConnection | undefined;
  #isHealed = false;

  constructor(random: () => number) {
    this.#random = random;
  }

  readonly connect = async (_: string, options: Options): Promise<SignalingConnection> => {
    await this.pass();
    if (this.fails(0.2)) throw new SignalingError('draining', undefined, 200 * this.#random());
    const connection = new ModelConnection(this, options);
    if (this.fails(0.3)) setTimeout(() => connection.break(), 500 * this.#random());
    return connection as unknown as SignalingConnection;
  };

  /** An event for the client. */
  tell(): void {
    this.#seq += 1 + Math.floor(3 * this.#random());
    const event = { seq: this.#seq, data: this.log.length };
    this.log.push(event);
    this.#current?.hand(event);
  }

  /** Something happens to the current connection. */
  harm(): void {
    if (this.fails(0.5)) this.#current?.break();
    else if (this.fails(1)) {
      const reconnect_after_ms = Math.floor(300 * this.#random());
      this.#current?.emit('go_away', { reason: 'drain', reconnect_after_ms, deadline_ms: 5_000 });
    }
  }

  heal(): void {
    this.#isHealed = true;
  }

  fails(chance: number): boolean {
    return !this.#isHealed && this.#random() < chance;
  }

  /** The way over the network, or a node's thinking. */
  pass(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 30 * this.#random()));
  }

  serve(connection: ModelConnection, name: string, payload: Record<string, unknown>): Answer {
    if (name === 'join') {
      this.#current = connection;
      const reply = { ...snapshot('wei', this.#seq, [peer('ana', 3)]), resume_token: 't' };
      return { ok: true, reply: { ...reply, resume_window_ms: 30_000 } };
    }
    if (this.fails(0.1)) return refusal('unavailable');
    const answer = name === 'resume' ? this.#resume(connection, payload) : this.#apply(connection, payload);
    return this.fails(0.1) ? refusal('unavailable') : answer;
  }

  lost(connection: ModelConnection): void {
    if (this.#current === connection) this.#current = undefined;
  }

  #resume(connection: ModelConnection, payload: Record<string, unknown>): Answer {
    const { seq, attempt } = payload as { seq: number; attempt: number };
    if (attempt <= this.#attempt) return refusal('session_replaced');
    this.#attempt = attempt;
    const former = this.#current;
    if (former !== connection) former?.replace();
    this.#current = connection;
    this.resumes++;
    const missed = this.log.filter((event) => event.seq > seq);
    const hand = () => {
      for (const event of missed) connection.hand(event);
    };
    queueMicrotask(hand); // Right after the answer, before anything new.
    return { ok: true, reply: { recovered: true, missed: missed.length, last_id: this.#answers.size + 1 } };
  }

  #apply(connection: ModelConnection, payload: Record<string, unknown>): Answer {
    const id = payload.id as number;
    if (this.#current !== connection) return refusal('session_replaced');
    const first = this.#answers.get(id);
    if (first !== undefined) return first;
    if (id !== this.#answers.size + 2) return refusal('unavailable'); // One before it is missing.
    this.applied.push(payload.data);
    const answer: Answer = { ok: true, reply: { seq: ++this.#seq } };
    this.#answers.set(id, answer);
    return answer;
  }
}

function refusal(code: ErrorCode): Answer {
  return { ok: false, error: new SignalingError(code) };
}

const SILENCE: Answer = { ok: false, error: new SignalingError('unavailable'), isSilence: true };

/** Two pipes, each in order, until the connection breaks. */
class ModelConnection {
  readonly #room: ModelRoom;
  readonly #options: Options;
  #toNode: Promise<void> = Promise.resolve();
  #toClient: Promise<void> = Promise.resolve();
  #isBroken = false;
  #isClosed = false;
  readonly #unanswered = new Set<Answered>();

  constructor(room: ModelRoom, options: Options) {
    this.#room = room;
    this.#options = options;
  }

  send(name: string, payload: Record<string, unknown>, answered: Answered): void {
    this.#unanswered.add(answered);
    this.#toNode = this.#toNode.then(async () => {
      await this.#room.pass();
      // What is on its way when the connection ends may still arrive.
      if (this.#isBroken && this.#room.fails(0.5)) return;
      const answer = this.#room.serve(this, name, payload);
      if (this.#isBroken) this.#room.lost(this);
      else if (this.#room.fails(0.05)) setTimeout(() => this.#settle(answered, SILENCE), 300);
      else this.#bring(() => this.#settle(answered, answer));
    });
  }

  hand({ seq, data }: { seq: number; data: number }): void {
    this.emit('message', { seq, from: peer('ana', 3).id, topic: 'x', data });
  }

  emit<Name extends ServerEvent['name']>(name: Name, data: Events[Name]): void {
    this.#bring(() => this.#options.onEvent({ name, data } as ServerEvent));
  }

  replace(): void {
    this.emit('removed', { reason: 'replaced' });
    this.#bring(() => this.break());
  }

  /** The client's side ends it. */
  close(): void {
    this.#isClosed = true;
    this.break();
  }

  drop(): void {
    this.break();
  }

  break(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#room.lost(this);
    if (!this.#isClosed) this.#options.onLost('transport close');
    for (const answered of [...this.#unanswered]) this.#settle(answered, SILENCE);
  }

  #bring(step: () => void): void {
    this.#toClient = this.#toClient.then(async () => {
      await this.#room.pass();
      if (!this.#isBroken) step();
    });
  }

  #settle(answered: Answered, answer: Answer): void {
    if (this.#unanswered.delete(answered)) answered(answer);
  }
}
