import { startBenchNode } from '../node-process.ts';
import { rawWire } from '../wires/raw-ws.ts';
import type { Contestant } from './contestant.ts';

/** What no server can do with less that keeps what it relays and says so: no rules, sessions, repeats or bounds. */
export const rawWsLog: Contestant = {
  name: 'ws-log',
  title: 'ws + a stream per room, batched, acknowledged',
  promises: 'kept; no more',
  hasRedis: true,
  only: ['pairs'],
  wire: rawWire,
  startNode: (index, redisUrl, secret) =>
    startBenchNode('raw-ws.ts', { kind: 'ws-log', index, redisUrl, secret }),
};
