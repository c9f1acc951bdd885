import type { Tick } from '../messages.ts';
import type { Progress, Result, TimelinePoint } from '../report/index.ts';
import { TimeHistogram } from './histogram.ts';

const POINTS_MAX = 900;
const RATES_KEPT = 60;

/** What a run looked like, second by second and part by part, all on the coordinator's clock. */
export class Chronicle {
  readonly startedAt = new Date();
  readonly #startMs = performance.now();
  readonly #everyS: number;
  readonly #points: TimelinePoint[] = [];
  readonly #phases: { name: string; fromS: number; toS?: number }[] = [];
  readonly #relay = new TimeHistogram();
  readonly #rates: number[] = [];
  #before = { atS: 0, sent: 0, delivered: 0 };
  #loopP99Ms = 0;
  #peak = 0;

  /** So many points that a plot can show them, however long it takes. */
  constructor(durationS: number) {
    this.#everyS = Math.max(1, Math.ceil(durationS / POINTS_MAX));
  }

  get elapsedS(): number {
    return (performance.now() - this.#startMs) / 1_000;
  }

  get everyS(): number {
    return this.#everyS;
  }

  get peak(): number {
    return this.#peak;
  }

  get phases(): Result['phases'] {
    return this.#phases;
  }

  get timeline(): Result['timeline'] {
    return { everyS: this.#everyS, points: this.#points };
  }

  /** The part before ends where this one begins. */
  phase(name: string): void {
    this.endPhase();
    this.#phases.push({ name, fromS: this.elapsedS });
  }

  endPhase(): void {
    const last = this.#phases.at(-1);
    if (last !== undefined && last.toS === undefined) last.toS = this.elapsedS;
  }

  /** What one worker told of its last second. */
  note(tick: Tick): void {
    this.#relay.add(new TimeHistogram(tick.relay));
    this.#loopP99Ms = Math.max(this.#loopP99Ms, new TimeHistogram(tick.lag).percentile(99));
  }

  /** A point of the timeline from how all workers stand now; also how it is shown meanwhile. */
  point(ticks: readonly Tick[]): Omit<Progress, 'scenario' | 'phase' | 'elapsedS' | 'durationS'> {
    const sum = (read: (tick: Tick) => number) => ticks.reduce((total, tick) => total + read(tick), 0);
    const atS = this.elapsedS;
    const now = { atS, sent: sum(({ sent }) => sent), delivered: sum(({ delivered }) => delivered) };
    const connected = sum((tick) => tick.connected);
    const lost = sum((tick) => tick.lost);
    const times = {
      p50: this.#relay.percentile(50),
      p99: this.#relay.percentile(99),
      max: this.#relay.maxMs,
    };
    const isTimed = this.#relay.count > 0;
    const target = sum((tick) => tick.target) || connected;
    this.#peak = Math.max(this.#peak, connected);
    this.#points.push({
      atS,
      connected,
      target,
      sent: Math.max(0, now.sent - this.#before.sent),
      delivered: Math.max(0, now.delivered - this.#before.delivered),
      lost,
      ...(isTimed ? { relayP50Ms: times.p50, relayP99Ms: times.p99, relayMaxMs: times.max } : {}),
      loopP99Ms: this.#loopP99Ms,
      memoryMB: sum((tick) => tick.memoryBytes) / 1_048_576,
    });
    const ratePerS = Math.max(0, (now.sent - this.#before.sent) / Math.max(0.001, atS - this.#before.atS));
    this.#rates.push(ratePerS);
    if (this.#rates.length > RATES_KEPT) this.#rates.shift();
    const progress = {
      connected,
      target,
      ratePerS,
      ...(isTimed ? { p50Ms: times.p50, p99Ms: times.p99, maxMs: times.max } : {}),
      lost,
      doubled: sum((tick) => tick.doubled),
      reordered: sum((tick) => tick.reordered),
      misrouted: sum((tick) => tick.misrouted),
      lagP99Ms: this.#loopP99Ms,
      recentRates: [...this.#rates],
    };
    this.#before = now;
    this.#relay.reset();
    this.#loopP99Ms = 0;
    return progress;
  }
}
