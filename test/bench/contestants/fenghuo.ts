import { nodeEnvironment, startNodeProcess } from '@fenghuo/cluster';

import { portForNode } from '../node-process.ts';
import { fenghuoWire } from '../wires/socket-io.ts';
import type { Contestant } from './contestant.ts';

/** Long enough to write a profile. */
const STOP_MS = 5_000;

/** Fenghuo as it ships: tokens asked for, metrics counted, logs bounded, repeats recognized. */
export const fenghuo: Contestant = {
  name: 'fenghuo',
  title: 'Fenghuo on Redis',
  promises: 'durable, ordered, once, resumable',
  hasRedis: true,
  wire: fenghuoWire,
  async startNode(index, redisUrl, secret) {
    const plan = {
      nodeId: `bench-${index}`,
      region: 'local',
      host: '127.0.0.1',
      port: await portForNode(),
      opsHost: '127.0.0.1',
      opsPort: await portForNode(),
    };
    const env = {
      ...nodeEnvironment(plan, { REDIS_URL: redisUrl }, process.env),
      NODE_ENV: 'production',
      AUTH: 'required',
      JWT_SECRET: secret,
      ALLOWED_ORIGINS: 'http://127.0.0.1',
      LOG_LEVEL: 'error',
    };
    const node = startNodeProcess(plan, env, (line) => console.error(line));
    try {
      await node.ready();
    } catch (error) {
      await node.stop(0);
      throw error;
    }
    return { port: plan.port, pid: node.pid, stop: () => node.stop(STOP_MS) };
  },
};
