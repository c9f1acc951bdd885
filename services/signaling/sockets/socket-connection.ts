import { hash } from 'node:crypto';
import type { EventName, Events, PeerId, RemovedReason } from '@fenghuo/protocol';
import type { Server, Socket } from 'socket.io';
import type { WebSocket } from 'ws';
import { WITHIN } from '../backplane/backplane.ts';
import type { Network } from '../domain/address.ts';
import type { Cost } from '../domain/budget.ts';
import type { Identity } from '../domain/identity.ts';
import { type RoomId, roomHome } from '../domain/room-id.ts';
import type { RoomRecord } from '../domain/room-record.ts';
import { type Connection, DROP_REASONS, type DropReason, type UnsettledJoin } from '../requests/context.ts';
import type { Reply } from '../requests/reply.ts';
import type { Sender } from '../requests/sender.ts';
import type { Session } from '../requests/session.ts';
import { ackFrame, eventFrame } from './frames.ts';
import { Outbox, type OutgoingMail } from './outbox.ts';
import type { Place, Places } from './places.ts';
import type { RecordFrames } from './record-frames.ts';

/** WebSocket close code "service restart" (RFC 6455 registry): clients reconnect by themselves after it. */
const SERVICE_RESTART = 1012;

/** Why a connection ended: because this node dropped it, or for what socket.io has a name of its own. */
export const CLOSE_REASONS = [
  'client',
  'transport',
  'ping_timeout',
  'error',
  'removed',
  ...DROP_REASONS,
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
  readonly places: Places;
  readonly mail: OutgoingMail;
  readonly recordFrames: RecordFrames;
  onDrop(reason: DropReason): void;
}

/** Who is at the other end, and by what. */
export interface Ends {
  readonly place: Place;
  readonly sender: Sender;
  readonly identity: Identity;
  readonly webSocket: WebSocket;
}

/** Roster replies are larger; what is smaller is not worth the reckoning. */
const REPLY_BYTES_FEW = 1_024;
/** Pings, pongs and packets of any kind: requests are counted by themselves. */
const FRAME: Cost = { frames: 1 };

/** One socket.io socket, as requests see it. */
export class SocketConnection implements Connection {
  heading: RoomId | undefined;
  unsettledJoin: UnsettledJoin | undefined;
  lastLeaveId: number | undefined;
  identity: Identity;
  readonly sender: Sender;
  readonly #place: Place;
  readonly #socket: Socket;
  readonly #webSocket: WebSocket;
  readonly #outbox: Outbox;
  readonly #parts: ConnectionParts;
  #membership: Session | 'joining' | undefined;
  #droppedFor: DropReason | undefined;

  constructor(socket: Socket, { place, sender, identity, webSocket }: Ends, parts: ConnectionParts) {
    this.#socket = socket;
    this.#webSocket = webSocket;
    this.#parts = parts;
    this.#place = place;
    this.sender = sender;
    this.identity = identity;
    this.#outbox = new Outbox(parts.mail, socket.conn, {
      bufferedBytes: () => webSocket.bufferedAmount,
      onSlow: () => this.drop('slow_reader'),
    });
    place.close = (why) => this.drop(why);
    place.onFrame = () => this.#countFrame();
  }

  get membership(): Session | 'joining' | undefined {
    return this.#membership;
  }

  set membership(membership: Session | 'joining' | undefined) {
    this.#membership = membership;
    const isJoined = membership !== undefined;
    this.sender.hasSession = isJoined;
    this.#parts.places.setJoined(this.#place, isJoined);
    this.#parts.places.setInRoom(this.#place, typeof membership === 'object');
  }

  get network(): Network {
    return this.#place.network;
  }

  get address(): string {
    return this.#place.address;
  }

  get isOpen(): boolean {
    return this.#socket.connected;
  }

  send<Name extends EventName>(event: Name, payload: Events[Name]): void {
    this.#outbox.put(eventFrame(event, JSON.stringify(payload)));
  }

  /** Answers the packet of that id. */
  acknowledge(id: number, reply: Reply): void {
    const frame = ackFrame(id, reply);
    if (frame.length > REPLY_BYTES_FEW) this.sender.owe({ sent_bytes: frame.length });
    this.#outbox.put(frame);
  }

  sendRecord(record: RoomRecord): void {
    const frame = this.#parts.recordFrames.of(record);
    // An event that cannot be told must not be missing in silence: the client comes back and joins anew.
    if (frame === undefined) this.drop('session_lost');
    else this.#outbox.put(frame);
  }

  taken(): Promise<void> {
    return this.#outbox.taken();
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
    // Who does not read would not read a close either, and who floods would go on for as long as it takes.
    if (reason === 'slow_reader' || reason === 'flooding') this.#webSocket.terminate();
    // The engine's own close would be taken for a goodbye; this one makes clients come back.
    else this.#webSocket.close(SERVICE_RESTART);
  }

  /** Why it ended; `reason` is socket.io's. */
  closedFor(reason: string): CloseReason {
    return this.#droppedFor ?? SOCKET_IO_REASONS[reason] ?? 'error';
  }

  /** To be called once socket.io says that the socket is disconnected. */
  disconnected(): void {
    this.#outbox.close();
    this.sender.close();
  }

  /** Packets that its client has not taken yet. */
  get packetsWaiting(): number {
    return this.#outbox.packetsWaiting;
  }

  #countFrame(): void {
    if (this.sender.spend(FRAME) > 0) this.drop('flooding');
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
