import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { afterOurDeath } from '@fenghuo/cluster';
import type { TestProject } from 'vitest/node';

import { capabilities } from './capabilities.ts';
import { startLocalRedis } from './redis.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** One Redis for all tests of a run, each under a key prefix of its own. Empty where there is none. */
    redisUrl: string;
  }
}

/** Where the shared Redis came from, for the summary of `npm test`. */
export interface SharedRedisReport {
  readonly source: 'testcontainers' | 'redis-server' | 'none';
  /** Why it is not from testcontainers, though a Docker engine answers. */
  readonly reason?: string;
}

export const SHARED_REDIS_REPORT = fileURLToPath(new URL('../output/shared-redis.json', import.meta.url));

const IMAGE = 'redis:7-bookworm';

/** Starts the one Redis of a test run, in a container where a Docker engine answers. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop, report } = await sharedRedis();
  mkdirSync(fileURLToPath(new URL('../output', import.meta.url)), { recursive: true });
  writeFileSync(SHARED_REDIS_REPORT, JSON.stringify(report));
  project.provide('redisUrl', url);
  return stop;
}

async function sharedRedis(): Promise<{ url: string; stop: () => Promise<void>; report: SharedRedisReport }> {
  let reason: string | undefined;
  if (capabilities.docker) {
    try {
      return { ...(await containerRedis()), report: { source: 'testcontainers' } };
    } catch (error) {
      reason = (error instanceof Error ? error.message : String(error)).split('\n')[0];
    }
  }
  const why = reason === undefined ? {} : { reason };
  if (!capabilities.redisServer) return { url: '', stop: async () => {}, report: { source: 'none', ...why } };
  const local = await startLocalRedis();
  return { url: local.url, stop: local.stop, report: { source: 'redis-server', ...why } };
}

async function containerRedis(): Promise<{ url: string; stop: () => Promise<void> }> {
  // We stop what we start; the reaper is one more image, which not every machine can get.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  const { RedisContainer } = await import('@testcontainers/redis');
  const container = await new RedisContainer(IMAGE).start();
  const guard = afterOurDeath('docker rm --force --volumes "$0"', container.getId());
  return {
    url: container.getConnectionUrl().replace('localhost', '127.0.0.1'),
    stop: async () => {
      await container.stop();
      guard.disarm();
    },
  };
}
