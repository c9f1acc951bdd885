import { ERRORS, type ErrorCode, type Kind, type PeerId, UNANSWERED_MAX } from '@fenghuo/protocol';
import type { SessionRef } from '../backplane/room-log.ts';
import type { Seat } from '../backplane/room-seat.ts';
import type { Account, Cost } from '../domain/budget.ts';
import { Later, type Pending } from '../domain/later.ts';
import type { RequestRef } from '../domain/request-order.ts';
import type { Result } from '../domain/result.ts';
import type { RoomId } from '../domain/room-id.ts';
import type { RoomHome } from './context.ts';
import { type Reply, refused, refusedByRoom } from './reply.ts';
import type { Sender } from './sender.ts';

/** A peer's membership, as the node that holds its connection knows it. */
export class Session implements SessionRef {
  readonly room: RoomId;
  readonly peer: PeerId;
  readonly generation: number;
  readonly home: RoomHome;
  readonly seat: Seat;
  /** As this node was told last; what must not race is checked by the backplane. */
  muted: readonly Kind[];
  readonly #sender: Sender;
  /** Made with the first request: of those who only listen there is none. */
  #account: Account | undefined;
  /** Ids that were handed to the backplane and have no final answer yet, ascending. */
  readonly #pending: number[] = [];
  /** Ids whose last answer was not final and that have not returned yet: nothing above them passes (rule Q2). */
  #awaited: Set<number> | undefined;
  /** The newest ids with a final answer, each in its place: what an older try of theirs comes to does not count. */
  readonly #settled: number[] = [];
  #refusal: Reply = refused('unavailable');
  #calls = 0;
  #onIdle: (() => void) | undefined;

  constructor(
    session: SessionRef & { readonly muted: readonly Kind[] },
    { home, seat, sender }: { readonly home: RoomHome; readonly seat: Seat; readonly sender: Sender },
  ) {
    this.home = home;
    this.muted = session.muted;
    this.room = session.room;
    this.peer = session.peer;
    this.generation = session.generation;
    this.seat = seat;
    this.#sender = sender;
  }

  /** Whether a signal, or anything else, is on its way to the backplane. */
  get isBusy(): boolean {
    return this.#pending.length > 0;
  }

  /** Runs the action once the requests that are under way have their answers. */
  whenIdle(action: () => void): void {
    if (this.#calls === 0) action();
    else this.#onIdle = action;
  }

  /** How many others a record of this session reaches. */
  get receivers(): number {
    return Math.max(this.seat.size - 1, 1);
  }

  /** Takes it from the budgets of this session and its sender; else the refusal, which is not final. */
  charge(cost: Cost): Reply | undefined {
    this.#account ??= this.#sender.sessionAccount(this.peer);
    const waitMs = this.#sender.spend(cost, this.#account);
    return waitMs === 0 ? undefined : refused('rate_limited', undefined, waitMs);
  }

  /** Counts records of a request beyond the one that it was let in for; each member may be sent all of them. */
  owe(records: readonly string[]): void {
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    const cost = {
      requests: Math.max(0, records.length - 1),
      log_bytes: bytes,
      sent_bytes: bytes * this.seat.size,
    };
    this.#sender.owe(cost);
    this.#account?.take(cost);
  }

  /**
   * Hands a request that changes something to the backplane, in the session's order. An answer that is not final holds
   * back the later ids until this one returns, and then those that were held back, each in its turn: else one that is
   * applied over a hole would make what belongs there look like a repeat.
   */
  handOver<Value, Code extends ErrorCode>(
    id: number,
    cost: Cost,
    call: (request: RequestRef) => Pending<Result<Value, Code>>,
    reply: (value: Value) => Reply,
  ): Later<Reply> {
    if (this.#isHeldBack(id)) return Later.of(this.#await(id, this.charge(REQUEST) ?? this.#refusal));
    const limited = this.charge(cost);
    if (limited !== undefined) return Later.of(this.#await(id, limited));
    const previousId = this.#notePending(id);
    this.#calls += 1;
    const replied = new Later<Reply>();
    const fail = (error: unknown) => replied.fail(error);
    call({ id, previousId }).then((outcome) => {
      try {
        replied.settle(this.#conclude(id, outcome, reply));
      } catch (error) {
        fail(error);
      }
    }, fail);
    return replied;
  }

  #conclude<Value, Code extends ErrorCode>(
    id: number,
    outcome: Result<Value, Code>,
    reply: (value: Value) => Reply,
  ): Reply {
    this.#calls -= 1;
    // The answer is written in this turn.
    if (this.#calls === 0 && this.#onIdle !== undefined) setImmediate(this.#onIdle);
    if (!outcome.ok && ERRORS[outcome.code].retry === 'resend')
      return this.#await(id, refusedByRoom(outcome));
    this.#settle(id);
    return outcome.ok ? reply(outcome.value) : refusedByRoom(outcome);
  }

  /** Whether a lower id has not returned yet. */
  #isHeldBack(id: number): boolean {
    if (this.#awaited === undefined) return false;
    this.#awaited.delete(id);
    for (const lower of this.#awaited) if (lower < id) return true;
    return false;
  }

  #await(id: number, reply: Reply): Reply {
    this.#refusal = reply;
    const isSettled = this.#settled[id % UNANSWERED_MAX] === id;
    this.#awaited ??= new Set();
    if (!isSettled && this.#awaited.size < AWAITED_MAX) this.#awaited.add(id);
    return reply;
  }

  #settle(id: number): void {
    this.#awaited?.delete(id);
    const at = this.#pending.indexOf(id);
    if (at >= 0) this.#pending.splice(at, 1);
    this.#settled[id % UNANSWERED_MAX] = id;
  }

  /** Returns the greatest lower id that is pending; 0: none. */
  #notePending(id: number): number {
    const pending = this.#pending;
    let at = pending.length;
    while (at > 0 && (pending[at - 1] as number) >= id) at--;
    if (pending[at] !== id) pending.splice(at, 0, id);
    return pending[at - 1] ?? 0;
  }
}

/** What each request costs, whatever comes of it. */
export const REQUEST: Cost = { requests: 1, sent_bytes: 0 };

/** A client has at most 64 requests unanswered; who has more is not served better for it. */
const AWAITED_MAX = 4 * UNANSWERED_MAX;
