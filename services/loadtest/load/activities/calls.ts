import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerId } from '@fenghuo/protocol';

import { between } from '../../random.ts';
import type { Session } from '../../session.ts';
import type { LogEvent, SimulatedPeer } from '../../simulated-peer.ts';
import { exponential, poissonTimes } from '../arrivals.ts';
import { endMsOf } from '../plan.ts';
import type { Activity, CallSums, Stage } from './activity.ts';
import { ratePerWorker, scheduleRandom } from './stream.ts';

/** Each way. */
const CANDIDATES = 10;
/** Of a call: offer, answer, and the candidates of both. */
export const SIGNALS_PER_CALL = 2 + 2 * CANDIDATES;
/** The first ones are the machine's own addresses and are there at once; STUN and TURN take their time. */
const FIRST_CANDIDATES = 3;
const FIRST_SPACING_MS = 4;
const SPACING_MS = 45;
/** To read an offer and make an answer. */
const ANSWER_MS = [15, 40] as const;
const SETUP_MS_MAX = 30_000;
/** Calls under way at once in one worker; one more counts as failed, and says that the cluster does not keep up. */
const CALLS_MAX = 4_000;
/** What comes late comes twice, or to the wrong one: a call's account is kept open for so long. */
const LATE_MS = 2_000;
const PENDING_POLL_MS = 250;
const PENDING_MS_MAX = 10_000;

/**
 * One-to-one calls that begin independently of each other: two people come, negotiate, talk for a while, hang up. They take
 * `rateShare` of the plan's rate.
 */
export function startCalls(stage: Stage, rateShare = 1): Activity {
  const { field, agenda, startMs } = stage;
  const calls: CallSums = { started: 0, connected: 0, failed: 0, hungUp: 0 };
  const underWay = new Set<Call>();
  let planned = 0;
  let isEnded = false;
  const perSecond = (rateShare * ratePerWorker(field)) / SIGNALS_PER_CALL;
  const times = poissonTimes(scheduleRandom(field), perSecond, endMsOf(field.plan));
  agenda.follow(startMs, times, (dueMs) => {
    if (isEnded) return;
    calls.started += 1;
    planned += SIGNALS_PER_CALL;
    if (underWay.size >= CALLS_MAX) {
      calls.failed += 1;
      field.sums.notSent += SIGNALS_PER_CALL;
      return;
    }
    const call = new Call(stage, calls, calls.started);
    underWay.add(call);
    void call.run(dueMs).finally(() => underWay.delete(call));
  });
  return {
    calls,
    get planned() {
      return planned;
    },
    get isDone() {
      return underWay.size === 0;
    },
    end: () => {
      isEnded = true;
      for (const call of underWay) call.hurry();
    },
  };
}

class Call {
  readonly #stage: Stage;
  readonly #sums: CallSums;
  readonly #caller: SimulatedPeer;
  readonly #callee: SimulatedPeer;
  readonly #hurry = new AbortController();
  #dueMs = 0;
  #left = SIGNALS_PER_CALL;
  #isConnected = false;
  #setUp: (() => void) | undefined;

  constructor(stage: Stage, sums: CallSums, n: number) {
    this.#stage = stage;
    this.#sums = sums;
    const { plan, share } = stage.field;
    const room = `load-${plan.runId}-w${share.index}-c${n}`;
    const newcomer = (name: string, first: number, onSignal: (from: PeerId, event: LogEvent) => void) =>
      stage.field.newcomer({ room, name, first, onSignal: (_, from, event) => onSignal(from, event) });
    this.#caller = newcomer('caller', n, (_, event) => this.#callerHears(event));
    this.#callee = newcomer('callee', n + 1, (from, event) => this.#calleeHears(from, event));
  }

  /** Talking is cut short; what is being negotiated is not. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Resolves when it is over. */
  async run(dueMs: number): Promise<void> {
    const { field } = this.#stage;
    this.#dueMs = dueMs;
    const setUp = new Promise<void>((resolve) => {
      this.#setUp = resolve;
    });
    const inTime = sleep(SETUP_MS_MAX, 'late', { ref: false });
    const joined = await Promise.race([Promise.all([this.#caller.start(), this.#callee.start()]), inTime]);
    const [caller, callee] = [this.#caller.session, this.#callee.session];
    if (joined === 'late' || caller === undefined || callee === undefined) return this.#fail();
    this.#sendAll(this.#caller, callee.id, 'offer', performance.now());
    if ((await Promise.race([setUp, inTime])) === 'late') {
      this.#sums.failed += 1;
    } else {
      const holdMs = exponential(field.random, field.plan.holdS * 1_000);
      await sleep(holdMs, undefined, { signal: this.#hurry.signal }).catch(() => {});
    }
    await this.#hangUp([caller, callee]);
  }

  /** A description, and the candidates that trickle behind it, each at a time that nothing moves. */
  #sendAll(from: SimulatedPeer, to: PeerId, kind: 'offer' | 'answer', dueMs: number): void {
    const { agenda, field } = this.#stage;
    agenda.at(dueMs, () => this.#send(from, to, kind, dueMs));
    let atMs = dueMs;
    for (let n = 0; n < CANDIDATES; n++) {
      atMs += exponential(field.random, n < FIRST_CANDIDATES ? FIRST_SPACING_MS : SPACING_MS);
      agenda.at(atMs, (candidateMs) => this.#send(from, to, 'candidate', candidateMs));
    }
  }

  #send(from: SimulatedPeer, to: PeerId, kind: 'offer' | 'answer' | 'candidate', dueMs: number): void {
    this.#stage.field.send(from, to, kind, dueMs);
    this.#left -= 1;
    if (this.#left === 0 && this.#isConnected) this.#setUp?.();
  }

  #calleeHears(from: PeerId, event: LogEvent): void {
    const { description } = event as { description?: { type: string } };
    if (description?.type !== 'offer') return;
    const thoughtMs = between(this.#stage.field.random, ...ANSWER_MS);
    this.#sendAll(this.#callee, from, 'answer', performance.now() + thoughtMs);
  }

  #callerHears(event: LogEvent): void {
    const { description } = event as { description?: { type: string } };
    if (description?.type !== 'answer' || this.#isConnected) return;
    this.#isConnected = true;
    this.#sums.connected += 1;
    this.#stage.field.latencies.record('call_setup', performance.now() - this.#dueMs);
    if (this.#left === 0) this.#setUp?.();
  }

  async #hangUp(sessions: readonly [Session, Session]): Promise<void> {
    const { field } = this.#stage;
    // Who hangs up with something on its way could not tell a loss from a goodbye.
    const untilMs = performance.now() + PENDING_MS_MAX;
    while (sessions.some(({ id }) => field.ledger.pendingOf(id) > 0) && performance.now() < untilMs)
      await sleep(PENDING_POLL_MS);
    await sleep(LATE_MS / 2);
    await field.leave(this.#caller);
    await field.leave(this.#callee);
    this.#sums.hungUp += 1;
    await sleep(LATE_MS / 2);
    const others = [this.#caller.session, this.#callee.session].filter((one) => one !== undefined);
    field.forget([...new Set([...sessions, ...others])]);
  }

  async #fail(): Promise<void> {
    const { field } = this.#stage;
    this.#sums.failed += 1;
    field.sums.notSent += this.#left;
    await Promise.all([field.leave(this.#caller), field.leave(this.#callee)]);
  }
}
