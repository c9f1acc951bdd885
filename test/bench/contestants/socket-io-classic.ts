import { startBenchNode } from '../node-process.ts';
import { plainSocketIo } from '../wires/socket-io.ts';
import type { Contestant } from './contestant.ts';

export const socketIoClassic: Contestant = {
  name: 'socket.io-classic',
  title: 'socket.io + redis-adapter, classic',
  promises: 'at most once',
  hasRedis: true,
  wire: plainSocketIo,
  startNode: (index, redisUrl, secret) =>
    startBenchNode('socket-io.ts', { kind: 'socket.io-classic', index, redisUrl, secret }),
};
