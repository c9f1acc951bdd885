import { parseRoomAddress, type RoomAddress } from '@fenghuo/protocol';

/** A room and the home that holds it: `name@home`. Neither part can contain an `@`. */
export type RoomId = string & { readonly __brand: 'RoomId' };

export function roomId(name: string, home: string): RoomId {
  return `${name}@${home}` as RoomId;
}

export function roomName(room: RoomId): string {
  return room.slice(0, room.lastIndexOf('@'));
}

export function roomHome(room: RoomId): string {
  return room.slice(room.lastIndexOf('@') + 1);
}

/** A room of that home, by what the backplane holds as its name; undefined where that is none. */
export function readRoomId(text: string, home: string): RoomId | undefined {
  return parseRoomAddress(text)?.home === home ? (text as RoomId) : undefined;
}

/** The room that an address means by itself; undefined where it names no configured home, or none of several. */
export function resolveRoom({ name, home }: RoomAddress, homes: readonly string[]): RoomId | undefined {
  if (home !== undefined) return homes.includes(home) ? roomId(name, home) : undefined;
  const [only, another] = homes;
  return only !== undefined && another === undefined ? roomId(name, only) : undefined;
}
