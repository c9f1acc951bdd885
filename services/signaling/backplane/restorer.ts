import { setTimeout as sleep } from 'node:timers/promises';
import { detachedOf, type Known, type Restored, restore } from '../domain/restore.ts';
import type { RoomId } from '../domain/room-id.ts';
import { readRecord } from '../domain/room-record.ts';
import { parseState, readState } from '../domain/room-state.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { OnMalformed } from './malformed.ts';
import { type Barrier, type Contribution, NOTHING_NEWER, type Rebuilds, type Remains } from './rebuilds.ts';
import type { RoomFeeds } from './room-feeds.ts';
import type { Adopted } from './room-log.ts';
import { type OnFailed, unattended } from './tasks.ts';

const LOOK_EVERY_MS = 100;
const RETRY_MS = 250;
const ROOMS_AT_ONCE = 32;

export interface RestorerOptions {
  readonly nodeId: string;
  readonly onAdopted: (sessions: readonly Adopted[]) => void;
  /** What this node knows of the home besides its rooms: whether there is any, and handing it in; false: it was not taken. */
  readonly claims: { isAny(): boolean; handIn(life: string): Promise<boolean> };
  /** A life was sealed; `rooms` of them this node handed in or opened. */
  readonly onSealed: (life: string, rooms: number) => void;
  readonly malformed: OnMalformed;
  readonly failed: OnFailed;
}

/**
 * Restores what a backplane lost, together with the other nodes (rules R1 to R7): whoever meets a life of it that is not
 * sealed hands in the rooms that it hosts, waits until all others have, and opens them.
 */
export class Restorer {
  readonly #rebuilds: Rebuilds;
  readonly #feeds: RoomFeeds;
  readonly #keeper: LeaseKeeper;
  readonly #options: RestorerOptions;
  /** Several at once on a Cluster, where each shard has its own. */
  readonly #running = new Set<string>();
  /** What waits to be opened in each life. */
  readonly #handedIn = new Map<string, RoomId[]>();
  #isClosed = false;

  constructor(rebuilds: Rebuilds, feeds: RoomFeeds, keeper: LeaseKeeper, options: RestorerOptions) {
    this.#rebuilds = rebuilds;
    this.#feeds = feeds;
    this.#keeper = keeper;
    this.#options = options;
    const attend = (action: () => Promise<void>) => unattended('restore', options.failed, action);
    rebuilds.onUnsealed = (life) => attend(() => this.#run(life));
    rebuilds.onUnopened = (room, life) => attend(() => this.#openOne(room, life));
  }

  close(): void {
    this.#isClosed = true;
  }

  /** What fails is begun again by the next call that meets the life; one that is over is met by none. */
  async #run(life: string): Promise<void> {
    if (this.#running.has(life) || this.#isClosed) return;
    this.#running.add(life);
    let isDone = false;
    try {
      isDone = await this.#restore(life);
    } finally {
      if (!isDone) await sleep(RETRY_MS, undefined, { ref: false });
      this.#running.delete(life);
    }
  }

  /** False: something did not answer. */
  async #restore(life: string): Promise<boolean> {
    const { incarnation, neighbours } = this.#keeper;
    const { claims } = this.#options;
    const self = { incarnation, nodeId: this.#options.nodeId, hosts: this.#feeds.size > 0 || claims.isAny() };
    const entered = await this.#rebuilds.enter(life, self, neighbours);
    if (!entered.ok) return false;
    // Rule R6: who comes after the seal hands no rooms in; a name is taken still where nobody has claimed it since.
    if (entered.value.isSealed && !(await claims.handIn(life))) return false;
    if (!entered.value.isSealed) {
      const handedIn = await this.#handIn(life);
      if (handedIn === undefined || !(await claims.handIn(life))) return false;
      if (!(await this.#keeper.holdAgain())) return false;
      this.#handedIn.set(life, handedIn);
      const done = await this.#rebuilds.done(life, self.incarnation);
      if (!done.ok || !(await this.#untilSealed(life, self.incarnation, done.value))) return false;
    }
    const rooms = this.#handedIn.get(life) ?? [];
    const opened = await inParts(rooms, (room) => this.#open(room, life));
    if (!opened) return false;
    this.#handedIn.delete(life);
    this.#rebuilds.seal(life);
    this.#options.onSealed(life, rooms.length);
    await this.#keeper.beat();
    await this.#feeds.resubscribe();
    return true;
  }

  /** Resolves to the rooms that wait to be opened. */
  async #handIn(life: string): Promise<RoomId[] | undefined> {
    const waiting: RoomId[] = [];
    const isDone = await inParts(
      [...this.#feeds.knowledge()],
      async ([room, { epoch, seq, contribution }]) => {
        const { incarnation } = this.#keeper;
        const at = { epoch, seq };
        const taken = await this.#rebuilds.contribute(room, life, incarnation, at, contribution);
        if (taken.ok && taken.value === 'taken') waiting.push(room);
        return taken.ok;
      },
    );
    return isDone ? waiting : undefined;
  }

  async #untilSealed(life: string, incarnation: string, first: Barrier): Promise<boolean> {
    for (let { isSealed } = first; !isSealed; ) {
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
      if (this.#isClosed) return false;
      const looked = await this.#rebuilds.look(life, incarnation);
      if (!looked.ok) return false;
      isSealed = looked.value.isSealed;
    }
    return true;
  }

  /** A room that one of those who handed it in has not opened yet; or died before it could. */
  async #openOne(room: RoomId, life: string): Promise<void> {
    const task = `${life} ${room}`;
    if (this.#running.has(task) || this.#isClosed) return;
    this.#running.add(task);
    try {
      await this.#open(room, life);
    } finally {
      this.#running.delete(task);
    }
  }

  async #open(room: RoomId, life: string): Promise<boolean> {
    const remains = await this.#rebuilds.remains(room, life);
    if (!remains.ok || remains.value === undefined) return remains.ok;
    const { incarnation } = this.#keeper;
    const restored = putTogether(remains.value, incarnation, this.#options.malformed);
    const hasEnded = restored?.state.members.size === 0;
    const opened = await this.#rebuilds.open(room, life, hasEnded ? 'ended' : restored);
    if (opened.ok && opened.value && restored !== undefined) {
      const detached = detachedOf(restored.state, incarnation);
      this.#options.onAdopted(detached.map((session) => ({ room, ...session })));
    }
    return opened.ok;
  }
}

/** Undefined where nobody knew more than what is there. */
function putTogether(
  { left, handedIn }: NonNullable<Remains>,
  adopter: string,
  onMalformed: OnMalformed,
): Restored | undefined {
  const newer = handedIn.filter(({ text }) => text !== NOTHING_NEWER);
  if (newer.length === 0) return undefined;
  const known = newer.map(({ text }) => readKnown(() => JSON.parse(text) as Contribution));
  if (left !== undefined) known.unshift(readKnown(() => left));
  for (const each of known) if (each === undefined) onMalformed('contribution');
  const sources = known.filter((each) => each !== undefined);
  return restore(sources, new Set(handedIn.map(({ by }) => by)), adopter);
}

/** What nobody can read is passed over: the room is what the others know of it. */
function readKnown(read: () => Contribution): Known | undefined {
  try {
    const { state: text, records, trimmed } = read();
    const state = readState(() => parseState(text));
    const one = new Map(trimmed.one);
    const seqs = [trimmed.from, trimmed.everyone, ...one.values()];
    if (state === undefined || !seqs.every((seq) => Number.isSafeInteger(seq))) return undefined;
    return {
      state,
      trimmed: { from: trimmed.from, everyone: trimmed.everyone, one },
      records: records.map(readRecord).filter((record) => record !== undefined),
    };
  } catch {
    return undefined;
  }
}

async function inParts<Item>(
  items: readonly Item[],
  action: (item: Item) => Promise<boolean>,
): Promise<boolean> {
  for (let from = 0; from < items.length; from += ROOMS_AT_ONCE) {
    const done = await Promise.all(items.slice(from, from + ROOMS_AT_ONCE).map(action));
    if (done.includes(false)) return false;
  }
  return true;
}
