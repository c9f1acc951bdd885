import { createHash } from 'node:crypto';
import type { EventName, Events, PeerId } from '@fenghuo/protocol';
import type { Server, Socket } from 'socket.io';
import type { RoomId } from '../domain/room-id.ts';
import { eventOf, type RoomRecord } from '../domain/room-record.ts';
import type { Connection, DropReason, UnsettledJoin } from '../requests/context.ts';
import type { Session } from '../requests/session.ts';

/** What a client that does not read may leave waiting in this process. */
const QUEUED_BYTES_MAX = 8 * 1_048_576;
const QUEUED_PACKETS_MAX = 8_192;

/** WebSocket close code "service restart" (RFC 6455 registry): clients reconnect by themselves after it. */
const SERVICE_RESTART = 1012;

/** One socket.io socket, as requests see it. */
export class SocketConnection implements Connection {
  membership: Session | 'joining' | undefined;
  unsettledJoin: UnsettledJoin | undefined;
  lastLeaveId: number | undefined;
  readonly #io: Server;
  readonly #socket: Socket;
  readonly #onDrop: (reason: DropReason) => void;
  #queuedBytes = 0;

  constructor(io: Server, socket: Socket, onDrop: (reason: DropReason) => void) {
    this.#io = io;
    this.#socket = socket;
    this.#onDrop = onDrop;
    socket.conn.on('drain', () => {
      this.#queuedBytes = 0;
    });
  }

  get isOpen(): boolean {
    return this.#socket.connected;
  }

  send<Name extends EventName>(event: Name, payload: Events[Name]): void {
    this.#socket.emit(event, payload);
  }

  sendRecord(record: RoomRecord): void {
    this.#queuedBytes += record.body.length;
    if (this.#queuedBytes > QUEUED_BYTES_MAX || waitingPackets(this.#socket) > QUEUED_PACKETS_MAX) {
      this.drop('slow_reader');
      return;
    }
    this.#socket.emit(record.type, eventOf(record));
  }

  enter(room: RoomId, peer: PeerId): void {
    this.#socket.join([everyoneIn(room), onlyPeer(room, peer)]);
  }

  exit(room: RoomId, peer: PeerId): void {
    this.#socket.leave(everyoneIn(room));
    this.#socket.leave(onlyPeer(room, peer));
  }

  relayEphemeral(room: RoomId, to: PeerId | undefined, payload: Events['message']): void {
    if (to === undefined) this.#socket.to(everyoneIn(room)).emit('message', payload);
    else this.#io.to(onlyPeer(room, to)).emit('message', payload);
  }

  drop(reason: DropReason): void {
    if (!this.isOpen) return;
    this.#onDrop(reason);
    // The engine's own close would be taken for a goodbye; this one makes clients come back.
    const transport = this.#socket.conn.transport as unknown as { socket?: { close(code: number): void } };
    transport.socket?.close(SERVICE_RESTART);
    if (reason === 'slow_reader') this.#socket.conn.close(true);
  }
}

/** Rule D8: names that no client made, none of them of 20 characters. */
function everyoneIn(room: RoomId): string {
  return `r:${hashOf(room)}`;
}

function onlyPeer(room: RoomId, peer: PeerId): string {
  return `p:${hashOf(room)}:${peer}`;
}

function hashOf(room: RoomId): string {
  return createHash('sha256').update(room).digest('base64url').slice(0, 22);
}

/** The engine keeps what the transport has not taken yet; its types hide it. */
function waitingPackets(socket: Socket): number {
  return (socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length;
}
