import { setTimeout as sleep } from 'node:timers/promises';

import { shuffled } from '../random.ts';
import { startAbuse } from './activities/abuse.ts';
import type { Activity, Stage } from './activities/activity.ts';
import { startCalls } from './activities/calls.ts';
import { startChurn } from './activities/churn.ts';
import { startMesh } from './activities/mesh.ts';
import { startSoak } from './activities/soak.ts';
import { startStream } from './activities/stream.ts';
import { Agenda } from './agenda.ts';
import { Field } from './field.ts';
import { LoopLag } from './measures/loop-lag.ts';
import type { FromWorker, Tick, ToWorker, WorkerResult } from './messages.ts';
import type { Plan, Share } from './plan.ts';
import { Standing } from './standing.ts';

/** A start that comes later than this after its time is late. Over 1 % of them, and the run proves nothing. */
export const LATE_MS = 10;

const TICK_MS = 1_000;
const REST_MS = 25_000;
const STUCK_MS = 5_000;
/** What comes late comes twice: a doubled delivery may follow when all seems done. */
const LATE_COPIES_MS = 1_500;
const POLL_MS = 100;
const BACK_SHARE = 0.99;
const LEAVES_AT_ONCE = 100;
const LEAVE_MS_MAX = 20_000;

const ACTIVITIES = {
  calls: startCalls,
  stream: startStream,
  mesh: startMesh,
  churn: startChurn,
  soak: startSoak,
  abuse: startAbuse,
} as const satisfies Record<Plan['activity'], (stage: Stage) => Activity>;

/** One worker's part in a run, as the coordinator orders it. Tells all it has to tell through `tell`. */
export class Worker {
  readonly #tell: (message: FromWorker) => void;
  readonly #lag = new LoopLag();
  readonly #calledOff = new AbortController();
  readonly #agenda = new Agenda(LATE_MS);
  #field: Field | undefined;
  #standing: Standing | undefined;
  #activity: (Activity & Partial<Pick<WorkerResult, 'abuse'>>) | undefined;
  #ticks: NodeJS.Timeout | undefined;
  #start: NodeJS.Timeout | undefined;
  /** So few of those whom it cut off may be away when its own lag counts again; undefined: it counts. */
  #calmAt: number | undefined;

  constructor(tell: (message: FromWorker) => void) {
    this.#tell = tell;
  }

  hear(message: ToWorker): void {
    if (message.type === 'plan') void this.#prepare(message.plan, message.share);
    else if (message.type === 'go') this.#start = setTimeout(() => this.#begin(), message.inMs);
    else if (message.type === 'drop') this.#drop(message.share);
    else if (message.type === 'finish') void this.#finish();
    else this.stop();
  }

  /** Ends everything without a word. */
  stop(): void {
    this.#calledOff.abort();
    clearInterval(this.#ticks);
    clearTimeout(this.#start);
    this.#agenda.stop();
    this.#lag.stop();
    this.#field?.stop();
  }

  async #prepare(plan: Plan, share: Share): Promise<void> {
    const field = new Field(plan, share);
    this.#field = field;
    this.#standing = new Standing(field);
    this.#lag.start();
    this.#ticks = setInterval(() => this.#tick(), TICK_MS);
    await this.#standing.fill(plan.rampPerS / share.of, this.#calledOff.signal);
    if (!this.#calledOff.signal.aborted) this.#tell({ type: 'ready' });
  }

  #begin(): void {
    const [field, standing] = [this.#field, this.#standing];
    if (field === undefined || standing === undefined) return;
    // Who floods lags; what it is to harm is timed by other workers.
    this.#lag.judge(field.plan.activity !== 'abuse');
    this.#activity = ACTIVITIES[field.plan.activity]({
      field,
      standing,
      agenda: this.#agenda,
      startMs: performance.now(),
    });
  }

  #drop(share: number): void {
    const peers = this.#standing?.seats.map(({ peer }) => peer) ?? [];
    const count = Math.round(share * peers.length);
    const field = this.#field;
    if (field === undefined) return;
    const dropped = field.drop(shuffled(field.random, peers).slice(0, count));
    this.#storm(dropped);
    this.#tell({ type: 'dropped', count: dropped });
  }

  /**
   * Whoever cuts a thousand clients off has a thousand handshakes to make. That it lags meanwhile makes their recovery look
   * longer, never shorter, so it is no reason to disbelieve the run; before and after it is.
   */
  #storm(dropped: number): void {
    this.#calmAt = Math.floor((1 - BACK_SHARE) * dropped);
    this.#lag.judge(false);
    this.#agenda.judge(false);
  }

  #calm(): void {
    this.#calmAt = undefined;
    this.#lag.judge(true);
    this.#agenda.judge(true);
  }

  async #finish(): Promise<void> {
    const field = this.#field;
    if (field === undefined) return;
    this.#calledOff.abort();
    clearTimeout(this.#start);
    this.#activity?.end();
    const unsettled = await this.#rest(field);
    this.#lag.judge(false);
    await sleep(LATE_COPIES_MS);
    const result = this.#result(field, unsettled);
    clearInterval(this.#ticks);
    this.#tick();
    // Who goes without a goodbye would stay in the rosters for a resume window.
    await Promise.race([this.#leaveAll(field), sleep(LEAVE_MS_MAX, undefined, { ref: false })]);
    this.#tell({ type: 'result', result });
    this.stop();
  }

  /**
   * Waits until all is answered, arrived and over. What is on its way while everybody is there, and does not come any
   * nearer, is lost. Returns what is not at rest, in words.
   */
  async #rest(field: Field): Promise<string[]> {
    const untilMs = performance.now() + REST_MS;
    let movedMs = performance.now();
    let before = '';
    for (;;) {
      const nowMs = performance.now();
      const isDone = this.#activity === undefined || this.#activity.isDone;
      const left = [
        ...(isDone ? [] : ['something under way']),
        ...(field.owed === 0 ? [] : [`${field.owed} requests or promised events`]),
        ...(field.ledger.outstanding === 0 ? [] : [`${field.ledger.outstanding} signals on their way`]),
      ];
      if (left.join() !== before) movedMs = nowMs;
      before = left.join();
      const isStuck = isDone && field.owed === 0 && field.away === 0 && nowMs - movedMs > STUCK_MS;
      if (left.length === 0 || isStuck || nowMs > untilMs) return left;
      await sleep(POLL_MS);
    }
  }

  async #leaveAll(field: Field): Promise<void> {
    const left = [...(this.#standing?.seats ?? [])];
    const lane = async () => {
      for (let seat = left.shift(); seat !== undefined; seat = left.shift()) await field.leave(seat.peer);
    };
    await Promise.all(Array.from({ length: LEAVES_AT_ONCE }, lane));
  }

  #tick(): void {
    const field = this.#field;
    if (field === undefined) return;
    if (this.#calmAt !== undefined && field.away <= this.#calmAt) this.#calm();
    field.fold();
    const { doubled, reordered, misrouted, sent, delivered } = field.ledger.sums();
    const { halves } = field;
    const tick: Tick = {
      connected: field.connected,
      target: this.#standing?.seats.length ?? 0,
      sent: sent + halves.count.sent,
      delivered: delivered + halves.count.delivered,
      lost: field.lost,
      doubled,
      reordered,
      misrouted,
      away: field.away,
      relay: field.recentRelay.encode(),
      lag: this.#lag.recent.encode(),
      memoryBytes: process.memoryUsage.rss(),
    };
    field.recentRelay.reset();
    this.#lag.recent.reset();
    this.#tell({ type: 'tick', tick });
  }

  #result(field: Field, unsettled: readonly string[]): WorkerResult {
    const sums = field.ledger.sums();
    const { calls, abuse } = this.#activity ?? {};
    return {
      planned: this.#activity?.planned ?? 0,
      signals: {
        sent: sums.sent,
        accepted: sums.accepted,
        unknown: sums.unknown + sums.unanswered,
        expected: sums.expected,
        delivered: sums.delivered,
        lost: sums.lost,
        doubled: sums.doubled,
        reordered: sums.reordered,
        // What reaches somebody though its sender was told that it was refused has come to where it must not.
        misrouted: sums.misrouted + sums.phantom,
        named: sums.named,
        refused: field.refusedSignals,
      },
      halves: field.halves.report(),
      sums: field.sums,
      refusedConnections: field.refusedConnections,
      ...(calls === undefined ? {} : { calls }),
      ...(abuse === undefined ? {} : { abuse }),
      latencies: field.latencies.encode(),
      cells: field.cells.encode(),
      lag: this.#lag.whole.encode(),
      started: this.#agenda.started,
      lateStarts: this.#agenda.lateStarts,
      backAfterMs: field.backAfterMs,
      unsettled,
      examples: sums.examples,
    };
  }
}
