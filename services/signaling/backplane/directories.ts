import { ok, type Result, refuse } from '../domain/result.ts';
import { type RoomId, roomHome } from '../domain/room-id.ts';
import { compareListed, type Directory, type ListedRoom, type RoomGlance } from './directory.ts';

/** The directories of several homes as one. A home that does not answer leaves its rooms out, and is named. */
export function mergedDirectory(directories: ReadonlyMap<string, Directory>): Directory {
  /** Asks each home that some of the rooms are in about those. */
  async function perHome<Item, Value>(
    items: readonly Item[],
    roomOf: (item: Item) => RoomId,
    ask: (directory: Directory, items: readonly Item[]) => Promise<Result<Value, 'unavailable'>>,
  ) {
    const parts = [...directories].map(([home, directory]) => ({
      directory,
      own: items.filter((item) => roomHome(roomOf(item)) === home),
    }));
    const asked = parts.filter(({ own }) => own.length > 0);
    return Promise.all(asked.map(async ({ directory, own }) => ({ own, answer: await ask(directory, own) })));
  }

  return {
    async report(rooms) {
      const told = await perHome(
        rooms,
        ({ room }) => room,
        (directory, own) => directory.report(own),
      );
      return told.every(({ answer }) => answer.ok) ? ok(undefined) : refuse('unavailable');
    },

    async list(query) {
      const listed = await Promise.all(
        [...directories].map(async ([home, directory]) => ({ home, answer: await directory.list(query) })),
      );
      const silent = listed.flatMap(({ home, answer }) => (answer.ok ? [] : home));
      if (silent.length === directories.size) return refuse('unavailable');
      const pages = listed.flatMap(({ answer }) => (answer.ok ? answer.value : []));
      const rooms = pages.flatMap((page): readonly ListedRoom[] => page.rooms);
      return ok({
        total: pages.reduce((sum, { total }) => sum + total, 0),
        rooms: rooms.toSorted((a, b) => compareListed(query.sort, a, b)).slice(0, query.limit),
        silent,
      });
    },

    async glance(rooms) {
      const seen = new Map<RoomId, RoomGlance | undefined>();
      const answers = await perHome(
        rooms,
        (room) => room,
        (directory, own) => directory.glance(own),
      );
      for (const { own, answer } of answers) {
        if (!answer.ok) return answer;
        own.forEach((room, at) => {
          seen.set(room, answer.value[at]);
        });
      }
      return ok(rooms.map((room) => seen.get(room)));
    },
  };
}
