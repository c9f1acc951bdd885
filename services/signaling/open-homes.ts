import { BEAT_MS, type Order } from './backplane/leases.ts';
import { RoomLocator } from './backplane/room-locator.ts';
import type { Config } from './config.ts';
import { cutOff } from './cut-off.ts';
import { DRAIN_STEP_MS } from './domain/drain.ts';
import { localHome } from './domain/homes.ts';
import { every } from './every.ts';
import { failedIn } from './failed.ts';
import { type HomeKeeping, type Homes, homesOf } from './homes.ts';
import { type NodeParts, openKeeping } from './keeping.ts';
import type { Operations } from './operations.ts';
import type { Gateway } from './sockets/gateway.ts';

/** Every room's turn comes within four seconds (rule D2). */
const ATTEST_EVERY_MS = 250;
const ATTEST_SHARE = 1 / 16;
const ABSENCES_EVERY_MS = 250;
const CLAIMS_EVERY_MS = 1_000;

/** Each home for itself: none waits for what another one does not answer. */
export function openHomes(
  config: Config,
  parts: NodeParts,
  operations: Operations,
  on: { readonly onLocalBeat: (order: Order | undefined) => void; readonly onSwept: (home: string) => void },
): Homes {
  const names = parts.backplanes.map(({ home }) => home);
  const local = localHome(config.region, names);
  const opened: HomeKeeping[] = parts.backplanes.map((backplane) => {
    const { home } = backplane;
    const isLocal = home === local;
    const keeping = openKeeping(
      config,
      { ...parts, backplane, isLocal },
      {
        load: () => operations.load(isLocal),
        note: (fact) => operations.note(fact),
        onOwnRecord: (room, record, peersLeft) => operations.onOwnRecord(room, record, peersLeft),
        onLost: () => operations.lost(home),
        onBeat: (order) => isLocal && on.onLocalBeat(order),
        onSwept: () => on.onSwept(home),
        claims: {
          isAny: () => locator.claimsAt(home).length > 0,
          handIn: (life) => locator.handIn(home, life),
        },
      },
    );
    return { ...keeping, backplane };
  });
  const locator: RoomLocator = new RoomLocator({
    homes: opened.map(({ backplane, feeds }) => ({
      home: backplane.home,
      claims: backplane.claims,
      feeds,
      answers: () => backplane.health().answers,
    })),
    local,
    onAsked: (outcome) => parts.metrics.backplane.claims.inc({ outcome }),
  });
  return homesOf(opened, local, locator);
}

/** What is done again and again for the homes, each by itself. */
export function tendHomes(
  config: Config,
  parts: NodeParts,
  homes: Homes,
  gateway: Gateway,
): NodeJS.Timeout[] {
  return [
    ...homes.all.flatMap((home) => tend(config, parts, home, homes, gateway)),
    every(CLAIMS_EVERY_MS, 'claims', () => homes.locator.tend(), failedIn(parts)),
  ];
}

function tend(
  config: Config,
  { metrics, log }: NodeParts,
  home: HomeKeeping,
  homes: Homes,
  gateway: Gateway,
): NodeJS.Timeout[] {
  const { keeper, feeds, absences, backplane } = home;
  const failed = failedIn({ metrics, log });
  const timers = [
    every(ATTEST_EVERY_MS, 'attest', () => feeds.attest(ATTEST_SHARE), failed),
    every(BEAT_MS, 'beat', () => keeper.beat(), failed),
    every(ABSENCES_EVERY_MS, 'absences', () => absences.tick(), failed),
  ];
  // Where the local home is away, the node is not ready, and nodes that are will not reach it, either.
  if (home === homes.local) return timers;
  const step = cutOff({
    home: backplane.home,
    resumeWindowMs: config.resumeWindowMs,
    nowMs: () => performance.now(),
    chance: Math.random,
    connections: () => gateway.connections,
    isOverdue: () => keeper.isOverdue,
    onTold: () => metrics.connections.goAways.inc({ reason: 'rebalance' }),
    onChange: (isCutOff) => log.warn({ event: 'home_cut_off', home: backplane.home, isCutOff }),
  });
  return [...timers, every(DRAIN_STEP_MS, 'moves', step, failed)];
}
