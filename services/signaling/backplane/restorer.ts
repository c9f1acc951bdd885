import { setTimeout as sleep } from 'node:timers/promises';
import { detachedOf, type Known, restore } from '../domain/restore.ts';
import type { RoomId } from '../domain/room-id.ts';
import { parseRecord } from '../domain/room-record.ts';
import { parseState } from '../domain/room-state.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { Barrier, Contribution, Rebuilds } from './rebuilds.ts';
import type { RoomFeeds } from './room-feeds.ts';
import type { Adopted } from './room-log.ts';

const LOOK_EVERY_MS = 100;
const RETRY_MS = 250;
const ROOMS_AT_ONCE = 32;

export interface RestorerOptions {
  readonly nodeId: string;
  readonly onAdopted: (sessions: readonly Adopted[]) => void;
  /** A life was sealed; `rooms` of them this node handed in or opened. */
  readonly onSealed: (life: string, rooms: number) => void;
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
    rebuilds.onUnsealed = (life) => void this.#run(life);
  }

  close(): void {
    this.#isClosed = true;
  }

  /** What fails is begun again by the next call that meets the life; one that is over is met by none. */
  async #run(life: string): Promise<void> {
    if (this.#running.has(life) || this.#isClosed) return;
    this.#running.add(life);
    if (!(await this.#restore(life))) await sleep(RETRY_MS, undefined, { ref: false });
    this.#running.delete(life);
  }

  /** False: something did not answer. */
  async #restore(life: string): Promise<boolean> {
    const self = { incarnation: this.#keeper.incarnation, nodeId: this.#options.nodeId };
    const entered = await this.#rebuilds.enter(life, self, this.#keeper.neighbours);
    if (!entered.ok) return false;
    let barrier = entered.value;
    // Rule R6: who comes after the seal hands nothing in.
    if (!barrier.isSealed) {
      const handedIn = await this.#handIn(life);
      if (handedIn === undefined || !(await this.#keeper.holdAgain())) return false;
      this.#handedIn.set(life, handedIn);
      const done = await this.#rebuilds.done(life, self.incarnation);
      const sealed = done.ok ? await this.#untilSealed(life, done.value) : undefined;
      if (sealed === undefined) return false;
      barrier = sealed;
    }
    const contributors = new Set(barrier.contributors);
    const rooms = this.#handedIn.get(life) ?? [];
    const opened = await inParts(rooms, (room) => this.#open(room, life, contributors));
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
        const taken = await this.#rebuilds.contribute(room, life, incarnation, { epoch, seq }, contribution);
        if (taken.ok && (taken.value === 'taken' || taken.value === 'known')) waiting.push(room);
        return taken.ok;
      },
    );
    return isDone ? waiting : undefined;
  }

  async #untilSealed(life: string, first: Barrier): Promise<Barrier | undefined> {
    for (let barrier = first; !barrier.isSealed; ) {
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
      if (this.#isClosed) return undefined;
      const looked = await this.#rebuilds.look(life);
      if (!looked.ok) return undefined;
      barrier = looked.value;
      if (barrier.isSealed) return barrier;
    }
    return first;
  }

  async #open(room: RoomId, life: string, contributors: ReadonlySet<string>): Promise<boolean> {
    const remains = await this.#rebuilds.remains(room, life);
    if (!remains.ok || remains.value === undefined) return remains.ok;
    const { left, handedIn } = remains.value;
    const { incarnation } = this.#keeper;
    const sources = [...(left === undefined ? [] : [left]), ...handedIn.map(parseContribution)].map(
      parseKnown,
    );
    const restored = handedIn.length === 0 ? undefined : restore(sources, contributors, incarnation);
    const opened = await this.#rebuilds.open(room, life, restored);
    if (opened.ok && opened.value && restored !== undefined) {
      const detached = detachedOf(restored.state, incarnation);
      this.#options.onAdopted(detached.map((session) => ({ room, ...session })));
    }
    return opened.ok;
  }
}

function parseContribution(text: string): Contribution {
  return JSON.parse(text) as Contribution;
}

function parseKnown({ state, records, trimmed }: Contribution): Known {
  return {
    state: parseState(state),
    trimmed: { ...trimmed, one: new Map(trimmed.one) },
    records: records.map(parseRecord).filter((record) => record !== undefined),
  };
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
