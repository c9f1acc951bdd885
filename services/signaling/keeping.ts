import { randomBytes } from 'node:crypto';
import type { Backplane } from './backplane/backplane.ts';
import type { Fact } from './backplane/journal.ts';
import { LeaseKeeper, type LeaseKeeperOptions } from './backplane/lease-keeper.ts';
import { Restorer, type RestorerOptions } from './backplane/restorer.ts';
import type { FeedObserver } from './backplane/room-feed.ts';
import { RoomFeeds, type RoomFeedsOptions } from './backplane/room-feeds.ts';
import { unattended } from './backplane/tasks.ts';
import type { Config } from './config.ts';
import { defaultLogBounds } from './domain/log-bounds.ts';
import type { RoomId } from './domain/room-id.ts';
import type { RoomRecord } from './domain/room-record.ts';
import { failedIn, malformedIn } from './failed.ts';
import { type Absences, absences } from './requests/absences.ts';
import { type Departures, departures } from './requests/departures.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { pathBeyond, relayKind } from './telemetry/relay.ts';

/** What a node is given: assemble.ts makes these, and tests make others. */
export interface NodeParts {
  readonly incarnation: string;
  /** One for each home, as they are configured. */
  readonly backplanes: readonly Backplane[];
  readonly metrics: Metrics;
  readonly log: Log;
  /** By which tokens and TURN credentials tell the time. */
  readonly wallMs: () => number;
}

/** What keeps sessions of one home beyond their connections, and beyond the nodes that held them. */
export interface Keeping {
  readonly keeper: LeaseKeeper;
  readonly feeds: RoomFeeds;
  readonly departures: Departures;
  readonly absences: Absences & { tick(): Promise<void> };
  readonly restorer: Restorer;
}

export interface KeepingEvents extends Pick<LeaseKeeperOptions, 'load' | 'onBeat' | 'onSwept'> {
  /** A fact for operators. */
  readonly note: (fact: Fact) => void;
  /** A change of a room that this process appended: each once, in the room's order but for joins. */
  readonly onOwnRecord: (room: RoomId, record: RoomRecord, peersLeft: number | undefined) => void;
  /** The backplane has begun another life. */
  readonly onLost: () => void;
  readonly claims: RestorerOptions['claims'];
}

/** What the parts of one home are made of. */
export interface HomeParts extends Omit<NodeParts, 'backplanes'> {
  readonly backplane: Backplane;
  /** Whether it is the home of this node's region. */
  readonly isLocal: boolean;
}

export function openKeeping(config: Config, parts: HomeParts, on: KeepingEvents): Keeping {
  const keeper = openKeeper(config, parts, {
    ...on,
    onSwept: () => {
      away.forgetAll();
      on.onSwept();
    },
    onAdopted: (sessions) => away.adopt(sessions),
  });
  const failed = failedIn(parts);
  const feeds = openFeeds(config, parts, keeper, on, (session) =>
    unattended('departures', failed, () => away.begin(session)),
  );
  const owed = departures(failed);
  const away = openAbsences(config, parts, { feeds, departures: owed, keeper });
  const restorer = openRestorer(config, parts, { feeds, keeper, absences: away }, on);
  return { keeper, feeds, departures: owed, absences: away, restorer };
}

function openKeeper(
  config: Config,
  { backplane, metrics, log }: HomeParts,
  on: KeepingEvents & Pick<LeaseKeeperOptions, 'onAdopted'>,
): LeaseKeeper {
  return new LeaseKeeper(backplane.leases, {
    nodeId: config.nodeId,
    newIncarnation: () => randomBytes(9).toString('base64url'),
    nowMs: () => performance.now(),
    load: on.load,
    onBeat: on.onBeat,
    onSwept: () => {
      const { home } = backplane;
      metrics.backplane.leasesLost.inc({ home });
      log.warn({ event: 'taken_for_dead', home });
      on.note({ event: 'taken_for_dead', home });
      on.onSwept();
    },
    onAdopted: on.onAdopted,
    failed: failedIn({ metrics, log }),
    onNamesakes: (count) => {
      const { home } = backplane;
      if (count > 0) log.warn({ event: 'node_id_shared', home, others: count });
      else log.info({ event: 'node_id_unshared', home });
    },
    onSweep: (dead, sessions) => {
      metrics.backplane.sessionsSwept.inc(sessions);
      log.warn({ event: 'node_swept', node: dead.nodeId, sessions });
      on.note({ event: 'node_swept', swept: dead.nodeId, sessions });
    },
  });
}

function openFeeds(
  config: Config,
  { backplane, metrics, log, incarnation, isLocal }: HomeParts,
  keeper: LeaseKeeper,
  on: Pick<KeepingEvents, 'onOwnRecord'>,
  onStray: RoomFeedsOptions['onStray'],
): RoomFeeds {
  const { backplane: counts, messages } = metrics;
  const home = isLocal ? 'near' : 'far';
  const observer: FeedObserver = {
    applied(record, hadListener, room, state) {
      if (record.origin !== incarnation) return;
      if (record.type !== 'signal' && record.type !== 'message')
        return on.onOwnRecord(room, record, state?.members.size);
      const seconds = Math.max(0, performance.now() - record.originMs) / 1_000;
      const path = hadListener ? 'local' : pathBeyond(record, state, config.region);
      messages.relayDuration.observe({ path, kind: relayKind(record), home }, seconds);
    },
    duplicate: () => counts.duplicates.inc(),
    repaired: (records) => counts.repaired.inc(records),
    resynced: () => counts.resyncs.inc(),
    malformed: malformedIn({ metrics, log }),
    failed: failedIn({ metrics, log }),
  };
  const { rooms, doorbell } = backplane;
  return new RoomFeeds({
    rooms,
    doorbell,
    holds: keeper,
    bounds: defaultLogBounds(config.resumeWindowMs),
    observer,
    owner: () => keeper.incarnation,
    onStray,
  });
}

function openAbsences(
  config: Config,
  { backplane, log }: HomeParts,
  keeping: Pick<Keeping, 'feeds' | 'keeper' | 'departures'>,
) {
  const { feeds, keeper, departures } = keeping;
  return absences({
    rooms: backplane.rooms,
    feeds,
    departures,
    owner: () => keeper.incarnation,
    resumeWindowMs: config.resumeWindowMs,
    livedMs: () => keeper.livedMs,
    onExpired: (room, peer) => log.info({ event: 'peer_gone', room, peer, reason: 'expired' }),
  });
}

function openRestorer(
  config: Config,
  { backplane, metrics, log }: HomeParts,
  { feeds, keeper, absences }: Pick<Keeping, 'feeds' | 'keeper' | 'absences'>,
  on: Pick<KeepingEvents, 'note' | 'onLost' | 'claims'>,
): Restorer {
  return new Restorer(backplane.rebuilds, feeds, keeper, {
    nodeId: config.nodeId,
    claims: on.claims,
    onAdopted: (sessions) => absences.adopt(sessions),
    malformed: malformedIn({ metrics, log }),
    failed: failedIn({ metrics, log }),
    onSealed: (life, rooms) => {
      const fact = { event: 'home_sealed', home: backplane.home, life, rooms };
      metrics.backplane.rebuilds.inc();
      log.info(fact);
      on.note(fact);
      on.onLost();
    },
  });
}
