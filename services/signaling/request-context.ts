import { createHash, randomBytes } from 'node:crypto';
import type { PeerId } from '@fenghuo/protocol';
import type { Config } from './config.ts';
import type { Keeping, NodeParts } from './keeping.ts';
import type { RequestContext } from './requests/context.ts';
import { failedTries } from './requests/failed-tries.ts';

/** What requests need of their node. */
export function requestContext(
  config: Config,
  parts: NodeParts,
  { feeds, keeper, departures, absences }: Keeping,
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
