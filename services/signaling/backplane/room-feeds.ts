import type { LogBounds } from '../domain/log-bounds.ts';
import type { RoomId } from '../domain/room-id.ts';
import { KeptRecords } from './kept-records.ts';
import { type FeedObserver, type FeedParts, type Holds, RoomFeed } from './room-feed.ts';
import type { Doorbell, RoomLog } from './room-log.ts';
import type { Listener, Seat } from './room-seat.ts';
import { unattended } from './tasks.ts';

const RESUBSCRIBE_AT_ONCE = 64;

export interface RoomFeedsOptions {
  readonly rooms: RoomLog;
  readonly doorbell: Doorbell;
  readonly holds: Holds;
  readonly bounds: LogBounds;
  readonly observer: FeedObserver;
  readonly owner: () => string;
  readonly onStray: FeedParts['onStray'];
}

/** Every room that this node hosts, each delivered in order and without gaps (rules D2 and D3). */
export class RoomFeeds {
  readonly #feeds = new Map<RoomId, RoomFeed>();
  readonly #parts: FeedParts;
  #rotation: RoomId[] = [];

  constructor(options: RoomFeedsOptions) {
    this.#parts = { ...options, kept: new KeptRecords(), drop: (room) => this.#feeds.delete(room) };
    options.doorbell.onRing = (room, record, text) => {
      const feed = this.#feeds.get(room);
      // Letting the room go was not heard.
      if (feed === undefined) options.doorbell.unsubscribe(room);
      else feed.ring(record, text);
    };
    options.doorbell.onDoubt = (room) => this.#feeds.get(room)?.doubt();
    options.doorbell.onReset = () => unattended('feed', options.observer.failed, () => this.resubscribe());
  }

  get size(): number {
    return this.#feeds.size;
  }

  /** Takes a seat in a room whose doorbell is confirmed; undefined where it cannot be now. */
  collect(room: RoomId, listener: Listener): Promise<Seat | undefined> {
    return this.#feed(room).collect(listener);
  }

  /** Hosts a room without a seat in it, until the returned function is called (rule R7). */
  keep(room: RoomId): () => void {
    return this.#feed(room).keep();
  }

  /** Listens to a room that may be joined next, until the returned function is called. */
  warm(room: RoomId): () => void {
    return this.#feed(room).warm();
  }

  /** Every room that is hosted now. */
  hosted(): Iterable<Pick<RoomFeed, 'uses' | 'keep' | 'size' | 'tail'>> {
    return this.#feeds.values();
  }

  /** How many peers a room has; undefined where it is not hosted, or its state was not read yet. */
  sizeOf(room: RoomId): number | undefined {
    return this.#feeds.get(room)?.size;
  }

  /** The rooms whose state was read, with the number of their peers. */
  *sizes(): Generator<[RoomId, number]> {
    for (const [room, { size }] of this.#feeds) if (size !== undefined && size > 0) yield [room, size];
  }

  /** What this node knows of the rooms that it hosts. */
  *knowledge(): Generator<[RoomId, RoomFeed['knowledge']]> {
    for (const [room, feed] of this.#feeds) yield [room, feed.knowledge];
  }

  /**
   * Compares the heads of a share of the rooms with what was delivered: a lost last doorbell shows no gap.
   * Called so often that every room's turn comes within five seconds.
   */
  async attest(share: number): Promise<void> {
    if (this.#rotation.length === 0) this.#rotation = [...this.#feeds.keys()];
    const part = this.#rotation.splice(0, Math.max(1, Math.ceil(this.#feeds.size * share)));
    // A node is rung for what it attests.
    const rooms = part.filter((room) => this.#feeds.has(room));
    const before = rooms.map((room) => this.#feeds.get(room)?.position);
    const heads = await this.#parts.rooms.attest(rooms);
    if (!heads.ok) return;
    rooms.forEach((room, index) => {
      const head = heads.value[index];
      if (head !== 'unavailable') this.#feeds.get(room)?.compare(head?.epoch, head?.head ?? 0, before[index]);
    });
  }

  /** Subscribes to every room anew, and reads what was missed. */
  async resubscribe(): Promise<void> {
    const feeds = [...this.#feeds.values()];
    for (let from = 0; from < feeds.length; from += RESUBSCRIBE_AT_ONCE) {
      await Promise.all(feeds.slice(from, from + RESUBSCRIBE_AT_ONCE).map((feed) => feed.resubscribe()));
    }
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close();
  }

  #feed(room: RoomId): RoomFeed {
    const known = this.#feeds.get(room);
    if (known !== undefined) return known;
    const feed = new RoomFeed(room, this.#parts);
    this.#feeds.set(room, feed);
    return feed;
  }
}
