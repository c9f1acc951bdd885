import { startBenchNode } from '../node-process.ts';
import { rawWire } from '../wires/raw-ws.ts';
import type { Contestant } from './contestant.ts';

export const rawWs: Contestant = {
  name: 'ws',
  title: 'ws + a channel per node',
  promises: 'at most once',
  hasRedis: true,
  wire: rawWire,
  startNode: (index, redisUrl, secret) =>
    startBenchNode('raw-ws.ts', { kind: 'ws', index, redisUrl, secret }),
};
