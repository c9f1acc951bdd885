import { ERRORS, type ErrorCode, type PeerId } from '@fenghuo/protocol';
import type { Seat } from '../backplane/room-feed.ts';
import type { SessionRef } from '../backplane/room-log.ts';
import { fullPurse, type Purse, SESSION_BUDGET, spend } from '../domain/budget.ts';
import type { RequestRef } from '../domain/request-order.ts';
import type { Result } from '../domain/result.ts';
import type { RoomId } from '../domain/room-id.ts';
import { type Reply, refused } from './reply.ts';

/** A peer's membership, as the node that holds its connection knows it. */
export class Session implements SessionRef {
  readonly room: RoomId;
  readonly peer: PeerId;
  readonly generation: number;
  readonly seat: Seat;
  readonly #nowMs: () => number;
  readonly #purse: Purse;
  /** Ids that were handed to the backplane and have no final answer yet, ascending. */
  readonly #pending: number[] = [];
  /** The request that got an answer which is not final: later ones wait for its return (rule Q2). */
  #blocked: { readonly id: number; readonly reply: Reply } | undefined;

  constructor(session: SessionRef, seat: Seat, nowMs: () => number) {
    this.room = session.room;
    this.peer = session.peer;
    this.generation = session.generation;
    this.seat = seat;
    this.#nowMs = nowMs;
    this.#purse = fullPurse(SESSION_BUDGET, nowMs());
  }

  /** Whether a signal, or anything else, is on its way to the backplane. */
  get isBusy(): boolean {
    return this.#pending.length > 0;
  }

  /** Whether the session's budget has room for that many bytes; else the refusal, which is not final. */
  charge(bytes: number): Reply | undefined {
    const waitMs = spend(this.#purse, SESSION_BUDGET, bytes, this.#nowMs());
    return waitMs === 0 ? undefined : refused('rate_limited', undefined, waitMs);
  }

  /**
   * Hands a request that changes something to the backplane, in the session's order. `bytes` is what it adds to
   * the room's log; undefined: nothing that the budget counts. An answer that is not final holds back the later ids
   * until this one returns.
   */
  async handOver<Value, Code extends ErrorCode>(
    id: number,
    bytes: number | undefined,
    call: (request: RequestRef) => Promise<Result<Value, Code>>,
    reply: (value: Value) => Reply,
  ): Promise<Reply> {
    if (this.#blocked !== undefined && id > this.#blocked.id) return this.#blocked.reply;
    const limited = bytes === undefined ? undefined : this.charge(bytes);
    if (limited !== undefined) return this.#block(id, limited);
    const previousId = this.#pending.findLast((each) => each < id) ?? 0;
    this.#notePending(id);
    const outcome = await call({ id, previousId });
    if (!outcome.ok && ERRORS[outcome.code].retry === 'resend') return this.#block(id, refused(outcome.code));
    if (this.#blocked?.id === id) this.#blocked = undefined;
    const at = this.#pending.indexOf(id);
    if (at >= 0) this.#pending.splice(at, 1);
    return outcome.ok ? reply(outcome.value) : refused(outcome.code);
  }

  #block(id: number, reply: Reply): Reply {
    if (this.#blocked === undefined || id <= this.#blocked.id) this.#blocked = { id, reply };
    return reply;
  }

  #notePending(id: number): void {
    const before = this.#pending.findLastIndex((each) => each <= id);
    if (this.#pending[before] !== id) this.#pending.splice(before + 1, 0, id);
  }
}
