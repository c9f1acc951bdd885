import { startBenchNode } from '../node-process.ts';
import { plainSocketIo } from '../wires/socket-io.ts';
import type { Contestant } from './contestant.ts';

export const socketIoSharded: Contestant = {
  name: 'socket.io-sharded',
  title: 'socket.io + redis-adapter, sharded (dynamic-private)',
  promises: 'at most once',
  hasRedis: true,
  wire: plainSocketIo,
  startNode: (index, redisUrl, secret) =>
    startBenchNode('socket-io.ts', { kind: 'socket.io-sharded', index, redisUrl, secret }),
};
