import type { Capabilities } from './capabilities.ts';
import type { SharedRedisReport } from './global-setup.ts';

/** A group of tests that could not run on this machine, or not as it should. */
export interface Missing {
  readonly what: string;
  readonly why: string;
  /** Whether a run with CI=true may still pass: only what needs a Docker engine. */
  readonly isAllowed: boolean;
}

/** Names what this machine cannot run; `sharedRedis` says where the run took its Redis from, if it came that far. */
export function missingParts(
  capabilities: Capabilities,
  sharedRedis: SharedRedisReport | undefined,
): Missing[] {
  const needs: readonly [boolean, string, string][] = [
    [!!capabilities.chromium, 'calls in real browsers', 'no chromium'],
    [
      capabilities.redisServer,
      'Redis Cluster, and Redis paused or restarted',
      'no redis-server with redis-cli',
    ],
    [capabilities.turnserver, 'calls through TURN', 'no turnserver (coturn)'],
    [!!capabilities.pythonSocketio, 'a client in Python', 'no python3-socketio with python3-websocket'],
    [capabilities.promtool, 'the lint of metrics, and the cases of alerts', 'no promtool (prometheus)'],
  ];
  const absent = needs
    .filter(([isThere]) => !isThere)
    .map(([, what, why]) => ({ what, why, isAllowed: false }));
  return [...absent, ...withoutKubectl(capabilities), ...withoutContainers(capabilities, sharedRedis)];
}

/** No package of Debian's has one that is new enough, so no run can bring it along. */
function withoutKubectl({ kubectl }: Capabilities): readonly Missing[] {
  const why = 'no kubectl of 1.27 or newer (kubernetes.io/docs/tasks/tools)';
  return kubectl ? [] : [{ what: 'the manifests for Kubernetes', why, isAllowed: true }];
}

function withoutContainers(
  capabilities: Capabilities,
  sharedRedis: SharedRedisReport | undefined,
): readonly Missing[] {
  const why = whyNoContainer(capabilities, sharedRedis);
  if (why === undefined) return [];
  const redis = { what: 'Redis from testcontainers', why, isAllowed: true };
  if (capabilities.docker) return [redis];
  return [redis, { what: 'the image, and docker compose', why, isAllowed: true }];
}

function whyNoContainer(
  capabilities: Capabilities,
  sharedRedis: SharedRedisReport | undefined,
): string | undefined {
  if (!capabilities.docker) return 'no Docker engine answers';
  if (sharedRedis === undefined || sharedRedis.source === 'testcontainers') return undefined;
  return sharedRedis.reason ?? 'the container did not start';
}
