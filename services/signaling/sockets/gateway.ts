import type { Server as HttpServer } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import { FRAME_BYTES_MAX, PROTOCOL_VERSION } from '@fenghuo/protocol';
import { Server, type Socket } from 'socket.io';
import type { SocketAdapter } from '../backplane/backplane.ts';
import { type Identity, NOBODY_KNOWN } from '../domain/identity.ts';
import type { Pace } from '../domain/pace.ts';
import { roomHome } from '../domain/room-id.ts';
import { connectionLost } from '../requests/connection-lost.ts';
import type { Connection, DropReason, RequestContext } from '../requests/context.ts';
import { type Announcer, openAnnouncer } from './announcements.ts';
import { openDoor } from './door.ts';
import { takeEarly } from './early-requests.ts';
import { eventFrame } from './frames.ts';
import { type Admission, addressOf, admit, HandshakeRefused } from './handshake.ts';
import { OutgoingMail } from './outbox.ts';
import { type RequestSource, requestParser } from './parser.ts';
import { RecordFrames } from './record-frames.ts';
import { type ServeOptions, serve } from './serve.ts';
import { type CloseReason, type ConnectionParts, SocketConnection } from './socket-connection.ts';

export interface GatewayOptions extends ServeOptions {
  readonly admission: Omit<Admission, 'connections'>;
  /** Which tells where connections come from. */
  readonly isBehindProxy: boolean;
  /** At which newcomers are let in. */
  readonly pace: Pace;
  readonly adapter: SocketAdapter;
  readonly resumeWindowMs: number;
  readonly observer: GatewayObserver;
}

export interface GatewayObserver {
  /** By the code that the client got; `flood`: cut before it could get one. */
  refused(code: string): void;
  opened(): void;
  closed(reason: CloseReason): void;
  dropped(reason: DropReason): void;
}

export interface Gateway {
  /** Every open connection. */
  readonly connections: ReadonlySet<Connection>;
  readonly peers: number;
  /** Newcomers who wait to be let in, or turned away. */
  readonly newcomers: number;
  /** Packets that clients have not taken yet. */
  readonly packetsWaiting: number;
  readonly announcer: Announcer;
  /** Closes every connection, or those that a room of one home is about, so that its client comes back or goes elsewhere. */
  dropAll(reason: DropReason, home?: string): void;
  close(): Promise<void>;
}

/** A WebSocket that does not ask for the namespace within this time is closed. */
const CONNECT_TIMEOUT_MS = 10_000;
const SLOW_READERS_EVERY_MS = 1_000;
/** What is open so long after the end began is ended without a word. */
const CLOSED_WITHIN_MS = 1_500;

/** Serves clients over socket.io: WebSocket alone, so nothing in front needs sticky sessions. */
export function openGateway(server: HttpServer, context: RequestContext, options: GatewayOptions): Gateway {
  const io = new Server(server, {
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: FRAME_BYTES_MAX,
    connectTimeout: CONNECT_TIMEOUT_MS,
    parser: requestParser(options.messageBytesMax),
    adapter: options.adapter,
    ...pings(options.resumeWindowMs),
  });
  const door = openDoor(server, {
    pace: options.pace,
    nowMs: () => performance.now(),
    chance: Math.random,
    onRefused: options.observer.refused,
  });
  const sockets = new Set<TcpSocket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const connections = new Set<SocketConnection>();
  const parts: ConnectionParts = {
    io,
    mail: new OutgoingMail(),
    recordFrames: new RecordFrames(),
    onDrop: options.observer.dropped,
  };
  const admission: Admission = {
    ...options.admission,
    connections: () => io.engine.clientsCount,
  };
  const identities = new WeakMap<Socket, Identity>();
  io.use(async (socket, next) => {
    socket.handshake.address = addressOf(socket.handshake, options.isBehindProxy);
    const admitted = await admit(socket, admission);
    // Nothing keeps a token longer than it is needed.
    socket.handshake.auth = {};
    if (!admitted.ok) {
      options.observer.refused(admitted.error.code);
      return next(new HandshakeRefused(admitted.error));
    }
    identities.set(socket, admitted.identity);
    letIn(socket, next);
  });
  io.on('connection', (socket) => {
    const connection = new SocketConnection(socket, parts);
    connection.identity = identities.get(socket) ?? NOBODY_KNOWN;
    connections.add(connection);
    options.observer.opened();
    attend(socket, connection, context, options);
    socket.on('disconnect', (reason) => {
      connections.delete(connection);
      connection.disconnected();
      requestsOf(socket).onRequest = undefined;
      options.observer.closed(connection.closedFor(reason));
      connectionLost(context, connection).catch((error) => options.failed('disconnect', error));
    });
  });
  const shedding = setInterval(() => {
    for (const connection of connections) connection.dropIfSlow();
  }, SLOW_READERS_EVERY_MS);
  return {
    connections,
    announcer: openAnnouncer(io, context.location),
    get peers() {
      let peers = 0;
      for (const { membership } of connections)
        if (membership !== undefined && membership !== 'joining') peers++;
      return peers;
    },
    get newcomers() {
      return door.waiting;
    },
    get packetsWaiting() {
      let packets = 0;
      for (const connection of connections) packets += connection.packetsWaiting;
      return packets;
    },
    dropAll(reason, home) {
      for (const connection of [...connections])
        if (home === undefined || homeOf(connection) === home) connection.drop(reason);
    },
    close() {
      clearInterval(shedding);
      door.close();
      // Who is just being turned away, or has only just come, holds a socket that socket.io does not close.
      const leaving = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSED_WITHIN_MS);
      return io.close().finally(() => clearTimeout(leaving));
    },
  };
}

/** What socket.io answers in its next tick, and the welcome after it, are one write. */
function letIn({ request }: Socket, next: () => void): void {
  request.socket.cork();
  next();
  process.nextTick(() => request.socket.uncork());
}

function attend(
  socket: Socket,
  connection: SocketConnection,
  context: RequestContext,
  options: GatewayOptions,
): void {
  greet(socket, connection, context);
  // What is kept of the handshake's request would be a third of an idle connection's memory; its address is all that counts.
  (socket.conn as unknown as { request: unknown }).request = null;
  socket.handshake.headers = {};
  socket.handshake.query = {};
  const requests = requestsOf(socket);
  requests.onRequest = (request) => serve(context, connection, request, options);
  takeEarly(socket, requests);
}

/** The engine would write the welcome only once what came before is written; past it, where nothing waits that it could overtake. */
function greet({ request }: Socket, connection: SocketConnection, { location }: RequestContext): void {
  const welcome = { ...location, protocol: PROTOCOL_VERSION } as const;
  if (connection.packetsWaiting > 0) connection.send('welcome', welcome);
  else request.socket.write(eventFrame('welcome', JSON.stringify(welcome)));
}

/** The decoder that socket.io made of our parser for this client; its types hide it. */
function requestsOf({ client }: Socket): RequestSource {
  return (client as unknown as { readonly decoder: RequestSource }).decoder;
}

/** Where the room is that a connection is in, or on its way to. */
export function homeOf({ membership, heading }: Connection): string | undefined {
  const room = typeof membership === 'object' ? membership.room : heading;
  return room === undefined ? undefined : roomHome(room);
}

/** Rule C3: a dead connection is noticed within a third of the resume window. */
function pings(resumeWindowMs: number): { pingInterval: number; pingTimeout: number } {
  const half = Math.max(1_000, Math.floor(resumeWindowMs / 6));
  return { pingInterval: half, pingTimeout: half };
}
