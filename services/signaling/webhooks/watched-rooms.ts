import type { RoomFeeds } from '../backplane/room-feeds.ts';
import type { RoomLog } from '../backplane/room-log.ts';
import type { RoomId } from '../domain/room-id.ts';

/** A record rings at once, and one whose ring was lost is found within five seconds (rule D2). */
const SEEN_WITHIN_MS = 6_000;

/**
 * Sees to it that this node's feeds apply what this node appends: of rooms that it hosts no more until what its last
 * sessions left behind has come, and of rooms that it never hosted while an operator changes them.
 */
export class WatchedRooms {
  readonly #feeds: () => readonly RoomFeeds[];
  readonly #homeOf: (room: RoomId) => WatchedHome;
  readonly #kept = new Map<HostedRoom, Kept>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #nowMs: () => number;

  constructor(feeds: () => readonly RoomFeeds[], homeOf: (room: RoomId) => WatchedHome, nowMs: () => number) {
    this.#feeds = feeds;
    this.#homeOf = homeOf;
    this.#nowMs = nowMs;
  }

  /** To be called every second. */
  tick(): void {
    const nowMs = this.#nowMs();
    const hosted = new Set(this.#feeds().flatMap((feeds) => [...feeds.hosted()]));
    for (const room of hosted) {
      const kept = this.#kept.get(room);
      if (kept === undefined) this.#kept.set(room, { release: room.keep(), usedAtMs: nowMs });
      else if (room.uses > 1) kept.usedAtMs = nowMs;
    }
    for (const [room, kept] of this.#kept) {
      if (hosted.has(room) && nowMs - kept.usedAtMs < SEEN_WITHIN_MS) continue;
      kept.release();
      this.#kept.delete(room);
    }
  }

  /** Does something to a room from whose records nothing is missed here, and goes on watching for a while. */
  async during<Value>(room: RoomId, action: () => Promise<Value>): Promise<Value> {
    const leave = await this.#watch(room);
    try {
      return await action();
    } finally {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        leave();
      }, SEEN_WITHIN_MS);
      this.#timers.add(timer.unref());
    }
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { release } of this.#kept.values()) release();
    this.#kept.clear();
  }

  /** A seat of nobody's: its feed goes on from the room as it is now. */
  async #watch(room: RoomId): Promise<() => void> {
    const { feeds, backplane } = this.#homeOf(room);
    const seat = await feeds.collect(room, NOBODY);
    if (seat === undefined) return () => {};
    const read = await backplane.rooms.snapshot(room);
    if (read.ok && read.value !== undefined) {
      const { epoch, seq } = read.value;
      seat.start({ epoch, seq, generation: 0, record: '' });
    }
    return () => seat.leave();
  }
}

/** Of a home, what its rooms are watched through. */
interface WatchedHome {
  readonly feeds: RoomFeeds;
  readonly backplane: { readonly rooms: Pick<RoomLog, 'snapshot'> };
}

type HostedRoom = ReturnType<RoomFeeds['hosted']> extends Iterable<infer Room> ? Room : never;

interface Kept {
  readonly release: () => void;
  /** By anything else than this. */
  usedAtMs: number;
}

const NOBODY = {
  peer: '-' as Parameters<RoomFeeds['collect']>[1]['peer'],
  deliver: () => {},
  resync: () => {},
  left: () => {},
  removed: () => {},
  replaced: () => {},
  lost: () => {},
};
