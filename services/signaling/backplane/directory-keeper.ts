import type { RoomId } from '../domain/room-id.ts';
import type { Directory, ListedRoom } from './directory.ts';

/** How often a node tells what changed, and within how many times it tells of every room again. */
export const REPORT_EVERY_MS = 1_000;
const TOLD_AGAIN_WITHIN = 30;

/**
 * Tells the directory of the rooms that this node hosts: what changed, and by and by everything again, so that a backplane
 * which lost it gets it back. Of rooms that it hosts no more it looks once how they are: the last session may have been its own.
 */
export class DirectoryKeeper {
  readonly #directory: Directory;
  readonly #hosted: () => Iterable<readonly [RoomId, number]>;
  readonly #onOver: (rooms: readonly RoomId[]) => void;
  readonly #told = new Map<RoomId, number>();
  /** Rooms that were hosted here, and that nobody looked after yet. */
  readonly #departed = new Set<RoomId>();
  #turn = 0;
  #telling: Promise<void> | undefined;

  /**
   * `hosted`: the rooms of this node whose size it knows, with that size. `onOver`: rooms that were hosted here, and that
   * nobody is in any more.
   */
  constructor(
    directory: Directory,
    hosted: () => Iterable<readonly [RoomId, number]>,
    onOver: (rooms: readonly RoomId[]) => void = () => {},
  ) {
    this.#directory = directory;
    this.#hosted = hosted;
    this.#onOver = onOver;
  }

  /** The backplane has lost what was told: all of it is due again. */
  forget(): void {
    this.#told.clear();
  }

  /** To be called every REPORT_EVERY_MS; one that is still under way is not doubled. */
  tell(): Promise<void> {
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined;
    });
    return this.#telling;
  }

  async #tell(): Promise<void> {
    const hosted = new Map(this.#hosted());
    for (const room of this.#told.keys()) if (!hosted.has(room)) this.#departed.add(room);
    for (const room of this.#departed) this.#told.delete(room);
    this.#turn = (this.#turn + 1) % TOLD_AGAIN_WITHIN;
    const due: ListedRoom[] = [];
    let at = 0;
    for (const [room, size] of hosted)
      if (this.#told.get(room) !== size || at++ % TOLD_AGAIN_WITHIN === this.#turn) due.push({ room, size });
    const departed = [...this.#departed].slice(0, LOOKED_AT_ONCE);
    if (due.length > 0 && (await this.#directory.report(due)).ok)
      for (const { room, size } of due) this.#told.set(room, size);
    if (departed.length > 0) await this.#lookAfter(departed);
  }

  async #lookAfter(departed: readonly RoomId[]): Promise<void> {
    const seen = await this.#directory.glance(departed);
    if (!seen.ok) return;
    const sizes = departed.map((room, at) => ({ room, size: seen.value[at]?.peers ?? 0 }));
    this.#onOver(sizes.flatMap(({ room, size }) => (size === 0 ? room : [])));
    if (!(await this.#directory.report(sizes)).ok) return;
    for (const room of departed) this.#departed.delete(room);
  }
}

const LOOKED_AT_ONCE = 512;
