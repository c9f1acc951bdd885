import { startBenchNode } from '../node-process.ts';
import { peerjsWire } from '../wires/peerjs.ts';
import type { Contestant } from './contestant.ts';

export const peerjs: Contestant = {
  name: 'peerjs',
  title: 'PeerJS server, one node',
  promises: 'at most once, no rooms',
  hasRedis: false,
  wire: peerjsWire,
  startNode: (index, redisUrl, secret) =>
    startBenchNode('peerjs.ts', { kind: 'peerjs', index, redisUrl, secret }),
};
