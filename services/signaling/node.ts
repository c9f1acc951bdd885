import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import type { Backplane, SocketAdapter } from './backplane/backplane.ts';
import type { Load } from './backplane/leases.ts';
import type { Config } from './config.ts';
import { isPrivate, type Network } from './domain/address.ts';
import { capacityOf } from './domain/capacity.ts';
import { noteDelay, startPace } from './domain/pace.ts';
import { Drain } from './drain.ts';
import { watchEventLoop } from './event-loop.ts';
import { every } from './every.ts';
import { failedIn } from './failed.ts';
import { type Homes, livingOf, standingOf } from './homes.ts';
import { clientsServer } from './http/clients.ts';
import { hostRefusal } from './http/hosts.ts';
import type { WhereFrom } from './http/limits.ts';
import { operatorsServer } from './http/operators.ts';
import type { NodeParts } from './keeping.ts';
import { clientsHosts, operatorsHosts } from './known-hosts.ts';
import { openFilesMax } from './open-files.ts';
import { openHomes, tendHomes } from './open-homes.ts';
import { OPERATIONS_EVERY_MS, type Operations, openOperations } from './operations.ts';
import { readinessOf } from './readiness.ts';
import { rebalance } from './rebalance.ts';
import { iceRouteOptions, regionsRouteOptions, requestContext } from './request-context.ts';
import { failedTries } from './requests/failed-tries.ts';
import { Senders } from './requests/sender.ts';
import { tokenExpiry } from './requests/token-expiry.ts';
import { verifyFrom } from './requests/verify-from.ts';
import { type Gateway, type GatewayOptions, openGateway } from './sockets/gateway.ts';
import { homesAdapter } from './sockets/homes-adapter.ts';
import { Places } from './sockets/places.ts';
import { VERSION } from './telemetry/build.ts';
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
/** Of a connection that is gone already. */
const NOWHERE = 'nowhere' as Network;
const EXPIRED_EVERY_MS = 1_000;
const DEPARTURES_WAIT_MS = 2_000;
/**
 * How many wait at the port until the event loop has time for them; Linux holds at most net.core.somaxconn, 4,096. With
 * Node's 511 the others of a storm are not heard, and knock again a second later (RFC 6298, 2).
 */
const NEWCOMERS_WAITING_MAX = 4_096;

/** Starts a node: it serves once the promise resolves, and is ready once its backplane answers. */
export async function startNode(config: Config, parts: NodeParts): Promise<RunningNode> {
  const { backplanes, log } = parts;
  const tokens = openTokens(config, parts);
  const senders = openSenders(config, log);
  const tries = failedTries(() => performance.now());
  const verifyToken = tokens && verifyFrom(tokens.verify, senders, tries);
  const { hostsRefused } = parts.metrics.connections;
  const hosts = {
    known: clientsHosts(config),
    onRefused: (request: IncomingMessage) => {
      hostsRefused.inc({ port: 'clients' });
      // Before any limit is asked: a flood of these is one of handshakes.
      senders.oweAt(places.of(request)?.network, { handshakes: 1 });
    },
  };
  const whereFrom: WhereFrom = (request) => places.of(request)?.network ?? NOWHERE;
  const clients = await clientsServer({
    pageRoot: PAGE_ROOT,
    hosts,
    whereFrom,
    senders,
    onOdd: (socket) => senders.oweAt(places.at(socket)?.network, { handshakes: 1 }),
    ice: { ...iceRouteOptions(config, parts, verifyToken), whereFrom },
    regions: regionsRouteOptions(config, () => standingOf(homes)),
  });
  const places = openPlaces(config, clients.server as HttpServer, senders);
  const operations = openOperations(config, parts, () => ({ homes, gateway, drain, isAdmitting }));
  const homes: Homes = openHomes(config, parts, operations, {
    onLocalBeat: (order) => {
      drain.follow(order);
      balance();
    },
    onSwept: (home) => gateway.dropAll('session_lost', home),
  });
  const pace = startPace(performance.now());
  const context = requestContext(config, parts, homes, { verifyToken: tokens?.verify, ...tries });
  const gateway: Gateway = openGateway(
    clients.server as HttpServer,
    context,
    gatewayOptions(config, parts, {
      admission: {
        allowedOrigins: config.allowedOrigins,
        verifyToken,
        places,
        isDraining: () => drain.isDraining,
      },
      places,
      senders,
      pace,
      hostRefusal: (request) => hostRefusal(request, hosts),
      vitals: operations.vitals,
    }),
  );
  const endExpired = tokenExpiry(context, () => parts.metrics.tokens.expired.inc());
  // Where sockets are still open, fastify's own close would wait for them for ever.
  clients.addHook('preClose', () => gateway.close());
  const drain = openDrain(config, parts, homes, gateway, operations);
  const balance = openRebalance(config, parts, homes, gateway, drain);
  const isAdmitting = () => !drain.isDraining && !places.isFull;
  const operators = operatorsServer({
    registry: parts.metrics.registry,
    ...readinessOf(config, parts, homes, { gateway, drain, operations }),
    admin: operations.admin,
    pageRoot: PAGE_ROOT,
    hosts: { known: operatorsHosts(config), onRefused: () => hostsRefused.inc({ port: 'operators' }) },
  });
  const eventLoop = watchEventLoop((delayMs) => {
    parts.metrics.process.eventLoopDelay.observe(delayMs / 1_000);
    noteDelay(pace, delayMs, performance.now());
    operations.vitals.delayed(delayMs);
    parts.metrics.connections.pace.set(pace.perSecond);
  });
  const timers = [
    ...tendHomes(config, parts, homes, gateway),
    every(OPERATIONS_EVERY_MS, 'operations', () => operations.tick(), failedIn(parts)),
    every(EXPIRED_EVERY_MS, 'expiry', () => endExpired(gateway.connections), failedIn(parts)),
  ];

  async function stop(): Promise<void> {
    log.info({ event: 'node_stopping', connections: gateway.connections.size });
    drain.close();
    gateway.dropAll('shutdown');
    await clients.close();
    await Promise.all(homes.all.map(({ departures }) => departures.settled(DEPARTURES_WAIT_MS)));
    for (const timer of timers) clearInterval(timer);
    eventLoop.close();
    tokens?.close();
    for (const { restorer } of homes.all) restorer.close();
    operations.note({ event: 'node_stopped' });
    await operations.close();
    await Promise.all(homes.all.map(({ keeper }) => keeper.end()));
    for (const { departures, feeds } of homes.all) {
      departures.close();
      feeds.close();
    }
    await operators.close();
    await Promise.all(backplanes.map((backplane) => backplane.close()));
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
  log.info({ event: 'node_started', clientsPort, operatorsPort, backplane: homes.local.backplane.kind });
  operations.note({ event: 'node_started', version: VERSION, region: config.region });
  return {
    clientsPort,
    operatorsPort,
    drain() {
      const done = drain.finish();
      // The others learn at once that nobody can be sent here.
      for (const { keeper } of homes.all) void keeper.beat();
      return done;
    },
    stop,
  };
}

function openDrain(
  config: Config,
  { metrics, log }: NodeParts,
  homes: Homes,
  { connections }: Gateway,
  { note }: Operations,
): Drain {
  return new Drain({
    drainMs: config.drainMs,
    nowMs: () => performance.now(),
    chance: Math.random,
    connections,
    hasElsewhere: () => livingOf(homes).some((lease) => lease.load?.isAdmitting),
    onTold: () => metrics.connections.goAways.inc({ reason: 'drain' }),
    onChange: (event, clients) => {
      log.info({ event, clients });
      note({ event, clients });
    },
  });
}

function openRebalance(
  config: Config,
  { metrics, log }: NodeParts,
  homes: Homes,
  { connections }: Gateway,
  drain: Drain,
): () => void {
  return rebalance({
    nowMs: () => performance.now(),
    chance: Math.random,
    connections,
    isDraining: () => drain.isDraining,
    // Nobody is sent to another region for balance's sake; where nodes do not say, or share one home, all count.
    others: () =>
      homes.local.keeper.living.flatMap(({ load }) =>
        load !== undefined && isNear(load, config, homes) ? load : [],
      ),
    onTold: () => metrics.connections.goAways.inc({ reason: 'rebalance' }),
    onChange: (isShedding, clients) => log.info({ event: 'rebalance', isShedding, clients }),
  });
}

function isNear({ report }: Load, { region }: Config, { names }: Homes): boolean {
  return names.length === 1 || report?.region === undefined || report.region === region;
}

function gatewayOptions(
  config: Config,
  { backplanes, metrics, log }: NodeParts,
  {
    vitals,
    ...given
  }: Pick<GatewayOptions, 'admission' | 'places' | 'senders' | 'pace' | 'hostRefusal'> & {
    readonly vitals: Vitals;
  },
): GatewayOptions {
  return {
    messageBytesMax: config.messageBytesMax,
    resumeWindowMs: config.resumeWindowMs,
    adapter: adapterOf(backplanes),
    ...given,
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

const LIMITED_TOLD_EVERY_MS = 60_000;

/** A private address that is over its limit is likely that of a proxy, which nobody told the node of. */
function openSenders(config: Config, log: NodeParts['log']): Senders {
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return new Senders({
    ...config,
    nowMs: () => performance.now(),
    onAddressLimited: (network) => {
      if (performance.now() - toldAtMs < LIMITED_TOLD_EVERY_MS) return;
      toldAtMs = performance.now();
      const cure = isPrivate(network) && !config.clients.trustProxy ? 'TRUST_PROXY' : 'ADDRESS_PEERS_MAX';
      log.warn({ event: 'address_limited', setting: cure });
    },
  });
}

function openPlaces(
  { connectionsMax, joinWithinMs, clients }: Config,
  server: HttpServer,
  senders: Senders,
): Places {
  return new Places(server, {
    capacity: capacityOf(connectionsMax, openFilesMax()),
    joinWithinMs,
    isBehindProxy: clients.trustProxy,
    isFlooding: (network) => senders.isFlooding(network),
    onViolation: (network) => senders.violatedAt(network),
    nowMs: () => performance.now(),
  });
}

/** Where there is one home, its adapter needs no other over it, which would keep every socket's rooms a second time. */
function adapterOf(backplanes: readonly Backplane[]): SocketAdapter {
  const [only, another] = backplanes;
  if (only !== undefined && another === undefined) return only.adapter;
  return homesAdapter(new Map(backplanes.map(({ home, adapter }) => [home, adapter])));
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
    await server.listen({ ...at, backlog: NEWCOMERS_WAITING_MAX });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(
      `port ${at.port} (${setting}) is in use: stop what listens there, or set ${setting} to a free one`,
    );
  }
}
