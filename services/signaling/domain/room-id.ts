import type { RoomAddress } from '@fenghuo/protocol';

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

/** The room a client means; undefined where it names a home that is not configured. */
export function resolveRoom(address: RoomAddress, homes: readonly string[]): RoomId | undefined {
  const home = address.home ?? homes[0];
  return home !== undefined && homes.includes(home) ? roomId(address.name, home) : undefined;
}
