// One node of socket.io, as its documentation would have it: tokens in a middleware, the roster by fetchSockets.
import { createServer } from 'node:http';

import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { jwtVerify } from 'jose';
import { Server } from 'socket.io';

import { readTask, sayReady } from './task.ts';

const { kind, port, redisUrl, secret } = readTask();
const key = Buffer.from(secret);
const http = createServer();
const adapter = adapterOf();
const io = new Server(http, {
  transports: ['websocket'],
  serveClient: false,
  ...(adapter === undefined ? {} : { adapter }),
});
// "Memory usage" of its documentation: the handshake's request is not needed any more.
io.engine.on('connection', (socket: { request: unknown }) => {
  socket.request = null;
});

io.use((socket, next) => {
  jwtVerify(String(socket.handshake.auth.token), key, { algorithms: ['HS256'] }).then(
    ({ payload }) => {
      socket.data.name = payload.sub;
      next();
    },
    () => next(new Error('unauthorized')),
  );
});

io.on('connection', (socket) => {
  socket.on('join', async ({ room }: { room: string }, reply: (roster: object) => void) => {
    await socket.join(room);
    const members = await io.in(room).fetchSockets();
    reply({ self: socket.id, peers: members.map(({ id, data }) => ({ id, name: data.name })) });
    socket.to(room).emit('peer_joined', { id: socket.id, name: socket.data.name });
  });
  socket.on('signal', ({ to, ...content }: { to: string }) => {
    socket.to(to).emit('signal', { from: socket.id, ...content });
  });
});

http.listen(port, '127.0.0.1', sayReady);

function adapterOf() {
  if (kind === 'socket.io-memory') return undefined;
  const publisher = new Redis(redisUrl);
  const subscriber = publisher.duplicate();
  if (kind === 'socket.io-classic') return createAdapter(publisher, subscriber);
  return createShardedAdapter(publisher, subscriber, { subscriptionMode: 'dynamic-private' });
}
