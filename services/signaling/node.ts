import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { BEAT_MS } from './backplane/leases.ts';
import type { Config } from './config.ts';
import { noteDelay, type Pace, startPace } from './domain/pace.ts';
import { Drain } from './drain.ts';
import { watchEventLoop } from './event-loop.ts';
import { clientsServer } from './http/clients.ts';
import { operatorsServer } from './http/operators.ts';
import { type Keeping, type NodeParts, openKeeping } from './keeping.ts';
import { OPERATIONS_EVERY_MS, type Operations, openOperations } from './operations.ts';
import { readinessOf } from './readiness.ts';
import { rebalance } from './rebalance.ts';
import { iceRouteOptions, requestContext } from './request-context.ts';
import { tokenExpiry } from './requests/token-expiry.ts';
import { type Gateway, type GatewayOptions, openGateway } from './sockets/gateway.ts';
import { VERSION } from './telemetry/build.ts';
import type { Log } from './telemetry/log.ts';
import { type TokenVerifier, tokenVerifier } from './tokens/verifier.ts';
import type { Vitals } from './vitals.ts';

export interface RunningNode {
  readonly clientsPort: number;
  readonly operatorsPort: number;
  /**
   * Admits nobody any more and sends the clients to other nodes. Resolves once they are gone: within DRAIN_MS, or at
   * once where there is nobody to go to, or `stop` is called.
   */
  drain(): Promise<void>;
  /** Closes the clients that are left, hands their sessions over, and closes everything, in this order. */
  stop(): Promise<void>;
}

const PAGE_ROOT = fileURLToPath(new URL('../web/dist', import.meta.url));
/** Every room's turn comes within four seconds (rule D2). */
const ATTEST_EVERY_MS = 250;
const ATTEST_SHARE = 1 / 16;
const ABSENCES_EVERY_MS = 250;
const EXPIRED_EVERY_MS = 1_000;
const DEPARTURES_WAIT_MS = 2_000;

/** Starts a node: it serves once the promise resolves, and is ready once its backplane answers. */
export async function startNode(config: Config, parts: NodeParts): Promise<RunningNode> {
  const { backplane, log } = parts;
  const tokens = openTokens(config, parts);
  const clients = await clientsServer({
    pageRoot: PAGE_ROOT,
    trustProxy: config.clients.trustProxy,
    ice: iceRouteOptions(config, parts, tokens?.verify),
  });
  const operations = openOperations(config, parts, () => ({ keeping, gateway, drain, isAdmitting }));
  const keeping = openKeeping(config, parts, {
    load: () => operations.load(),
    note: (fact) => operations.note(fact),
    onOwnRecord: (room, record, peersLeft) => operations.onOwnRecord(room, record, peersLeft),
    onLost: () => operations.lost(),
    onBeat: (order) => {
      drain.follow(order);
      balance();
    },
    onSwept: () => gateway.dropAll('session_lost'),
  });
  const { keeper } = keeping;
  const pace = startPace(performance.now());
  const context = requestContext(config, parts, keeping, tokens?.verify);
  const gateway: Gateway = openGateway(
    clients.server as HttpServer,
    context,
    gatewayOptions(config, parts, {
      isDraining: () => drain.isDraining,
      pace,
      verifyToken: tokens?.verify,
      vitals: operations.vitals,
    }),
  );
  const endExpired = tokenExpiry(context, () => parts.metrics.tokens.expired.inc());
  // Where sockets are still open, fastify's own close would wait for them for ever.
  clients.addHook('preClose', () => gateway.close());
  const drain = openDrain(config, parts, keeping, gateway, operations);
  const balance = openRebalance(parts, keeping, gateway, drain);
  const isAdmitting = () => !drain.isDraining && gateway.connections.size < config.connectionsMax;
  const operators = operatorsServer({
    registry: parts.metrics.registry,
    ...readinessOf(config, parts, keeping, { gateway, drain, operations }),
    admin: operations.admin,
    pageRoot: PAGE_ROOT,
  });
  const eventLoop = watchEventLoop((delayMs) => {
    parts.metrics.process.eventLoopDelay.observe(delayMs / 1_000);
    noteDelay(pace, delayMs, performance.now());
    operations.vitals.delayed(delayMs);
    parts.metrics.connections.pace.set(pace.perSecond);
  });
  const timers = [
    every(ATTEST_EVERY_MS, () => keeping.feeds.attest(ATTEST_SHARE), log),
    every(BEAT_MS, () => keeper.beat(), log),
    every(ABSENCES_EVERY_MS, () => keeping.absences.tick(), log),
    every(OPERATIONS_EVERY_MS, () => operations.tick(), log),
    every(EXPIRED_EVERY_MS, () => endExpired(gateway.connections), log),
  ];

  async function stop(): Promise<void> {
    log.info({ event: 'node_stopping', connections: gateway.connections.size });
    drain.close();
    gateway.dropAll('shutdown');
    await clients.close();
    await keeping.departures.settled(DEPARTURES_WAIT_MS);
    for (const timer of timers) clearInterval(timer);
    eventLoop.close();
    tokens?.close();
    keeping.restorer.close();
    operations.note({ event: 'node_stopped' });
    await operations.close();
    await keeper.end();
    keeping.departures.close();
    keeping.feeds.close();
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
  operations.note({ event: 'node_started', version: VERSION, region: config.region });
  return {
    clientsPort,
    operatorsPort,
    drain() {
      const done = drain.finish();
      // The others learn at once that nobody can be sent here.
      void keeper.beat();
      return done;
    },
    stop,
  };
}

/** Does something at once, and then again and again. */
function every(periodMs: number, action: () => Promise<void>, log: Log): NodeJS.Timeout {
  const run = () => {
    action().catch((error) => log.error({ event: 'periodic_task_failed', err: error }));
  };
  run();
  return setInterval(run, periodMs);
}

function openDrain(
  config: Config,
  { metrics, log }: NodeParts,
  { keeper }: Keeping,
  { connections }: Gateway,
  { note }: Operations,
): Drain {
  return new Drain({
    drainMs: config.drainMs,
    nowMs: () => performance.now(),
    chance: Math.random,
    connections,
    hasElsewhere: () => keeper.living.some((lease) => lease.load?.isAdmitting),
    onTold: () => metrics.connections.goAways.inc({ reason: 'drain' }),
    onChange: (event, clients) => {
      log.info({ event, clients });
      note({ event, clients });
    },
  });
}

function openRebalance(
  { metrics, log }: NodeParts,
  { keeper }: Keeping,
  { connections }: Gateway,
  drain: Drain,
): () => void {
  return rebalance({
    nowMs: () => performance.now(),
    chance: Math.random,
    connections,
    isDraining: () => drain.isDraining,
    others: () => keeper.living.flatMap(({ load }) => load ?? []),
    onTold: () => metrics.connections.goAways.inc({ reason: 'rebalance' }),
    onChange: (isShedding, clients) => log.info({ event: 'rebalance', isShedding, clients }),
  });
}

function gatewayOptions(
  config: Config,
  { backplane, metrics, log }: NodeParts,
  {
    isDraining,
    pace,
    verifyToken,
    vitals,
  }: Pick<GatewayOptions['admission'], 'isDraining' | 'verifyToken'> & {
    readonly pace: Pace;
    readonly vitals: Vitals;
  },
): GatewayOptions {
  return {
    messageBytesMax: config.messageBytesMax,
    resumeWindowMs: config.resumeWindowMs,
    adapter: backplane.adapter,
    admission: {
      allowedOrigins: config.allowedOrigins,
      connectionsMax: config.connectionsMax,
      verifyToken,
      isDraining,
    },
    isBehindProxy: config.clients.trustProxy,
    pace,
    answered: (type, outcome, seconds) => {
      metrics.messages.messages.inc({ type, outcome });
      if (type === 'join' && outcome === 'ok') metrics.rooms.joinDuration.observe(seconds);
      if (type === 'resume' && outcome === 'ok') metrics.rooms.resumeDuration.observe(seconds);
      vitals.answered();
    },
    failed: (request, error) => log.error({ event: 'request_failed', request, err: error }),
    observer: {
      refused: (code) => metrics.connections.refused.inc({ code }),
      opened: () => metrics.connections.opened.inc(),
      closed: (reason) => metrics.connections.closed.inc({ reason }),
      dropped: (reason) => metrics.connections.dropped.inc({ reason }),
    },
  };
}

/** Undefined: the cluster is open, and tokens count for nothing. */
function openTokens({ tokens }: Config, { metrics, log, wallMs }: NodeParts): TokenVerifier | undefined {
  if (tokens === undefined) return undefined;
  return tokenVerifier(tokens, {
    wallMs,
    onRefused: (reason) => metrics.tokens.refused.inc({ reason }),
    onFetched: (problem) => {
      metrics.tokens.keysFetched.inc({ outcome: problem === undefined ? 'ok' : 'failed' });
      if (problem !== undefined) log.warn({ event: 'jwks_fetch_failed', reason: problem });
    },
  });
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
