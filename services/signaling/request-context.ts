import { hash } from 'node:crypto';
import type { IceServer, PeerId } from '@fenghuo/protocol';
import type { Config } from './config.ts';
import type { HomeKeeping, Homes } from './homes.ts';
import type { IceRouteOptions } from './http/ice.ts';
import type { RegionsRouteOptions } from './http/regions.ts';
import { iceServersFor } from './ice-servers.ts';
import type { NodeParts } from './keeping.ts';
import { randomTexts } from './random-texts.ts';
import type { RequestContext, RoomHome } from './requests/context.ts';
import type { VerifyFrom } from './requests/verify-from.ts';

/** What requests need of their node. */
export function requestContext(
  config: Config,
  parts: NodeParts,
  homes: Homes,
  { verifyToken, slowDown }: Pick<RequestContext, 'verifyToken' | 'slowDown'>,
): RequestContext {
  const { metrics } = parts;
  const randomText = randomTexts();
  return {
    location: { node: config.nodeId, region: config.region },
    homes: homes.names,
    homeOf: roomHomes(homes),
    locator: homes.locator,
    departuresMax: 2 * config.connectionsMax,
    roomPeersMax: config.roomPeersMax,
    resumeWindowMs: config.resumeWindowMs,
    verifyToken,
    iceServers: issueIceServers(config, parts),
    iceTtlS: config.ice.turnTtlS,
    countEntry: ({ identity: { sub }, network }) =>
      homes.local.backplane.entries.take({
        ...(sub === undefined ? {} : { user: digest(`user ${sub}`) }),
        address: digest(`address ${network}`),
      }),
    wallMs: parts.wallMs,
    log: (fact) => parts.log.info(fact),
    resumed: (outcome, missed) => {
      metrics.rooms.resumes.inc({ outcome });
      metrics.rooms.replayed.inc(missed);
    },
    slowDown: (network) => {
      metrics.rooms.resumes.inc({ outcome: 'unknown_token' });
      return slowDown(network);
    },
    nowMs: () => performance.now(),
    newPeerId: () => randomText(ID_BYTES) as PeerId,
    newSecret: () => randomText(SECRET_BYTES),
    peerIdFrom: (text) => idFrom(`peer ${text}`) as PeerId,
    hash: digest,
  };
}

/** Each home as requests see it. */
function roomHomes(homes: Homes): RequestContext['homeOf'] {
  const seen = new Map<HomeKeeping, RoomHome>(
    homes.all.map((home) => {
      const { keeper, feeds, departures, absences, backplane } = home;
      return [
        home,
        {
          rooms: backplane.rooms,
          feeds,
          departures,
          absences,
          get incarnation() {
            return keeper.incarnation;
          },
          awake: () =>
            keeper.isOverdue ? keeper.beat().then(() => keeper.isTaken && !keeper.isOverdue) : undefined,
        },
      ];
    }),
  );
  return (room) => seen.get(homes.of(room)) as RoomHome;
}

/** What a peer, or whoever asked for it, reaches others with. */
function issueIceServers(
  { ice }: Config,
  { metrics, wallMs }: NodeParts,
): (user: string) => readonly IceServer[] {
  return (user) => {
    const servers = iceServersFor(ice, user, wallMs());
    if (servers.some(({ credential }) => credential !== undefined)) metrics.tokens.iceCredentials.inc();
    return servers;
  };
}

export function iceRouteOptions(
  config: Config,
  parts: NodeParts,
  verifyToken: VerifyFrom | undefined,
): Omit<IceRouteOptions, 'whereFrom'> {
  const issue = issueIceServers(config, parts);
  const randomText = randomTexts();
  return {
    allowedOrigins: config.allowedOrigins,
    verifyToken,
    iceServers: (sub) => issue(sub === undefined ? randomText(ID_BYTES) : idFrom(`ice ${sub}`)),
    ttlS: config.ice.turnTtlS,
  };
}

export function regionsRouteOptions(
  { nodeId, region, publicUrl, allowedOrigins }: Config,
  leases: RegionsRouteOptions['leases'],
): RegionsRouteOptions {
  return { nodeId, region, publicUrl, allowedOrigins, leases, nowMs: () => performance.now() };
}

const ID_BYTES = 12;
const SECRET_BYTES = 32;

/** The same id for the same text, which cannot be guessed from it. */
function idFrom(text: string): string {
  return digest(text).slice(0, 16);
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}
