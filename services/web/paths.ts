import type { Peer, Room } from '@fenghuo/client';

/** Where one is, as one's node says. */
export interface Place {
  readonly node: string;
  readonly region: string;
}

/** Which way signals take to another person: `local` through one node, `region` through two of one region, or `across`. */
export type Path = 'local' | 'region' | 'across';

export function pathTo({ node, region }: Pick<Peer, 'node' | 'region'>, here: Place | undefined): Path {
  if (node === here?.node) return 'local';
  return region === here?.region ? 'region' : 'across';
}

/** The home of a cluster that has only one, in no region in particular. */
const ONLY_HOME = 'main';

/** The region that holds the room, where that is another one than one's own: each signal goes through it. */
export function homeElsewhere(
  room: Pick<Room, 'home'> | undefined,
  here: Place | undefined,
): string | undefined {
  if (room === undefined || here === undefined || room.home === ONLY_HOME) return undefined;
  return room.home === here.region ? undefined : room.home;
}
