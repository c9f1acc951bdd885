import { ok, type Result } from '../domain/result.ts';
import { type RoomId, roomName } from '../domain/room-id.ts';
import type { Directory, ListedRoom, RoomGlance, RoomSort } from './directory.ts';

export interface ListingQuery {
  /** A part of the name, in any case of letters; empty: all rooms. */
  readonly filter: string;
  readonly sort: RoomSort;
  readonly limit: number;
  readonly after: ListedRoom | undefined;
}

export interface Listing {
  readonly rooms: readonly (RoomGlance & { readonly room: RoomId })[];
  /** Of the whole directory, whatever the filter. */
  readonly total: number;
  /** Homes that did not answer, and whose rooms are missing. */
  readonly silent: readonly string[];
  /** Where the next page goes on; undefined: there is none. */
  readonly next: ListedRoom | undefined;
}

/** So many rooms are looked at for one page of those that match. */
const SCANNED_MAX = 5_000;
const SCANNED_AT_ONCE = 500;

/**
 * A page of the cluster's rooms. May hold fewer than the limit, or none, and still not be the last: where few rooms match
 * the filter, and where rooms had ended, which are then dropped from the directory.
 */
export async function listRooms(
  directory: Directory,
  query: ListingQuery,
): Promise<Result<Listing, 'unavailable'>> {
  const found = await find(directory, query);
  if (!found.ok) return found;
  const { matching, total, silent, next } = found.value;
  const seen = await directory.glance(matching.map(({ room }) => room));
  if (!seen.ok) return seen;
  const gone = matching.filter((_, at) => seen.value[at] === undefined);
  if (gone.length > 0) void directory.report(gone.map(({ room }) => ({ room, size: 0 })));
  const rooms = matching.flatMap(({ room }, at) => {
    const glance = seen.value[at];
    return glance === undefined ? [] : { room, ...glance };
  });
  return ok({ rooms, total, silent, next });
}

async function find(directory: Directory, { filter, sort, limit, after }: ListingQuery) {
  const matching: ListedRoom[] = [];
  const part = filter.toLowerCase();
  let last = after;
  for (let scanned = 0; ; ) {
    const atOnce = part === '' ? limit : SCANNED_AT_ONCE;
    const listed = await directory.list({ sort, after: last, limit: atOnce });
    if (!listed.ok) return listed;
    const { total, rooms, silent = [] } = listed.value;
    for (const each of rooms) {
      last = each;
      if (roomName(each.room).toLowerCase().includes(part)) matching.push(each);
      if (matching.length === limit) break;
    }
    scanned += rooms.length;
    const isRead = rooms.length < atOnce && last === (rooms.at(-1) ?? last);
    if (isRead || matching.length === limit || scanned >= SCANNED_MAX)
      return ok({ matching, total, silent, next: isRead ? undefined : last });
  }
}
