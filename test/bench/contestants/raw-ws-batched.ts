import { startBenchNode } from '../node-process.ts';
import { rawWire } from '../wires/raw-ws.ts';
import type { Contestant } from './contestant.ts';

export const rawWsBatched: Contestant = {
  name: 'ws-batched',
  title: 'ws + a channel per node, batched',
  promises: 'at most once',
  hasRedis: true,
  wire: rawWire,
  startNode: (index, redisUrl, secret) =>
    startBenchNode('raw-ws.ts', { kind: 'ws-batched', index, redisUrl, secret }),
};
