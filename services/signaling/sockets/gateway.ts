import type { Server as HttpServer } from 'node:http';
import { FRAME_BYTES_MAX, PROTOCOL_VERSION, type WireError, wireError } from '@fenghuo/protocol';
import { Server as Engine, type ServerOptions as EngineOptions } from 'engine.io';
import { Server, type Socket } from 'socket.io';
import type { WebSocket } from 'ws';
import type { SocketAdapter } from '../backplane/backplane.ts';
import type { Identity } from '../domain/identity.ts';
import type { Pace } from '../domain/pace.ts';
import { roomHome } from '../domain/room-id.ts';
import { connectionLost } from '../requests/connection-lost.ts';
import type { Connection, DropReason, RequestContext } from '../requests/context.ts';
import type { Senders } from '../requests/sender.ts';
import { type Announcer, openAnnouncer } from './announcements.ts';
import { type DoorOptions, openDoor } from './door.ts';
import { type Admission, admit, HandshakeRefused } from './handshake.ts';
import { OutgoingMail } from './outbox.ts';
import { requestParser, requestSourceOf } from './parser.ts';
import type { Place, Places } from './places.ts';
import { RecordFrames } from './record-frames.ts';
import { type ServeOptions, serve } from './serve.ts';
import { type CloseReason, type ConnectionParts, SocketConnection } from './socket-connection.ts';
import { Unfinished } from './unfinished.ts';
import { boundedWebSockets, webSocketOf } from './web-socket-engine.ts';

export interface GatewayOptions extends ServeOptions {
  readonly admission: Admission;
  readonly places: Places;
  readonly senders: Senders;
  /** At which newcomers are let in. */
  readonly pace: Pace;
  /** Of a handshake under a name that is not the node's; undefined: it is one of its names. */
  readonly hostRefusal: DoorOptions['refusalOf'];
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

/** It makes of a request what it wants. */
type EngineRequest = Parameters<Engine['handleUpgrade']>[0];

export interface Gateway {
  /** Every connection that was let in. */
  readonly connections: ReadonlySet<Connection>;
  /** All that are open, let in or not. */
  readonly places: Pick<Places, 'size' | 'unjoined' | 'isFull'>;
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
const CONNECT_TIMEOUT_MS = 5_000;
/** What is open so long after the end began is ended without a word. */
const CLOSED_WITHIN_MS = 1_500;

/** Serves clients over socket.io: WebSocket alone, so nothing in front needs sticky sessions. */
export function openGateway(server: HttpServer, context: RequestContext, options: GatewayOptions): Gateway {
  const { places, senders, observer } = options;
  const io = new Server({
    serveClient: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    parser: requestParser(options.messageBytesMax),
    adapter: options.adapter,
  });
  const engine = new Engine({
    transports: ['websocket'],
    maxHttpBufferSize: FRAME_BYTES_MAX,
    wsEngine: boundedWebSockets({
      onFrame: (socket) => places.at(socket)?.onFrame(),
      onViolation: (socket) => senders.violatedAt(places.at(socket)?.network),
    }),
    ...pings(options.resumeWindowMs),
  } as EngineOptions);
  // Not attached to the server: it would answer requests that are nobody's handshake, past all limits.
  io.bind(engine);
  const door = openDoor(server, {
    pace: options.pace,
    nowMs: () => performance.now(),
    chance: Math.random,
    waitMs: (request) => {
      const place = places.of(request);
      return place === undefined ? 0 : senders.spendAt(place.network, { handshakes: 1 });
    },
    refusalOf: options.hostRefusal,
    letIn: (request, socket, head) => engine.handleUpgrade(request as EngineRequest, socket, head),
    onFlood: (request) => senders.oweAt(places.of(request)?.network, { handshakes: 1 }),
    onRefused: observer.refused,
  });
  const unfinished = new Unfinished((socket) => places.at(socket)?.isJoined ?? false);
  engine.on('connection', (client: Socket['conn']) => unfinished.watch(client.request.socket, client));
  const connections = new Set<SocketConnection>();
  const parts: ConnectionParts = {
    io,
    places,
    mail: new OutgoingMail(),
    recordFrames: new RecordFrames(),
    onDrop: observer.dropped,
  };

  /** Decides on a CONNECT, and closes where it is refused: one WebSocket is one try. */
  async function enter(socket: Socket, next: (refusal?: Error) => void): Promise<void> {
    const place = places.of(socket.request);
    const webSocket = webSocketOf(socket.request);
    if (place === undefined || webSocket === undefined) return void socket.conn.close();
    const admitted = await admit(socket.handshake, place, options.admission);
    if (!admitted.ok) return refuse(socket, next, admitted.error);
    socket.data = { place, identity: admitted.identity, webSocket } satisfies Admitted;
    next();
  }

  function refuse(socket: Socket, next: (refusal: Error) => void, error: WireError): void {
    observer.refused(error.code);
    next(new HandshakeRefused(error));
    // Behind the refusal, which is written in the next tick.
    setImmediate(() => socket.conn.close());
  }

  io.use((socket, next) => {
    enter(socket, next).catch((error) => {
      options.failed('handshake', error);
      refuse(socket, next, wireError('unavailable'));
    });
  });
  io.on('connection', (socket) => {
    try {
      welcome(socket);
    } catch (error) {
      options.failed('connection', error);
      socket.conn.close();
    }
  });

  function welcome(socket: Socket): void {
    const { place, identity, webSocket } = socket.data as Admitted;
    const sender = senders.open(place.network, identity.sub);
    const connection = new SocketConnection(socket, { place, identity, webSocket, sender }, parts);
    connections.add(connection);
    observer.opened();
    connection.send('welcome', { ...context.location, protocol: PROTOCOL_VERSION });
    const source = requestSourceOf(socket.handshake);
    forgetHandshake(socket);
    source.onRequest = (request) => serve(context, connection, request, options);
    socket.on('disconnect', (reason) => {
      connections.delete(connection);
      source.onRequest = undefined;
      connection.disconnected();
      // After a client's goodbye to the namespace, its WebSocket has nothing more to say.
      socket.conn.close();
      observer.closed(connection.closedFor(reason));
      connectionLost(context, connection).catch((error) => options.failed('disconnect', error));
    });
  }

  return {
    connections,
    places,
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
      door.close();
      // Who is just being turned away, or has only just come, holds a socket that socket.io does not close.
      const leaving = setTimeout(() => places.destroyAll(), CLOSED_WITHIN_MS);
      const isOver = new Promise<void>((resolve) => server.close(() => resolve()));
      return Promise.allSettled([io.close(), isOver]).then(() => {
        clearTimeout(leaving);
        places.close();
      });
    },
  };
}

/** What is known of a socket once it is let in. */
interface Admitted {
  readonly place: Place;
  readonly identity: Identity;
  readonly webSocket: WebSocket;
}

/** Nothing keeps a token longer than it is needed; the request would be a third of an idle connection's memory. */
function forgetHandshake(socket: Socket): void {
  socket.handshake.auth = {};
  socket.handshake.headers = {};
  socket.handshake.query = {};
  // As socket.io's documentation has it ("Memory usage").
  (socket.conn as { request: unknown }).request = null;
  socket.data = {};
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
