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
  /** Its session ended before a final answer. */
  readonly unknown: number;
  /** Accepted, and owed to somebody. */
  readonly expected: number;
  /** Received by whom it was for, each once. */
  readonly delivered: number;
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
  /** How many of the first numbers were settled and forgotten (`fold`): the lists begin with this one. */
  base: number;
  readonly sendings: Sending[];
  readonly arrivals: Map<string, Arrivals>;
}

/** What a count of missing ones adds to. */
interface Missing {
  lost: number;
  named: number;
  phantom: number;
  /** What receivers should have got, missing or not. */
  expected: number;
  readonly examples: string[];
}

/** What just arrived: when it was to be sent. */
export interface Arrival {
  readonly sentMs: number;
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
  readonly #flowsOf = new Map<string, Set<Flow>>();
  readonly #members = new Map<string, Member>();
  readonly #rooms = new Map<string, Set<string>>();
  readonly #examples: string[] = [];
  /** Of what was folded. */
  readonly #folded: Missing = { lost: 0, named: 0, phantom: 0, expected: 0, examples: [] };
  #sent = 0;
  #accepted = 0;
  #unanswered = 0;
  #unknown = 0;
  #received = 0;
  #delivered = 0;
  #doubled = 0;
  #reordered = 0;
  #misrouted = 0;

  joined(session: string, room: string, atMs: number): void {
    this.#members.set(session, { room, joinedMs: atMs, namings: [], endedMs: undefined });
    const members = this.#rooms.get(room);
    if (members === undefined) this.#rooms.set(room, new Set([session]));
    else members.add(session);
  }

  knows(session: string): boolean {
    return this.#members.has(session);
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
    const n = flow.base + flow.sendings.push({ sentMs: atMs, state: 'open' }) - 1;
    this.#sent += 1;
    this.#unanswered += 1;
    return { from, to, n };
  }

  settled({ from, to, n }: Stamp, state: 'accepted' | 'refused' | 'unknown'): void {
    const flow = this.#flows.get(flowKey(from, to));
    const sending = flow?.sendings[n - flow.base];
    if (sending === undefined || sending.state !== 'open') return;
    sending.state = state;
    this.#unanswered -= 1;
    if (state === 'accepted') this.#accepted += 1;
    if (state === 'unknown') this.#unknown += 1;
  }

  /**
   * Everything that arrives, before any filtering. `from` is whom the event names as its sender. Returns what it is
   * where it came to whom it was for, for the first time.
   */
  received(receiver: string, from: string, stamp: Stamp | undefined, atMs: number): Arrival | undefined {
    this.#received += 1;
    const flow = stamp === undefined ? undefined : this.#flows.get(flowKey(stamp.from, stamp.to));
    const room = this.#members.get(receiver)?.room;
    const isForThem =
      flow !== undefined &&
      stamp !== undefined &&
      stamp.from === from &&
      stamp.n < flow.base + flow.sendings.length &&
      (stamp.to === receiver ||
        (stamp.to === EVERYONE && from !== receiver && this.#members.get(from)?.room === room));
    if (!isForThem) {
      this.#misrouted += 1;
      this.#example(`misrouted: ${receiver} got ${JSON.stringify(stamp)} from ${from}`);
      return undefined;
    }
    return this.#arrive(flow, receiver, stamp.n, atMs);
  }

  #arrive(flow: Flow, receiver: string, n: number, atMs: number): Arrival | undefined {
    let arrivals = flow.arrivals.get(receiver);
    if (arrivals === undefined) {
      arrivals = { atMs: [], highest: -1 };
      flow.arrivals.set(receiver, arrivals);
    }
    // What is folded arrived before, or was given up.
    if (n < flow.base || arrivals.atMs[n - flow.base] !== undefined) {
      this.#doubled += 1;
      this.#example(`doubled: ${flow.from} to ${receiver}, number ${n}`);
      return undefined;
    }
    arrivals.atMs[n - flow.base] = atMs;
    this.#delivered += 1;
    if (n < arrivals.highest) {
      this.#reordered += 1;
      this.#example(`reordered: ${flow.from} to ${receiver}, ${n} after ${arrivals.highest}`);
    }
    arrivals.highest = Math.max(arrivals.highest, n);
    return flow.sendings[n - flow.base];
  }

  /**
   * Forgets, flow by flow, what is settled for good, so that a run of hours does not keep it all: the first numbers that
   * were refused or received, and what was to be sent before `giveUpMs`, whatever became of it. Sums stay the same.
   */
  fold(giveUpMs: number): void {
    for (const flow of this.#flows.values()) this.#foldFlow(flow, giveUpMs);
  }

  /** What was sent to or from a session and is neither answered for good nor received. */
  pendingOf(session: string): number {
    const sums: Missing = { lost: 0, named: 0, phantom: 0, expected: 0, examples: [] };
    let open = 0;
    for (const flow of this.#flowsOf.get(session) ?? []) {
      this.#count(flow, flow.sendings.length, sums);
      open += flow.sendings.filter(({ state }) => state === 'open').length;
    }
    return sums.lost + open;
  }

  /** Forgets sessions that are over, and all that was sent between them; call it once nothing can come any more. */
  release(sessions: readonly string[]): void {
    for (const session of sessions) {
      for (const flow of this.#flowsOf.get(session) ?? []) {
        this.#count(flow, flow.sendings.length, this.#folded);
        this.#unanswered -= flow.sendings.filter(({ state }) => state === 'open').length;
        this.#flows.delete(flowKey(flow.from, flow.to));
        this.#flowsOf.get(flow.from)?.delete(flow);
        this.#flowsOf.get(flow.to)?.delete(flow);
      }
    }
    for (const session of sessions) {
      const { room = '' } = this.#members.get(session) ?? {};
      const members = this.#rooms.get(room);
      members?.delete(session);
      if (members?.size === 0) this.#rooms.delete(room);
      this.#members.delete(session);
      this.#flowsOf.delete(session);
    }
  }

  #foldFlow(flow: Flow, giveUpMs: number): void {
    const receivers = this.#receiversOf(flow);
    const settled = flow.sendings.findIndex(({ sentMs, state }, index) => {
      if (state === 'open') return true;
      if (state !== 'accepted' || sentMs < giveUpMs) return false;
      return receivers.some(
        ([id, member]) => isOwed(flow, member, sentMs) && flow.arrivals.get(id)?.atMs[index] === undefined,
      );
    });
    const count = settled === -1 ? flow.sendings.length : settled;
    if (count === 0) return;
    this.#count(flow, count, this.#folded);
    flow.base += count;
    flow.sendings.splice(0, count);
    for (const { atMs } of flow.arrivals.values()) atMs.splice(0, count);
  }

  /** Accepted by now, and neither received nor named as missing: what a run waits for before it is judged. */
  get outstanding(): number {
    return this.#missing().lost;
  }

  /** Accepted, to be sent before that time, and neither received nor named as missing. */
  lostBefore(sentMs: number): number {
    return this.#missing(sentMs).lost;
  }

  sums(): LedgerSums {
    const { lost, named, phantom, expected, examples } = this.#missing();
    return {
      sent: this.#sent,
      accepted: this.#accepted,
      received: this.#received,
      lost,
      named,
      doubled: this.#doubled,
      reordered: this.#reordered,
      misrouted: this.#misrouted,
      phantom,
      unanswered: this.#unanswered,
      unknown: this.#unknown,
      expected,
      delivered: this.#delivered,
      examples: [...this.#examples, ...examples].slice(0, EXAMPLES_MAX),
    };
  }

  #missing(sentBeforeMs = Number.POSITIVE_INFINITY): Missing {
    const sums = { ...this.#folded, examples: [...this.#folded.examples] };
    for (const flow of this.#flows.values()) {
      const later = flow.sendings.findIndex(({ sentMs }) => sentMs >= sentBeforeMs);
      this.#count(flow, later === -1 ? flow.sendings.length : later, sums);
    }
    return sums;
  }

  /** Adds what became of the first so many of a flow. */
  #count(flow: Flow, count: number, sums: Missing): void {
    if (count === 0) return;
    for (const [receiver, member] of this.#receiversOf(flow))
      this.#missingOf(flow, receiver, member, count, sums);
  }

  #receiversOf(flow: Flow): [string, Member][] {
    if (flow.to !== EVERYONE) {
      const member = this.#members.get(flow.to);
      return member === undefined ? [] : [[flow.to, member]];
    }
    const { room = '' } = this.#members.get(flow.from) ?? {};
    return [...(this.#rooms.get(room) ?? [])].flatMap((session) => {
      const member = this.#members.get(session);
      return session === flow.from || member === undefined ? [] : [[session, member] as [string, Member]];
    });
  }

  #missingOf(flow: Flow, receiver: string, member: Member, count: number, sums: Missing): void {
    const arrivedMs = flow.arrivals.get(receiver)?.atMs ?? [];
    // Backwards, so that it is known when the first later number came: by then this one was overdue.
    let overdueMs = Number.POSITIVE_INFINITY;
    for (let index = flow.sendings.length - 1; index >= 0; index--) {
      const { state, sentMs } = flow.sendings[index] as Sending;
      const atMs = arrivedMs[index];
      const n = flow.base + index;
      if (index >= count) {
        overdueMs = Math.min(overdueMs, atMs ?? overdueMs);
        continue;
      }
      if (atMs !== undefined) {
        if (state === 'accepted') sums.expected += 1;
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
      if (state !== 'accepted' || !isOwed(flow, member, sentMs)) continue;
      sums.expected += 1;
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
      flow = { from, to, base: 0, sendings: [], arrivals: new Map() };
      this.#flows.set(key, flow);
      for (const session of [from, to]) {
        const flows = this.#flowsOf.get(session);
        if (flows === undefined) this.#flowsOf.set(session, new Set([flow]));
        else flows.add(flow);
      }
    }
    return flow;
  }

  #example(text: string): void {
    if (this.#examples.length < EXAMPLES_MAX) this.#examples.push(text);
  }
}

/**
 * What is for everyone is owed to those who had joined by then. What names its receiver is always owed: a sender that is
 * late sends what was due before that one joined.
 */
function isOwed({ to }: Flow, { joinedMs }: Member, sentMs: number): boolean {
  return to !== EVERYONE || sentMs >= joinedMs;
}

/** A telling covers what was on its way by then; not what a later number had overtaken before. */
function isNamed({ namings, endedMs }: Member, sentMs: number, overdueMs: number): boolean {
  if (endedMs !== undefined && endedMs <= overdueMs) return true;
  return namings.some((namedMs) => namedMs >= sentMs && namedMs <= overdueMs);
}

function flowKey(from: string, to: string): string {
  return `${from}>${to}`;
}
