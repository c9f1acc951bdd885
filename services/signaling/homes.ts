import type { Backplane } from './backplane/backplane.ts';
import type { Lease, Leases } from './backplane/leases.ts';
import type { RoomLocator } from './backplane/room-locator.ts';
import type { RoomLog } from './backplane/room-log.ts';
import { localHome } from './domain/homes.ts';
import { refuse } from './domain/result.ts';
import { type RoomId, roomHome } from './domain/room-id.ts';
import type { Keeping } from './keeping.ts';

/** One home, and what keeps this node's sessions there. */
export interface HomeKeeping extends Keeping {
  readonly backplane: Backplane;
}

/** Every home that this node knows: each stands for itself, so that one that is away takes nothing else along. */
export interface Homes {
  /** As they are configured. */
  readonly names: readonly string[];
  /** That of this node's region, by which it is ready or not. */
  readonly local: HomeKeeping;
  /** In the same order. */
  readonly opened: readonly HomeKeeping[];
  /** The local one first. */
  readonly all: readonly HomeKeeping[];
  readonly locator: RoomLocator;
  of(room: RoomId): HomeKeeping;
  /** How many rooms this node hosts. */
  readonly rooms: number;
}

export function homesOf(opened: readonly HomeKeeping[], localName: string, locator: RoomLocator): Homes {
  const byName = new Map(opened.map((each) => [each.backplane.home, each]));
  const local = byName.get(localName);
  if (local === undefined) throw new Error(`no home named ${localName}`);
  const all = [local, ...opened.filter((each) => each !== local)];
  return {
    names: [...byName.keys()],
    opened,
    local,
    all,
    locator,
    of: (room) => {
      const home = byName.get(roomHome(room));
      // Names of rooms are checked where they come in.
      if (home === undefined) throw new Error('a room of a home that is not configured');
      return home;
    },
    get rooms() {
      return all.reduce((sum, { feeds }) => sum + feeds.size, 0);
    },
  };
}

/** Leaves an order where its node reads it: in the home that is local to it. */
export function orderIn(homes: Homes): Leases['order'] {
  return async (nodeId, order) => {
    const lease = standingOf(homes)?.find((each) => each.nodeId === nodeId);
    const region = lease?.load?.report?.region;
    const read = region === undefined ? undefined : localHome(region, homes.names);
    let refusal: 'node_not_found' | 'unavailable' = 'node_not_found';
    for (const { backplane } of homes.all) {
      if (read !== undefined && backplane.home !== read) continue;
      const ordered = await backplane.leases.order(nodeId, order);
      if (ordered.ok) return ordered;
      if (ordered.code === 'unavailable') refusal = 'unavailable';
    }
    return refuse(refusal);
  };
}

/** What operators may do to rooms, wherever they are. */
export function roomsOf(homes: () => Homes): Pick<RoomLog, 'snapshot' | 'intervene' | 'send'> {
  const rooms = (room: RoomId) => homes().of(room).backplane.rooms;
  return {
    snapshot: (room) => rooms(room).snapshot(room),
    intervene: (room, order) => rooms(room).intervene(room, order),
    send: (room, message) => rooms(room).send(room, message),
  };
}

/** The leases of all nodes, each as the nearest home that knows it has it; undefined where none was heard lately. */
export function standingOf({ all }: Homes): readonly Lease[] | undefined {
  const seen = all.map(({ keeper }) => keeper.standing);
  if (seen.every((leases) => leases === undefined)) return undefined;
  return merged(seen.map((leases) => leases ?? []));
}

/** The other nodes that have beaten lately, in whichever home. */
export function livingOf({ all }: Homes): readonly Lease[] {
  return merged(all.map(({ keeper }) => keeper.living));
}

function merged(byHome: readonly (readonly Lease[])[]): readonly Lease[] {
  const known = new Set<string>();
  return byHome.flatMap((leases) => {
    const news = leases.filter(({ nodeId }) => !known.has(nodeId));
    for (const { nodeId } of news) known.add(nodeId);
    return news;
  });
}
