import type { Answer } from '../../domain/answer.ts';
import { parseAnswer } from '../../domain/answer.ts';
import type { Later } from '../../domain/later.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import type { RoomId } from '../../domain/room-id.ts';
import { placed, type RecordDraft, type RoomRecord } from '../../domain/room-record.ts';
import type { OnMalformed } from '../malformed.ts';
import type { SessionRefusal } from '../room-log.ts';
import { type OnFailed, unattended } from '../tasks.ts';
import type { CallRoomsScript } from './commands.ts';
import { refusal } from './replies.ts';

/** A signal or a message that is to be appended. */
export interface Append {
  readonly room: RoomId;
  readonly draft: RecordDraft;
  /** The draft as `formatDraft` writes it. */
  readonly rest: string;
  /** As relay.lua takes it: the author's generation, the id of the request before, and what he must not be muted in. */
  readonly place: string;
  readonly outcome: Later<Result<Answer, SessionRefusal>>;
}

export interface AppendsParts {
  readonly call: CallRoomsScript;
  /** On a Cluster a script reaches one room. */
  readonly isCluster: boolean;
  /** On which the records that are appended here need not ring. */
  readonly channel: string;
  readonly bounds: readonly number[];
  /** What was appended, as the others' doorbells bring it. */
  readonly onAppended: (room: RoomId, record: RoomRecord, text: string) => void;
  /** Whether something was appended is not known. */
  readonly onUnknown: (room: RoomId) => void;
  readonly onFailed: OnFailed;
  readonly onMalformed: OnMalformed;
}

/** So that no script holds Redis up for longer than a millisecond or two. */
const APPENDS_MAX = 128;
const CHARS_MAX = 256 * 1_024;

/**
 * Appends what comes in one turn of the event loop by one script: the more there is to do, the less each costs, and
 * what comes alone does not wait.
 */
export class Appends {
  readonly #parts: AppendsParts;
  #waiting: Append[] = [];

  constructor(parts: AppendsParts) {
    this.#parts = parts;
  }

  add(append: Append): void {
    if (this.#waiting.push(append) === 1) setImmediate(() => this.flush());
  }

  /** Now: what is sent next must not overtake what a session asked for before. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const batch of this.#parts.isCluster ? byRoom(waiting) : bySize(waiting)) this.#send(batch);
  }

  #send(batch: readonly Append[]): void {
    const { call, channel, bounds, onUnknown, onFailed } = this.#parts;
    const numbers = new Map<RoomId, number>();
    const args: (string | number)[] = [channel];
    for (const { room, place, draft, rest } of batch) {
      const number = numbers.get(room) ?? numbers.size + 1;
      numbers.set(room, number);
      args.push(`${number} ${letterOf(draft)} ${place}`, rest);
    }
    args.push(...bounds);
    const places = batch.map(({ room }) => room);
    call('relay', [...numbers.keys()], places, args, (replies) => {
      // Whatever becomes of one, the others hear what became of theirs.
      for (let at = 0; at < batch.length; at++)
        unattended('script', onFailed, () => this.#settle(batch[at] as Append, replies[at]));
      if (replies.length === 0) for (const room of numbers.keys()) onUnknown(room);
    });
  }

  /** `reply`: the answer, behind it the epoch where this is not a repeat; undefined: the outcome is unknown. */
  #settle({ room, draft, rest, outcome }: Append, reply: string | undefined): void {
    if (reply === undefined || reply.startsWith('!')) {
      outcome.settle(reply === undefined ? refuse('unavailable') : refusal<SessionRefusal>(reply));
      return;
    }
    const blank = reply.indexOf(' ');
    const answer = parseAnswer(blank < 0 ? reply : reply.slice(0, blank));
    if (answer === undefined) {
      this.#parts.onMalformed('answer');
      outcome.settle(refuse('unavailable'));
      return;
    }
    try {
      if (blank >= 0 && answer.type !== 'refused') {
        const epoch = reply.slice(blank + 1);
        const record = placed(draft, Number(epoch), answer.seq);
        this.#parts.onAppended(room, record, `${letterOf(draft)} ${epoch} ${answer.seq} ${rest}`);
      }
    } finally {
      outcome.settle(ok(answer));
    }
  }
}

function letterOf({ type }: RecordDraft): 'S' | 'M' {
  return type === 'signal' ? 'S' : 'M';
}

function bySize(appends: readonly Append[]): readonly (readonly Append[])[] {
  const batches: Append[][] = [];
  let last: Append[] = [];
  let chars = Infinity;
  for (const append of appends) {
    if (last.length >= APPENDS_MAX || chars + append.rest.length > CHARS_MAX) {
      last = [];
      chars = 0;
      batches.push(last);
    }
    last.push(append);
    chars += append.rest.length;
  }
  return batches;
}

function byRoom(appends: readonly Append[]): Iterable<readonly Append[]> {
  return Map.groupBy(appends, ({ room }) => room).values();
}
