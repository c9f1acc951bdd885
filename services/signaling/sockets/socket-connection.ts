import { hash } from 'node:crypto';
import type { EventName, Events, PeerId, RemovedReason } from '@fenghuo/protocol';
import type { Server, Socket } from 'socket.io';
import { WITHIN } from '../backplane/backplane.ts';
import { type Identity, NOBODY_KNOWN } from '../domain/identity.ts';
import { type RoomId, roomHome } from '../domain/room-id.ts';
import type { RoomRecord } from '../domain/room-record.ts';
import type { Connection, DropReason, UnsettledJoin } from '../requests/context.ts';
import type { Reply } from '../requests/reply.ts';
import type { Session } from '../requests/session.ts';
import { ackFrame, eventFrame } from './frames.ts';
import { Outbox, type OutgoingMail } from './outbox.ts';
import type { RecordFrames } from './record-frames.ts';

/** What a client that does not read may leave waiting in this process. */
const WAITING_BYTES_MAX = 8 * 1_048_576;
/** So few packets cannot be over it. */
const WAITING_PACKETS_FEW = 32;

/** WebSocket close code "service restart" (RFC 6455 registry): clients reconnect by themselves after it. */
const SERVICE_RESTART = 1012;

/** Who has not answered a close for so long does not hear any more. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Why a connection ended: because this node dropped it, or for what socket.io has a name of its own. */
export const CLOSE_REASONS = [
  'client',
  'transport',
  'ping_timeout',
  'error',
  'removed',
  'session_lost',
  'shutdown',
  'drain',
  'slow_reader',
] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

const SOCKET_IO_REASONS: Readonly<Record<string, CloseReason>> = {
  'client namespace disconnect': 'client',
  'transport close': 'transport',
  'ping timeout': 'ping_timeout',
  'server namespace disconnect': 'removed',
  'server shutting down': 'shutdown',
};

/** What the connections of one node share. */
export interface ConnectionParts {
  readonly io: Server;
  readonly mail: OutgoingMail;
  readonly recordFrames: RecordFrames;
  onDrop(reason: DropReason): void;
}

/** One socket.io socket, as requests see it. */
export class SocketConnection implements Connection {
  membership: Session | 'joining' | undefined;
  heading: RoomId | undefined;
  unsettledJoin: UnsettledJoin | undefined;
  lastLeaveId: number | undefined;
  identity: Identity = NOBODY_KNOWN;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #parts: ConnectionParts;
  #droppedFor: DropReason | undefined;

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#outbox = new Outbox(parts.mail, socket.conn);
  }

  get address(): string {
    return this.#socket.handshake.address;
  }

  get isOpen(): boolean {
    return this.#socket.connected;
  }

  send<Name extends EventName>(event: Name, payload: Events[Name]): void {
    this.#outbox.put(eventFrame(event, JSON.stringify(payload)));
  }

  /** Answers the packet of that id. */
  acknowledge(id: number, reply: Reply): void {
    this.#outbox.put(ackFrame(id, reply));
  }

  sendRecord(record: RoomRecord): void {
    const frame = this.#parts.recordFrames.of(record);
    // An event that cannot be told must not be missing in silence: the client comes back and joins anew.
    if (frame === undefined) this.drop('session_lost');
    else this.#outbox.put(frame);
  }

  enter(room: RoomId, peer: PeerId): void {
    const everyone = everyoneIn(room);
    this.#socket.join([everyone, onlyPeer(everyone, peer)]);
  }

  exit(room: RoomId, peer: PeerId): void {
    const everyone = everyoneIn(room);
    this.#socket.leave(everyone);
    this.#socket.leave(onlyPeer(everyone, peer));
  }

  relayEphemeral(room: RoomId, to: PeerId | undefined, payload: Events['message']): void {
    const everyone = everyoneIn(room);
    if (to === undefined) this.#socket.to(everyone).emit('message', payload);
    else this.#parts.io.to(onlyPeer(everyone, to)).emit('message', payload);
  }

  remove(reason: RemovedReason, by?: PeerId): void {
    this.send('removed', { reason, ...(by === undefined ? {} : { by }) });
    this.#socket.disconnect(true);
  }

  drop(reason: DropReason): void {
    if (!this.isOpen || this.#droppedFor !== undefined) return;
    this.#droppedFor = reason;
    this.#parts.onDrop(reason);
    this.#outbox.flush();
    const { webSocket } = this.#outbox;
    // The engine's own close would be taken for a goodbye; this one makes clients come back. Who does not read
    // would not read it either.
    if (reason === 'slow_reader') {
      webSocket?.terminate();
    } else {
      webSocket?.close(SERVICE_RESTART);
      setTimeout(() => webSocket?.terminate(), CLOSE_TIMEOUT_MS).unref();
    }
  }

  /** Why it ended; `reason` is socket.io's. */
  closedFor(reason: string): CloseReason {
    return this.#droppedFor ?? SOCKET_IO_REASONS[reason] ?? 'error';
  }

  /** To be called once socket.io says that the socket is disconnected. */
  disconnected(): void {
    this.#outbox.close();
  }

  /** Packets that its client has not taken yet. */
  get packetsWaiting(): number {
    return this.#outbox.packetsWaiting;
  }

  /** Drops a client that has stopped to read: what waits for it would grow without bound. */
  dropIfSlow(): void {
    if (this.#outbox.packetsWaiting <= WAITING_PACKETS_FEW) return;
    if (this.#outbox.bytesWaiting > WAITING_BYTES_MAX) this.drop('slow_reader');
  }
}

/** Rule D8: names that no client made, none of them of 20 characters. They tell the home, see `homes-adapter.ts`. */
export function everyoneIn(room: RoomId): string {
  return `r:${roomHome(room)}:${hashOf(room)}`;
}

/** Within the name of all: what is for one peer needs no channel of its own (`backplane.ts`). */
function onlyPeer(everyone: string, peer: PeerId): string {
  return `${everyone}${WITHIN}${peer}`;
}

/** The home that one of those names tells; undefined for a socket's own. */
export function homeOfName(name: string): string | undefined {
  return /^r:([^:]+):/.exec(name)?.[1];
}

function hashOf(room: RoomId): string {
  return hash('sha256', room, 'base64url').slice(0, 22);
}
