/** How many connections a node holds. */
export interface Capacity {
  /** In rooms. */
  readonly connections: number;
  /** In no room: on their way to one, and those that never go. */
  readonly unjoined: number;
  /** Both, and the few that are just told that there is no place. */
  readonly sockets: number;
}

/** Besides clients: listeners, Redis, webhooks, files that are served. */
export const FILES_BESIDES = 200;
const UNJOINED_SHARE = 1 / 4;
const UNJOINED_MIN = 16;

/** `filesMax`: what the process may have open; undefined: nobody says so. */
export function capacityOf(connectionsMax: number, filesMax = Number.POSITIVE_INFINITY): Capacity {
  const socketsMax = Math.max(filesMax - FILES_BESIDES, 1);
  const connections = Math.max(Math.min(connectionsMax, Math.floor(socketsMax / (1 + UNJOINED_SHARE))), 1);
  const unjoined = Math.max(Math.ceil(connections * UNJOINED_SHARE), UNJOINED_MIN);
  return { connections, unjoined, sockets: Math.min(connections + unjoined, socketsMax) };
}

/** Somebody in no room. */
export interface Waiting {
  /** Since when, on a monotonic clock. */
  readonly sinceMs: number;
}

/** Within this time a client that means to join has joined. */
const JOINS_SOON_MS = 5_000;

/**
 * Who of those in no room goes for one more: the one that waits longest of the network from which most come. Where that is the
 * newcomer's own, and nobody of it has waited for long, it is the newcomer: a crowd behind one address does not push itself out.
 * In each group of `waiting` the one that has waited longest is first.
 */
export function whoGoes<Network, Place extends Waiting>(
  waiting: ReadonlyMap<Network, ReadonlySet<Place>>,
  newcomer: Place & { readonly network: Network },
  nowMs: number,
): Place {
  let [crowd, most] = [newcomer.network, 0];
  for (const [network, { size }] of waiting)
    if (size > most || (size === most && crowd === newcomer.network)) [crowd, most] = [network, size];
  const [first = newcomer] = waiting.get(crowd) ?? [];
  return crowd === newcomer.network && nowMs - first.sinceMs < JOINS_SOON_MS ? newcomer : first;
}
