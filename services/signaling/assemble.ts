import { randomBytes } from 'node:crypto';
import type { Backplane } from './backplane/backplane.ts';
import { type MemoryHub, memoryHub } from './backplane/memory/hub.ts';
import { redisBackplane } from './backplane/redis/index.ts';
import type { Config } from './config.ts';
import { defaultLogBounds } from './domain/log-bounds.ts';
import { type RunningNode, startNode as startFromParts } from './node.ts';
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
  const metrics = openMetrics();
  const backplane = openBackplane(config, options, incarnation, metrics, log);
  return startFromParts(config, { incarnation, backplane, metrics, log, wallMs: options.wallMs ?? Date.now });
}

function openBackplane(
  config: Config,
  options: AssembleOptions,
  incarnation: string,
  metrics: Metrics,
  log: Log,
): Backplane {
  const { redisUrl } = config;
  const bounds = defaultLogBounds(config.resumeWindowMs);
  if (redisUrl === undefined) return (options.hub ?? memoryHub()).attach({ incarnation, bounds });
  return redisBackplane({
    url: redisUrl,
    home: 'main',
    incarnation,
    bounds,
    ...(options.keyPrefix === undefined ? {} : { keyPrefix: options.keyPrefix }),
    observer: {
      connectionFailed: (connection, error) =>
        log.warn({ event: 'redis_connection_failed', connection, reason: error.message }),
      reconnected: (connection) => metrics.redis.reconnects.inc({ connection }),
      commandSent: () => metrics.redis.commandsPending.inc(),
      commandAnswered: (script, seconds) => {
        metrics.redis.commandsPending.dec();
        metrics.redis.commandDuration.observe({ script }, seconds);
      },
      commandFailed: (script, error) => {
        metrics.redis.commandsPending.dec();
        metrics.redis.commandsFailed.inc({ script });
        log.debug({ event: 'redis_command_failed', script, reason: error.message });
      },
      looped: (seconds) => metrics.redis.doorbellLoop.observe(seconds),
      subscriptionFailed: (error) => {
        metrics.redis.subscriptionsFailed.inc();
        log.debug({ event: 'redis_subscription_failed', reason: error.message });
      },
      adapterFailed: (error) => {
        metrics.redis.adapterFailed.inc();
        log.debug({ event: 'adapter_failed', reason: error.message });
      },
    },
  });
}
