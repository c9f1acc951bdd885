import { randomBytes } from 'node:crypto';
import type { Backplane } from './backplane/backplane.ts';
import { entriesPerMinute } from './backplane/entry-limits.ts';
import { type MemoryHub, memoryHub } from './backplane/memory/hub.ts';
import { type RedisObserver, redisBackplane } from './backplane/redis/index.ts';
import { type Config, ONLY_HOME } from './config.ts';
import { defaultLogBounds } from './domain/log-bounds.ts';
import { failedIn, malformedIn } from './failed.ts';
import { type RunningNode, startNode as startFromParts } from './node.ts';
import { addressBudgetOf } from './requests/sender.ts';
import { type Log, openLog } from './telemetry/log.ts';
import { type Metrics, openMetrics } from './telemetry/metrics.ts';

export interface AssembleOptions {
  /** What the nodes of this process share where no Redis is configured; by default a node is alone. */
  readonly hub?: MemoryHub;
  /** Set by tests that share a Redis. */
  readonly keyPrefix?: string;
  /** Set by tests in which time passes as they wish. */
  readonly wallMs?: () => number;
}

/** The composition root: chooses the parts that the configuration asks for, and starts a node of them. */
export async function startNode(config: Config, options: AssembleOptions = {}): Promise<RunningNode> {
  const incarnation = randomBytes(9).toString('base64url');
  const log = openLog(config.logLevel, config.nodeId, config.region);
  const metrics = openMetrics(config.homes.length === 0 ? [ONLY_HOME] : config.homes.map(({ home }) => home));
  const backplanes = openBackplanes(config, options, incarnation, metrics, log);
  return startFromParts(config, {
    incarnation,
    backplanes,
    metrics,
    log,
    wallMs: options.wallMs ?? Date.now,
  });
}

/** One for each home that is configured; without any, one in memory. */
function openBackplanes(
  config: Config,
  options: AssembleOptions,
  incarnation: string,
  metrics: Metrics,
  log: Log,
): readonly Backplane[] {
  const bounds = defaultLogBounds(config.resumeWindowMs);
  const entries = entriesPerMinute(addressBudgetOf(config));
  const shared = { incarnation, bounds, entriesPerMinute: entries };
  if (config.homes.length === 0) return [(options.hub ?? memoryHub()).attach(shared)];
  return config.homes.map(({ home, url }) =>
    redisBackplane({
      url,
      home,
      ...shared,
      ...(options.keyPrefix === undefined ? {} : { keyPrefix: options.keyPrefix }),
      observer: observerOf(home, metrics, log),
    }),
  );
}

function observerOf(home: string, metrics: Metrics, log: Log): RedisObserver {
  const { redis } = metrics;
  return {
    connectionFailed: (connection, error) =>
      log.warn({ event: 'redis_connection_failed', home, connection, reason: error.message }),
    reconnected: (connection) => redis.reconnects.inc({ home, connection }),
    commandSent: () => redis.commandsPending.inc(),
    commandAnswered: (script, seconds) => {
      redis.commandsPending.dec();
      redis.commandDuration.observe({ script }, seconds);
    },
    commandFailed: (script, error) => {
      redis.commandsPending.dec();
      redis.commandsFailed.inc({ home });
      log.debug({ event: 'redis_command_failed', home, script, reason: error.message });
    },
    looped: (seconds) => redis.doorbellLoop.observe({ home }, seconds),
    subscriptionFailed: (error) => {
      redis.subscriptionsFailed.inc();
      log.debug({ event: 'redis_subscription_failed', home, reason: error.message });
    },
    malformed: malformedIn({ metrics, log }),
    failed: failedIn({ metrics, log }),
    adapterFailed: (error) => {
      redis.adapterFailed.inc();
      log.debug({ event: 'adapter_failed', home, reason: error.message });
    },
  };
}
