import { createHash, randomBytes } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { PeerId } from '@fenghuo/protocol';
import type { FastifyInstance } from 'fastify';
import type { Backplane } from './backplane/backplane.ts';
import { LeaseKeeper, type LeaseKeeperOptions } from './backplane/lease-keeper.ts';
import { BEAT_MS } from './backplane/leases.ts';
import { Restorer } from './backplane/restorer.ts';
import type { FeedObserver } from './backplane/room-feed.ts';
import { RoomFeeds } from './backplane/room-feeds.ts';
import type { Config } from './config.ts';
import { defaultLogBounds } from './domain/log-bounds.ts';
import { clientsServer } from './http/clients.ts';
import { type Check, operatorsServer } from './http/operators.ts';
import { type Absences, absences } from './requests/absences.ts';
import type { RequestContext } from './requests/context.ts';
import { type Departures, departures } from './requests/departures.ts';
import { failedTries } from './requests/failed-tries.ts';
import { type Gateway, type GatewayOptions, openGateway } from './sockets/gateway.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** What a node is given: main.ts makes these, and tests make others. */
export interface NodeParts {
  readonly incarnation: string;
  readonly backplane: Backplane;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface RunningNode {
  readonly clientsPort: number;
  readonly operatorsPort: number;
  /** Stops admitting, sends the clients away, ends their sessions, and closes everything, in this order. */
  stop(): Promise<void>;
}

const PAGE_ROOT = fileURLToPath(new URL('../web/dist', import.meta.url));
/** Every room's turn comes within four seconds (rule D2). */
const ATTEST_EVERY_MS = 250;
const ATTEST_SHARE = 1 / 16;
const ABSENCES_EVERY_MS = 250;
const DEPARTURES_WAIT_MS = 2_000;

/** Starts a node: it serves once the promise resolves, and is ready once its backplane answers. */
export async function startNode(config: Config, parts: NodeParts): Promise<RunningNode> {
  const { backplane, log } = parts;
  const stage: Stage = { isDraining: false, isStarted: false };
  const keeper = openKeeper(config, parts, {
    onSwept: () => {
      away.forgetAll();
      gateway.dropAll('session_lost');
    },
    onAdopted: (sessions) => away.adopt(sessions),
  });
  const feeds = openFeeds(config, parts, keeper);
  const owed = departures();
  const away = openAbsences(config, parts, { feeds, departures: owed, keeper });
  const restorer = openRestorer(config, parts, { feeds, keeper, absences: away });
  const context = requestContext(config, parts, { feeds, keeper, departures: owed, absences: away });
  const clients = await clientsServer({ pageRoot: PAGE_ROOT, trustProxy: config.clients.trustProxy });
  const gateway = openGateway(clients.server as HttpServer, context, gatewayOptions(config, parts, stage));
  // Where sockets are still open, fastify's own close would wait for them for ever.
  clients.addHook('preClose', () => gateway.close());
  const checks = () => readiness(config, backplane, keeper, gateway, stage);
  const operators = operatorsServer({
    registry: parts.metrics.registry,
    checks,
    isStarted: () => {
      stage.isStarted ||= Object.values(checks()).every((check) => check.ok);
      return stage.isStarted;
    },
    refresh: () => refreshGauges(parts, context, gateway, keeper),
  });
  const timers = [
    every(ATTEST_EVERY_MS, () => feeds.attest(ATTEST_SHARE), log),
    every(BEAT_MS, () => keeper.beat(), log),
    every(ABSENCES_EVERY_MS, () => away.tick(), log),
  ];

  async function stop(): Promise<void> {
    stage.isDraining = true;
    log.info({ event: 'node_stopping', connections: gateway.connections });
    gateway.dropAll('shutdown');
    await clients.close();
    await context.departures.settled(DEPARTURES_WAIT_MS);
    for (const timer of timers) clearInterval(timer);
    restorer.close();
    await keeper.end();
    context.departures.close();
    feeds.close();
    await operators.close();
    await backplane.close();
    log.info({ event: 'node_stopped' });
  }

  try {
    await listen(clients, config.clients, 'PORT');
    await listen(operators, config.operators, 'OPS_PORT');
  } catch (error) {
    await stop();
    throw error;
  }
  const clientsPort = (clients.server.address() as AddressInfo).port;
  const operatorsPort = (operators.server.address() as AddressInfo).port;
  log.info({ event: 'node_started', clientsPort, operatorsPort, backplane: backplane.kind });
  return { clientsPort, operatorsPort, stop };
}

/** How far a node is in its life. */
interface Stage {
  isDraining: boolean;
  /** It was ready once. */
  isStarted: boolean;
}

/** Does something at once, and then again and again. */
function every(periodMs: number, action: () => Promise<void>, log: Log): NodeJS.Timeout {
  const run = () => {
    action().catch((error) => log.error({ event: 'periodic_task_failed', err: error }));
  };
  run();
  return setInterval(run, periodMs);
}

function openKeeper(
  config: Config,
  { backplane, metrics, log }: NodeParts,
  on: Pick<LeaseKeeperOptions, 'onSwept' | 'onAdopted'>,
): LeaseKeeper {
  return new LeaseKeeper(backplane.leases, {
    nodeId: config.nodeId,
    newIncarnation: () => randomBytes(9).toString('base64url'),
    nowMs: () => performance.now(),
    onSwept: () => {
      log.warn({ event: 'taken_for_dead' });
      on.onSwept();
    },
    onAdopted: on.onAdopted,
    onSweep: (dead, sessions) => {
      metrics.backplane.sessionsSwept.inc(sessions);
      log.warn({ event: 'node_swept', node: dead.nodeId, sessions });
    },
  });
}

function gatewayOptions(
  config: Config,
  { backplane, metrics, log }: NodeParts,
  stage: Stage,
): GatewayOptions {
  return {
    messageBytesMax: config.messageBytesMax,
    resumeWindowMs: config.resumeWindowMs,
    adapter: backplane.adapter,
    admission: {
      allowedOrigins: config.allowedOrigins,
      connectionsMax: config.connectionsMax,
      isDraining: () => stage.isDraining,
    },
    answered: (type, outcome) => metrics.messages.messages.inc({ type, outcome }),
    failed: (request, error) => log.error({ event: 'request_failed', request, err: error }),
    observer: {
      refused: (code) => metrics.connections.refused.inc({ code }),
      dropped: (reason) => metrics.connections.dropped.inc({ reason }),
    },
  };
}

function readiness(
  config: Config,
  backplane: Backplane,
  keeper: LeaseKeeper,
  gateway: Gateway,
  stage: Stage,
): Record<string, Check> {
  const { answers, isSealed, rings, problem } = backplane.health();
  const why = problem === undefined ? {} : { problem };
  return {
    backplane_answers: { ok: answers, ...(answers ? {} : why) },
    backplane_rings: { ok: rings, ...(rings ? {} : why) },
    home_sealed: { ok: isSealed },
    lease_taken: { ok: keeper.isTaken },
    not_draining: { ok: !stage.isDraining },
    below_connections_max: { ok: gateway.connections < config.connectionsMax },
  };
}

/** Brings the gauges up to now, before a scrape. */
function refreshGauges(
  { backplane, metrics }: NodeParts,
  context: RequestContext,
  gateway: Gateway,
  keeper: LeaseKeeper,
): void {
  const { answers, rings } = backplane.health();
  metrics.connections.connections.set(gateway.connections);
  metrics.rooms.rooms.set(context.feeds.size);
  metrics.rooms.peers.set(gateway.peers);
  metrics.backplane.redisUp.set(answers && rings ? 1 : 0);
  metrics.backplane.nodesSeen.set(keeper.nodesSeen);
  metrics.backplane.departuresOwed.set(context.departures.owed);
  metrics.rooms.absent.set(context.absences.size);
}

async function listen(
  server: FastifyInstance,
  at: { host: string; port: number },
  setting: string,
): Promise<void> {
  try {
    await server.listen(at);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(
      `port ${at.port} (${setting}) is in use: stop what listens there, or set ${setting} to a free one`,
    );
  }
}

function requestContext(
  config: Config,
  parts: NodeParts,
  { feeds, keeper, departures, absences }: SessionKeeping & { readonly absences: Absences },
): RequestContext {
  const { backplane, metrics } = parts;
  const { slowDown } = failedTries(() => performance.now());
  const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
  return {
    location: { node: config.nodeId, region: config.region },
    get incarnation() {
      return keeper.incarnation;
    },
    homes: backplane.homes,
    rooms: backplane.rooms,
    feeds,
    departures,
    absences,
    departuresMax: 2 * config.connectionsMax,
    roomPeersMax: config.roomPeersMax,
    resumeWindowMs: config.resumeWindowMs,
    iceServers: config.stunUrls.length === 0 ? [] : [{ urls: [...config.stunUrls] }],
    log: (fact) => parts.log.info(fact),
    awake: () => (keeper.isOverdue ? keeper.beat() : undefined),
    resumed: (outcome, missed) => {
      metrics.rooms.resumes.inc({ outcome });
      metrics.rooms.replayed.inc(missed);
    },
    slowDown: (address) => {
      metrics.rooms.resumes.inc({ outcome: 'unknown_token' });
      return slowDown(address);
    },
    nowMs: () => performance.now(),
    newPeerId: () => randomBytes(12).toString('base64url') as PeerId,
    newSecret: () => randomBytes(32).toString('base64url'),
    peerIdFrom: (text) => digest(`peer ${text}`).slice(0, 16) as PeerId,
    hash: digest,
  };
}

/** What keeps sessions alive beyond their connections. */
interface SessionKeeping {
  readonly feeds: RoomFeeds;
  readonly keeper: LeaseKeeper;
  readonly departures: Departures;
}

function openAbsences(config: Config, { backplane, log }: NodeParts, keeping: SessionKeeping) {
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
  { backplane, metrics, log }: NodeParts,
  { feeds, keeper, absences }: { feeds: RoomFeeds; keeper: LeaseKeeper; absences: Absences },
): Restorer {
  return new Restorer(backplane.rebuilds, feeds, keeper, {
    nodeId: config.nodeId,
    onAdopted: (sessions) => absences.adopt(sessions),
    onSealed: (life, rooms) => {
      metrics.backplane.rebuilds.inc();
      log.info({ event: 'home_sealed', life, rooms });
    },
  });
}

function openFeeds(
  config: Config,
  { backplane, metrics, incarnation }: NodeParts,
  keeper: LeaseKeeper,
): RoomFeeds {
  const { backplane: counts, messages } = metrics;
  const observer: FeedObserver = {
    applied(record, hadListener) {
      if (record.origin !== incarnation || (record.type !== 'signal' && record.type !== 'message')) return;
      const seconds = Math.max(0, performance.now() - record.originMs) / 1_000;
      messages.relayDuration.observe({ path: hadListener ? 'local' : 'node' }, seconds);
    },
    duplicate: () => counts.duplicates.inc(),
    repaired: (records) => counts.repaired.inc(records),
    resynced: () => counts.resyncs.inc(),
  };
  const { rooms, doorbell } = backplane;
  return new RoomFeeds({
    rooms,
    doorbell,
    holds: keeper,
    bounds: defaultLogBounds(config.resumeWindowMs),
    observer,
  });
}
