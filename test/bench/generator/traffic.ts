import { build, type Histogram } from 'hdr-histogram-js';

import { bodyOf, CALL, readStamp } from './call.ts';
import { type Metronome, startMetronome } from './metronome.ts';
import type { Seat } from './seat.ts';

/** One way between two clients. Its messages are numbered, and have to come in order, each once. */
interface Direction {
  readonly from: Seat;
  readonly to: Seat;
  readonly link: Link;
  sent: number;
  received: number;
  /** When the last messages were to be sent: of performance.now(), by number modulo the size. */
  readonly dueMs: Float64Array;
}

/** Two clients who call each other again and again. */
interface Link {
  directions: readonly [number, number];
  /** Messages begun, over all calls. */
  step: number;
}

/** More than a link ever has under way; a message that is overtaken by so many is lost. */
const UNDER_WAY_MAX = 4_096;
const MICROSECONDS = {
  lowestDiscernibleValue: 1,
  highestTrackableValue: 60_000_000,
  numberOfSignificantValueDigits: 3,
} as const;

/** Calls between pairs of clients, and an account of every message. */
export class Traffic {
  readonly seats: readonly Seat[];
  readonly #directions: Direction[] = [];
  readonly #links: Link[] = [];
  readonly #stamp = { direction: 0, n: 0 };
  #underWay = 0;
  #metronome: Metronome | undefined;
  /** Beats that are still on their way count no more. */
  #isStopping = false;
  sent = 0;
  delivered = 0;
  /** Lost or overtaken, doubled, or come to somebody else. */
  misdelivered = 0;
  /** From when a message was due to when it was there, µs. */
  latency: Histogram = build(MICROSECONDS);
  /** By how much the generator itself was late, µs. */
  lateness: Histogram = build(MICROSECONDS);

  constructor(pairs: readonly (readonly [Seat, Seat])[]) {
    for (const [a, b] of pairs) {
      const first = this.#directions.length;
      const link: Link = { directions: [first, first + 1], step: 0 };
      this.#links.push(link);
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const)
        this.#directions.push({
          from,
          to,
          link,
          sent: 0,
          received: 0,
          dueMs: new Float64Array(UNDER_WAY_MAX),
        });
    }
    this.seats = [...new Set(pairs.flat())];
    for (const seat of this.seats) seat.onSignal = (frame) => this.#take(seat, frame);
  }

  /** Each link keeps so many messages under way: one that arrives lets the next go. */
  saturate(underWay: number): void {
    this.#underWay = underWay;
    const nowMs = performance.now();
    for (const link of this.#links) for (let n = 0; n < underWay; n += 1) this.#send(link, nowMs);
  }

  /** Sends at this pace whatever becomes of it, link by link. */
  openLoop(perSecond: number): void {
    let count = 0;
    this.#metronome = startMetronome(1_000 / perSecond, (dueMs) => {
      if (this.#isStopping) return;
      this.lateness.recordValue(microseconds(performance.now() - dueMs));
      this.#send(this.#links[count % this.#links.length] as Link, dueMs);
      count += 1;
    });
  }

  /** Forgets the latencies so far. */
  clearTimes(): void {
    this.latency.reset();
    this.lateness.reset();
  }

  /** Sends no more. What is under way still comes. */
  async stop(): Promise<void> {
    this.#underWay = 0;
    this.#isStopping = true;
    await this.#metronome?.stop();
    this.#metronome = undefined;
    this.#isStopping = false;
  }

  #send(link: Link, dueMs: number): void {
    const line = CALL[link.step % CALL.length] as (typeof CALL)[number];
    link.step += 1;
    const number = link.directions[line.by];
    const direction = this.#directions[number] as Direction;
    const n = direction.sent;
    direction.sent = n + 1;
    direction.dueMs[n % UNDER_WAY_MAX] = dueMs;
    this.sent += 1;
    direction.from.signal(direction.to.id, line.kind, bodyOf(line.kind, number, n));
  }

  #take(seat: Seat, frame: Buffer): void {
    const stamp = this.#stamp;
    const direction = readStamp(frame, stamp) ? this.#directions[stamp.direction] : undefined;
    if (direction?.to !== seat || stamp.n !== direction.received) {
      this.misdelivered += 1;
      if (direction?.to !== seat || stamp.n < direction.received) return;
    }
    const nowMs = performance.now();
    direction.received = stamp.n + 1;
    this.delivered += 1;
    const dueMs = direction.dueMs[stamp.n % UNDER_WAY_MAX] as number;
    this.latency.recordValue(microseconds(nowMs - dueMs));
    if (this.#underWay > 0) this.#send(direction.link, nowMs);
  }
}

/** Of a time in milliseconds; at least 1, which is the least that a histogram holds. */
function microseconds(ms: number): number {
  return Math.max(1, Math.round(ms * 1_000));
}
