import type { Stamp } from '../../ledger.ts';
import { countOf, countOfBoth, Ranges } from './ranges.ts';

/** What one worker knows of its flows with other workers: what went out, what came in. As large as the gaps are many. */
export interface HalvesReport {
  readonly sent: readonly SentHalf[];
  readonly received: readonly ReceivedHalf[];
  /** Receivers who were told that something may be missing. */
  readonly told: readonly string[];
  readonly unanswered: number;
  readonly unknown: number;
  readonly misrouted: number;
}

interface SentHalf {
  readonly from: string;
  readonly to: string;
  readonly sent: number;
  /** Ends of ranges of numbers, as in `Ranges`. */
  readonly accepted: readonly number[];
  readonly refused: readonly number[];
}

interface ReceivedHalf {
  readonly from: string;
  readonly to: string;
  readonly received: readonly number[];
  readonly doubled: number;
  readonly reordered: number;
}

/** What both halves together say. */
export interface HalvesSums {
  readonly sent: number;
  readonly accepted: number;
  readonly expected: number;
  readonly delivered: number;
  readonly lost: number;
  readonly named: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly misrouted: number;
  readonly unknown: number;
}

interface Outgoing {
  sent: number;
  readonly accepted: Ranges;
  readonly refused: Ranges;
}

interface Incoming {
  doubled: number;
  reordered: number;
  readonly received: Ranges;
}

/** Flows of which only one end is in this worker. Each notes its half; `compareHalves` holds them against each other. */
export class Halves {
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #incoming = new Map<string, Incoming>();
  readonly #told = new Set<string>();
  #unanswered = 0;
  #unknown = 0;
  #misrouted = 0;

  sent(from: string, to: string, _atMs: number): Stamp {
    let flow = this.#outgoing.get(`${from}>${to}`);
    if (flow === undefined) {
      flow = { sent: 0, accepted: new Ranges(), refused: new Ranges() };
      this.#outgoing.set(`${from}>${to}`, flow);
    }
    this.#unanswered += 1;
    return { from, to, n: flow.sent++ };
  }

  settled({ from, to, n }: Stamp, state: 'accepted' | 'refused' | 'unknown'): void {
    const flow = this.#outgoing.get(`${from}>${to}`);
    if (flow === undefined) return;
    this.#unanswered -= 1;
    if (state === 'unknown') this.#unknown += 1;
    else flow[state].add(n);
  }

  received(receiver: string, from: string, stamp: Stamp): void {
    if (stamp.to !== receiver || stamp.from !== from) {
      this.#misrouted += 1;
      return;
    }
    let flow = this.#incoming.get(`${from}>${receiver}`);
    if (flow === undefined) {
      flow = { doubled: 0, reordered: 0, received: new Ranges() };
      this.#incoming.set(`${from}>${receiver}`, flow);
    }
    const { highest } = flow.received;
    if (!flow.received.add(stamp.n)) flow.doubled += 1;
    else if (stamp.n < highest) flow.reordered += 1;
  }

  told(receiver: string): void {
    this.#told.add(receiver);
  }

  get count(): { sent: number; delivered: number; unanswered: number } {
    let sent = 0;
    let delivered = 0;
    for (const flow of this.#outgoing.values()) sent += flow.sent;
    for (const { received } of this.#incoming.values()) delivered += countOf(received.list);
    return { sent, delivered, unanswered: this.#unanswered };
  }

  report(): HalvesReport {
    return {
      sent: [...this.#outgoing].map(([key, { sent, accepted, refused }]) => ({
        ...endsOf(key),
        sent,
        accepted: accepted.list,
        refused: refused.list,
      })),
      received: [...this.#incoming].map(([key, { doubled, reordered, received }]) => ({
        ...endsOf(key),
        received: received.list,
        doubled,
        reordered,
      })),
      told: [...this.#told],
      unanswered: this.#unanswered,
      unknown: this.#unknown,
      misrouted: this.#misrouted,
    };
  }
}

/** What became of everything that went from one worker to another. Clocks are not compared, so nothing is timed. */
export function compareHalves(reports: readonly HalvesReport[]): HalvesSums {
  const sums = {
    sent: 0,
    accepted: 0,
    expected: 0,
    delivered: 0,
    lost: 0,
    named: 0,
    doubled: 0,
    reordered: 0,
    misrouted: 0,
    unknown: 0,
  };
  const told = new Set(reports.flatMap((report) => report.told));
  const incoming = new Map<string, ReceivedHalf>(
    reports.flatMap(({ received }) => received.map((half) => [`${half.from}>${half.to}`, half] as const)),
  );
  for (const half of reports.flatMap((report) => report.sent)) {
    const key = `${half.from}>${half.to}`;
    const arrived = incoming.get(key)?.received ?? [];
    const accepted = countOf(half.accepted);
    const missing = accepted - countOfBoth(half.accepted, arrived);
    sums.sent += half.sent;
    sums.accepted += accepted;
    sums.expected += accepted;
    sums[told.has(half.to) ? 'named' : 'lost'] += missing;
    // Delivered though its sender was told that it was refused, or under a number that was never given.
    sums.misrouted += countOfBoth(half.refused, arrived) + numbersFrom(arrived, half.sent);
    incoming.delete(key);
  }
  for (const { received } of reports) {
    for (const half of received) {
      sums.delivered += countOf(half.received);
      sums.doubled += half.doubled;
      sums.reordered += half.reordered;
    }
  }
  // What nobody of us sent.
  for (const half of incoming.values()) sums.misrouted += countOf(half.received);
  for (const report of reports) {
    sums.misrouted += report.misrouted;
    sums.unknown += report.unknown + report.unanswered;
  }
  return sums;
}

function numbersFrom(ends: readonly number[], first: number): number {
  return countOf(ends) - countOfBoth(ends, [0, first - 1]);
}

function endsOf(key: string): { from: string; to: string } {
  const [from = '', to = ''] = key.split('>');
  return { from, to };
}
