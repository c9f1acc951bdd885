import { setTimeout as sleep } from 'node:timers/promises';

import type { Crowd } from './crowd.ts';
import { pick, type Random, shuffled } from './random.ts';
import { checkRosters, PROBE, type RosterCheck, type RosterView } from './roster-check.ts';
import { type PeerObserver, SimulatedPeer } from './simulated-peer.ts';

/** What was left once everybody had time to come to rest. */
export interface Rest {
  readonly rosters: RosterCheck;
  readonly unsettled: readonly string[];
}

/** Where fresh clients find the nodes. */
export interface Reachable {
  readonly nodes: readonly { readonly endpoint: string }[];
}

const REST_MS = 25_000;
const ROSTERS_MS = 15_000;
/** What comes late comes twice: a doubled delivery may follow when all seems done. */
const LATE_MS = 1_500;
const POLL_MS = 100;
const PROBED_ROOMS_MAX = 40;
const LEAVES_AT_ONCE = 50;
const PROBE_MS = 10_000;

/**
 * Waits until every request is answered and everything accepted has arrived, holds all rosters against the truth,
 * has fresh clients look at the rooms, lets everyone leave, and has them look again.
 */
export async function bringToRest(
  crowd: Crowd,
  cluster: Reachable,
  random: Random,
  signal: AbortSignal,
): Promise<Rest> {
  const unsettled = await untilQuiet(crowd, signal);
  await sleep(LATE_MS);
  let rosters = await untilTrue(() => checkRosters(views(crowd), living(crowd)), signal);
  const rooms = shuffled(random, [...crowd.rooms.keys()]).slice(0, PROBED_ROOMS_MAX);
  const probe = () => probeRooms(rooms, cluster, random, unsettled);
  rosters = added(rosters, checkRosters(await probe(), living(crowd)));
  signal.throwIfAborted();
  await leaveAll(crowd);
  rosters = added(rosters, checkRosters(await probe(), new Map()));
  return { rosters, unsettled };
}

async function untilQuiet(crowd: Crowd, signal: AbortSignal): Promise<string[]> {
  const deadline = performance.now() + REST_MS;
  for (;;) {
    signal.throwIfAborted();
    const left = unrest(crowd);
    if (left.length === 0) return [];
    if (performance.now() > deadline) return left;
    await sleep(POLL_MS);
  }
}

function unrest(crowd: Crowd): string[] {
  const without = crowd.peers.filter((peer) => !peer.isLive).length;
  const named = (count: number, what: string) => (count === 0 ? [] : [`${count} ${what}`]);
  const left = [
    ...named(without, 'clients without a connection at rest'),
    ...named(crowd.backlog, 'requests without an answer at rest'),
    ...named(crowd.owed, 'events that a resume promised and that never came'),
  ];
  // The ledger is the long one to ask, and says by itself what was lost.
  return left.length === 0 && crowd.ledger.outstanding > 0 ? ['signals still on their way at rest'] : left;
}

async function untilTrue(check: () => RosterCheck, signal: AbortSignal): Promise<RosterCheck> {
  const deadline = performance.now() + ROSTERS_MS;
  for (;;) {
    signal.throwIfAborted();
    const found = check();
    if (found.ghosts + found.missing + found.detached === 0 || performance.now() > deadline) return found;
    await sleep(POLL_MS);
  }
}

function living(crowd: Crowd): Map<string, Set<string>> {
  const rooms = new Map<string, Set<string>>();
  for (const [room, peers] of crowd.rooms) {
    rooms.set(room, new Set(peers.flatMap(({ session }) => (session === undefined ? [] : [session.id]))));
  }
  return rooms;
}

function views(crowd: Crowd): RosterView[] {
  return crowd.peers.flatMap(({ session }) =>
    session === undefined
      ? []
      : [{ who: session.id, room: session.room, roster: [...session.roster.values()], self: session.id }],
  );
}

/** Joins each room by some node, and leaves it again. */
async function probeRooms(
  rooms: readonly string[],
  cluster: Reachable,
  random: Random,
  unsettled: string[],
): Promise<RosterView[]> {
  const endpoints = cluster.nodes.map((node) => node.endpoint);
  const seen: RosterView[] = [];
  for (const room of rooms) {
    const first = pick(random, endpoints);
    const others = endpoints.filter((endpoint) => endpoint !== first);
    const probe = new SimulatedPeer({
      name: PROBE,
      room,
      endpoints: [first, ...others],
      random,
      observer: QUIET,
    });
    await Promise.race([probe.start(), sleep(PROBE_MS, undefined, { ref: false })]);
    const { session } = probe;
    if (session === undefined) unsettled.push(`nobody can join ${room} at rest`);
    else seen.push({ who: PROBE, room, roster: [...session.roster.values()] });
    await probe.leave();
  }
  return seen;
}

async function leaveAll(crowd: Crowd): Promise<void> {
  const left = [...crowd.peers];
  const lane = async () => {
    for (let peer = left.shift(); peer !== undefined; peer = left.shift()) await peer.leave();
  };
  await Promise.all(Array.from({ length: LEAVES_AT_ONCE }, lane));
}

function added(one: RosterCheck, other: RosterCheck): RosterCheck {
  return {
    ghosts: one.ghosts + other.ghosts,
    missing: one.missing + other.missing,
    detached: one.detached + other.detached,
    examples: [...one.examples, ...other.examples],
  };
}

const QUIET: PeerObserver = {
  joined() {},
  heard() {},
  resumed() {},
  replaced() {},
  cutOff() {},
  withheld() {},
  ended() {},
  odd() {},
};
