import { startBenchNode } from '../node-process.ts';
import { plainSocketIo } from '../wires/socket-io.ts';
import type { Contestant } from './contestant.ts';

export const socketIoMemory: Contestant = {
  name: 'socket.io-memory',
  title: 'socket.io in memory, one node',
  promises: 'at most once',
  hasRedis: false,
  wire: plainSocketIo,
  startNode: (index, redisUrl, secret) =>
    startBenchNode('socket-io.ts', { kind: 'socket.io-memory', index, redisUrl, secret }),
};
