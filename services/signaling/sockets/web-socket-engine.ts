import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { badRequest, refuseUpgrade } from './upgrade.ts';

/** Clients send each message whole (RFC 6455, 5.4, lets them not to): some libraries cut it at 16 KiB. */
const FRAGMENTS_MAX = 64;
/** Reads of which the frame that is coming may consist: what holds 256 KiB in the smallest packets of the Internet. */
const CHUNKS_MAX = 1_024;
/** A client that has not answered a close for so long does not hear any more. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A client may have sent so much before it learns of a close. One that sends more is cut, since reading it takes the loop's time. */
const LATE_FRAMES_MAX = 16;

const FRAMES = ['message', 'ping', 'pong'] as const;

const webSockets = new WeakMap<IncomingMessage, WebSocket>();

/** The WebSocket that an upgrade request became. */
export function webSocketOf(request: IncomingMessage): WebSocket | undefined {
  return webSockets.get(request);
}

export interface WebSocketObserver {
  /** A message, ping or pong has come, before a close. */
  readonly onFrame: (socket: Duplex) => void;
  /** The client of that socket broke the protocol (ws has codes for it), went over a bound, or sent on after a close. */
  readonly onViolation: (socket: Duplex) => void;
}

/** Socket.io's engine takes it as its `wsEngine`: ws, with bounds on what a client may leave unfinished. */
export function boundedWebSockets(observer: WebSocketObserver) {
  return class BoundedWebSocketServer extends WebSocketServer {
    constructor(options: ServerOptions) {
      super({
        ...options,
        maxFragments: FRAGMENTS_MAX,
        maxBufferedChunks: CHUNKS_MAX,
        closeTimeout: CLOSE_TIMEOUT_MS,
      } as ServerOptions);
      this.on('wsClientError', ({ message }, socket) => refuseUpgrade(socket, badRequest(message)));
    }

    override handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      onOpen: (client: WebSocket, request: IncomingMessage) => void,
    ): void {
      // It may have been one of several offers, which ws does not take.
      request.headers.upgrade = 'websocket';
      super.handleUpgrade(request, socket, head, (client) => {
        webSockets.set(request, client);
        watch(client, socket, observer);
        onOpen(client, request);
      });
    }
  };
}

/** A scope of its own, which keeps nothing of the request. */
function watch(client: WebSocket, socket: Duplex, { onFrame, onViolation }: WebSocketObserver): void {
  let late = 0;
  const count = () => {
    if (client.readyState === client.OPEN) {
      onFrame(socket);
      if (!socket.destroyed) return;
    } else {
      if (++late < LATE_FRAMES_MAX) return;
      client.terminate();
      onViolation(socket);
    }
    // ws still reads what came in the same read, which may be ten thousand frames: nobody is there for them.
    for (const kind of FRAMES) client.removeAllListeners(kind);
  };
  for (const kind of FRAMES) client.on(kind, count);
  client.once('error', ({ code = '' }: NodeJS.ErrnoException) => {
    if (code.startsWith('WS_ERR_')) onViolation(socket);
  });
}
