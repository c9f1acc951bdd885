import type { RoomId } from '../domain/room-id.ts';

/** What is to be posted. */
export interface Parcel {
  readonly id: string;
  readonly room: RoomId;
  readonly epoch: number;
  readonly seq: number;
  readonly body: string;
}

export interface OutboxOptions {
  /** Resolves to what was wrong; undefined: it was taken. Never rejects. */
  readonly post: (parcel: Parcel) => Promise<string | undefined>;
  /** How long to wait before each further try. */
  readonly retryAfterMs: readonly number[];
  readonly parcelsMax: number;
  readonly bytesMax: number;
  readonly atOnceMax: number;
  readonly onDone: (outcome: 'delivered' | 'failed' | 'dropped', parcel: Parcel, problem?: string) => void;
}

/**
 * Posts parcels, those of one room in their order and one after the other, those of several rooms at once. What is not
 * taken is tried again a few times; meanwhile its room waits. Over its bounds the oldest are dropped.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #lanes = new Map<RoomId, Lane>();
  /** Rooms whose first parcel may be posted now. */
  readonly #ready: RoomId[] = [];
  /** All that wait, the oldest first. */
  readonly #waiting = new Set<Parcel>();
  #bytes = 0;
  #underWay = 0;
  #isClosed = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How many are not delivered yet, nor given up. */
  get size(): number {
    return this.#waiting.size;
  }

  push(parcel: Parcel): void {
    this.#waiting.add(parcel);
    this.#bytes += parcel.body.length;
    if (this.#isClosed) this.#finish(parcel, 'dropped');
    else this.#enqueue(parcel);
  }

  /** Takes no more; waits for what is there, up to a time, and drops the rest. */
  async close(withinMs: number): Promise<void> {
    this.#isClosed = true;
    if (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        this.#onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const lane of this.#lanes.values()) clearTimeout(lane.timer);
    this.#lanes.clear();
    for (const parcel of [...this.#waiting]) this.#finish(parcel, 'dropped');
  }

  #enqueue(parcel: Parcel): void {
    const lane = this.#lanes.get(parcel.room);
    if (lane === undefined) {
      this.#lanes.set(parcel.room, { parcels: [parcel], tries: 0, isBusy: false, timer: undefined });
      this.#ready.push(parcel.room);
    } else insert(lane, parcel);
    this.#keepBounds();
    // Whatever comes in the same turn is in its order before anything is posted.
    setImmediate(() => this.#pump());
  }

  #pump(): void {
    while (this.#underWay < this.#options.atOnceMax) {
      const room = this.#ready.shift();
      if (room === undefined) return;
      const lane = this.#lanes.get(room);
      const [parcel] = lane?.parcels ?? [];
      if (lane === undefined || parcel === undefined) continue;
      if (!lane.isBusy && lane.timer === undefined) void this.#post(lane, parcel);
    }
  }

  async #post(lane: Lane, parcel: Parcel): Promise<void> {
    lane.isBusy = true;
    this.#underWay++;
    const problem = await this.#options.post(parcel);
    this.#underWay--;
    lane.isBusy = false;
    lane.tries++;
    const retryAfterMs = this.#options.retryAfterMs[lane.tries - 1];
    // Dropped meanwhile, as one of the oldest: the one behind it has its own tries.
    const isStillFirst = lane.parcels[0] === parcel;
    if (!this.#waiting.has(parcel)) this.#goOn(lane, parcel.room, isStillFirst);
    else if (problem === undefined) this.#settle(lane, parcel, 'delivered');
    else if (retryAfterMs === undefined) this.#settle(lane, parcel, 'failed', problem);
    else this.#wait(lane, parcel.room, retryAfterMs);
    this.#pump();
  }

  #wait(lane: Lane, room: RoomId, ms: number): void {
    if (!this.#lanes.has(room)) return;
    // Those whose receiver was away do not come back together.
    lane.timer = setTimeout(() => this.#turn(lane, room), ms * (0.8 + Math.random() * 0.4));
    lane.timer.unref();
  }

  #turn(lane: Lane, room: RoomId): void {
    lane.timer = undefined;
    this.#ready.push(room);
    this.#pump();
  }

  #settle(lane: Lane, parcel: Parcel, outcome: 'delivered' | 'failed', problem?: string): void {
    this.#finish(parcel, outcome, problem);
    this.#goOn(lane, parcel.room, true);
  }

  #goOn(lane: Lane, room: RoomId, isFirstDone: boolean): void {
    if (isFirstDone) lane.parcels.shift();
    lane.tries = 0;
    if (lane.parcels.length === 0) this.#lanes.delete(room);
    else this.#ready.push(room);
  }

  #finish(parcel: Parcel, outcome: 'delivered' | 'failed' | 'dropped', problem?: string): void {
    if (!this.#waiting.delete(parcel)) return;
    this.#bytes -= parcel.body.length;
    this.#options.onDone(outcome, parcel, problem);
    if (this.#waiting.size === 0) this.#onEmpty?.();
  }

  #keepBounds(): void {
    const { parcelsMax, bytesMax } = this.#options;
    for (const oldest of this.#waiting) {
      if (this.#waiting.size <= parcelsMax && this.#bytes <= bytesMax) return;
      this.#drop(oldest);
    }
  }

  #drop(parcel: Parcel): void {
    const lane = this.#lanes.get(parcel.room);
    this.#finish(parcel, 'dropped');
    if (lane === undefined) return;
    const isFirst = lane.parcels[0] === parcel;
    // One that is under way is taken out when it returns.
    if (isFirst && lane.isBusy) return;
    lane.parcels.splice(lane.parcels.indexOf(parcel), 1);
    if (!isFirst) return;
    lane.tries = 0;
    if (lane.parcels.length === 0) {
      clearTimeout(lane.timer);
      this.#lanes.delete(parcel.room);
    } else if (lane.timer !== undefined) {
      clearTimeout(lane.timer);
      this.#turn(lane, parcel.room);
    }
  }
}

/** The parcels of one room, in the order of its log. */
interface Lane {
  readonly parcels: Parcel[];
  /** Of the first. */
  tries: number;
  /** The first is under way. */
  isBusy: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Behind all that happened before it; what is under way stays first. */
function insert({ parcels, isBusy, tries }: Lane, parcel: Parcel): void {
  const isEarlier = (each: Parcel) =>
    parcel.epoch < each.epoch || (parcel.epoch === each.epoch && parcel.seq < each.seq);
  const fixed = isBusy || tries > 0 ? 1 : 0;
  let at = parcels.length;
  while (at > fixed && isEarlier(parcels[at - 1] as Parcel)) at--;
  parcels.splice(at, 0, parcel);
}
