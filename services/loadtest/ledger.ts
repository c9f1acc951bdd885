/** What was numbered, sent, accepted and received, and what follows from it. */
export interface LedgerSums {
  /** Handed to a client to be sent. */
  readonly sent: number;
  /** Answered ok. */
  readonly accepted: number;
  readonly received: number;
  /** Accepted, never received, and the receiver was not told that something is missing: silent loss. */
  readonly lost: number;
  /** Accepted and never received, and the receiver was told: `recovered: false`, `resync`, or its session's end. */
  readonly named: number;
  /** Received more than once. */
  readonly doubled: number;
  /** Received behind one that was sent later. */
  readonly reordered: number;
  /** Received by somebody else than whom it was for, or under another sender's name. */
  readonly misrouted: number;
  /** Received, though its sender was told that it was refused. */
  readonly phantom: number;
  /** Still without a final answer. */
  readonly unanswered: number;
  /** The first few faults, for people. */
  readonly examples: readonly string[];
}

/** Says on the wire which one it is: sender, receiver (`*`: everyone in the room) and number. */
export interface Stamp {
  readonly from: string;
  readonly to: string;
  readonly n: number;
}

export const EVERYONE = '*';

type State = 'open' | 'accepted' | 'refused' | 'unknown';

interface Sending {
  readonly sentMs: number;
  state: State;
}

/** What one receiver got of one flow, by number. */
interface Arrivals {
  readonly atMs: (number | undefined)[];
  highest: number;
}

interface Flow {
  readonly from: string;
  readonly to: string;
  readonly sendings: Sending[];
  readonly arrivals: Map<string, Arrivals>;
}

interface Member {
  readonly room: string;
  readonly joinedMs: number;
  /** When it was told that something may be missing. */
  readonly namings: number[];
  /** When it was told that the session is over: that names all that comes no more. */
  endedMs: number | undefined;
}

const EXAMPLES_MAX = 12;

/** Keeps account of numbered sendings between sessions; decides nothing before it is asked. All times are of one clock. */
export class Ledger {
  readonly #flows = new Map<string, Flow>();
  readonly #members = new Map<string, Member>();
  readonly #examples: string[] = [];
  #received = 0;
  #doubled = 0;
  #reordered = 0;
  #misrouted = 0;

  joined(session: string, room: string, atMs: number): void {
    this.#members.set(session, { room, joinedMs: atMs, namings: [], endedMs: undefined });
  }

  /** The session was told that something may be missing. */
  named(session: string, atMs: number): void {
    this.#members.get(session)?.namings.push(atMs);
  }

  /** The session was told that it is over. */
  ended(session: string, atMs: number): void {
    const member = this.#members.get(session);
    if (member !== undefined) member.endedMs = atMs;
  }

  /** The next number from one session to another, or to everyone. */
  sent(from: string, to: string, atMs: number): Stamp {
    const flow = this.#flow(from, to);
    const n = flow.sendings.push({ sentMs: atMs, state: 'open' }) - 1;
    return { from, to, n };
  }

  settled({ from, to, n }: Stamp, state: 'accepted' | 'refused' | 'unknown'): void {
    const sending = this.#flow(from, to).sendings[n];
    if (sending !== undefined) sending.state = state;
  }

  /** Everything that arrives, before any filtering. `from` is whom the event names as its sender. */
  received(receiver: string, from: string, stamp: Stamp | undefined, atMs: number): void {
    this.#received += 1;
    const flow = stamp === undefined ? undefined : this.#flows.get(flowKey(stamp.from, stamp.to));
    const room = this.#members.get(receiver)?.room;
    const isForThem =
      flow !== undefined &&
      stamp !== undefined &&
      stamp.from === from &&
      flow.sendings[stamp.n] !== undefined &&
      (stamp.to === receiver ||
        (stamp.to === EVERYONE && from !== receiver && this.#members.get(from)?.room === room));
    if (!isForThem) {
      this.#misrouted += 1;
      this.#example(`misrouted: ${receiver} got ${JSON.stringify(stamp)} from ${from}`);
      return;
    }
    this.#arrive(flow, receiver, stamp.n, atMs);
  }

  #arrive(flow: Flow, receiver: string, n: number, atMs: number): void {
    let arrivals = flow.arrivals.get(receiver);
    if (arrivals === undefined) {
      arrivals = { atMs: [], highest: -1 };
      flow.arrivals.set(receiver, arrivals);
    }
    if (arrivals.atMs[n] !== undefined) {
      this.#doubled += 1;
      this.#example(`doubled: ${flow.from} to ${receiver}, number ${n}`);
      return;
    }
    arrivals.atMs[n] = atMs;
    if (n < arrivals.highest) {
      this.#reordered += 1;
      this.#example(`reordered: ${flow.from} to ${receiver}, ${n} after ${arrivals.highest}`);
    }
    arrivals.highest = Math.max(arrivals.highest, n);
  }

  /** Accepted by now, and neither received nor named as missing: what a run waits for before it is judged. */
  get outstanding(): number {
    return this.#missing().lost;
  }

  sums(): LedgerSums {
    const { lost, named, phantom, examples } = this.#missing();
    let sent = 0;
    let accepted = 0;
    let unanswered = 0;
    for (const { sendings } of this.#flows.values()) {
      sent += sendings.length;
      for (const { state } of sendings) {
        if (state === 'accepted') accepted += 1;
        if (state === 'open') unanswered += 1;
      }
    }
    return {
      sent,
      accepted,
      received: this.#received,
      lost,
      named,
      doubled: this.#doubled,
      reordered: this.#reordered,
      misrouted: this.#misrouted,
      phantom,
      unanswered,
      examples: [...this.#examples, ...examples].slice(0, EXAMPLES_MAX),
    };
  }

  #missing(): { lost: number; named: number; phantom: number; examples: string[] } {
    const sums = { lost: 0, named: 0, phantom: 0, examples: [] as string[] };
    for (const flow of this.#flows.values()) {
      for (const [receiver, member] of this.#receiversOf(flow)) this.#missingOf(flow, receiver, member, sums);
    }
    return sums;
  }

  #receiversOf(flow: Flow): [string, Member][] {
    if (flow.to !== EVERYONE) {
      const member = this.#members.get(flow.to);
      return member === undefined ? [] : [[flow.to, member]];
    }
    const room = this.#members.get(flow.from)?.room;
    return [...this.#members].filter(([session, member]) => session !== flow.from && member.room === room);
  }

  #missingOf(
    flow: Flow,
    receiver: string,
    member: Member,
    sums: { lost: number; named: number; phantom: number; examples: string[] },
  ): void {
    const arrivedMs = flow.arrivals.get(receiver)?.atMs ?? [];
    // Backwards, so that it is known when the first later number came: by then this one was overdue.
    let overdueMs = Number.POSITIVE_INFINITY;
    for (let n = flow.sendings.length - 1; n >= 0; n--) {
      const { state, sentMs } = flow.sendings[n] as Sending;
      const atMs = arrivedMs[n];
      if (atMs !== undefined) {
        if (state === 'refused') {
          sums.phantom += 1;
          if (sums.examples.length < EXAMPLES_MAX)
            sums.examples.push(
              `phantom: ${flow.from} to ${receiver}, number ${n}, sent at ${Math.round(sentMs)} ms`,
            );
        }
        overdueMs = Math.min(overdueMs, atMs);
        continue;
      }
      // Who joined after it was sent is not owed it.
      if (state !== 'accepted' || sentMs < member.joinedMs) continue;
      if (isNamed(member, sentMs, overdueMs)) {
        sums.named += 1;
        continue;
      }
      sums.lost += 1;
      if (sums.examples.length < EXAMPLES_MAX)
        sums.examples.push(
          `lost: ${flow.from} to ${receiver}, number ${n}, sent at ${Math.round(sentMs)} ms`,
        );
    }
  }

  #flow(from: string, to: string): Flow {
    const key = flowKey(from, to);
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      flow = { from, to, sendings: [], arrivals: new Map() };
      this.#flows.set(key, flow);
    }
    return flow;
  }

  #example(text: string): void {
    if (this.#examples.length < EXAMPLES_MAX) this.#examples.push(text);
  }
}

/** A telling covers what was on its way by then; not what a later number had overtaken before. */
function isNamed({ namings, endedMs }: Member, sentMs: number, overdueMs: number): boolean {
  if (endedMs !== undefined && endedMs <= overdueMs) return true;
  return namings.some((namedMs) => namedMs >= sentMs && namedMs <= overdueMs);
}

function flowKey(from: string, to: string): string {
  return `${from}>${to}`;
}
