import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { canonicalAddress, type Network, networkOf } from '../domain/address.ts';
import { type Capacity, whoGoes } from '../domain/capacity.ts';

/** Where a connection stands, from accept to close. */
export interface Place {
  /** Where it comes from, canonical; behind a proxy that is known with its first request. */
  readonly address: string;
  readonly network: Network;
  /** It is in a room, or on its way into one. */
  readonly isJoined: boolean;
  /** One more packet, ping or pong has come on it. */
  onFrame: () => void;
  /** Ends it; until somebody knows a better way, its socket is destroyed. */
  close: (why: Displaced) => void;
}

/** Why a connection lost its place: another one took it, or it was in no room for too long. */
export type Displaced = 'crowded' | 'not_joined';

export interface PlacesOptions {
  readonly capacity: Capacity;
  readonly joinWithinMs: number;
  readonly isBehindProxy: boolean;
  /** Whether whoever comes from there is cut before it has said anything. */
  readonly isFlooding: (network: Network) => boolean;
  /** A client broke the protocol. */
  readonly onViolation: (network: Network) => void;
  readonly nowMs: () => number;
}

type Held = { -readonly [Member in keyof Place]: Place[Member] } & {
  /** It has got there. */
  isInRoom: boolean;
  /** Since when it is in no room, or asks for nothing. */
  sinceMs: number;
  /** Packets that came before it had the namespace. */
  earlyFrames: number;
  /** It has made a request. */
  hasAsked: boolean;
  /** Its place is somebody else's by now; it is told to go. */
  isLeaving: boolean;
};

const SWEEP_EVERY_MS = 1_000;
const EARLY_FRAMES_MAX = 16;
/** Who says nothing does not come to ask; Node's own time limits begin with the first byte. */
const ASKS_WITHIN_MS = 5_000;

/**
 * The one count of a node's connections: admission, the gauge and readiness ask it. Who is in no room may stay for a
 * while, and all of them may hold a share of the places, from which newcomers from elsewhere displace them.
 */
export class Places {
  readonly #options: PlacesOptions;
  readonly #held = new Map<TcpSocket, Held>();
  /** In no room, by where they come from; of each network the one that waits longest is first. */
  readonly #unjoined = new Map<Network, Set<Held>>();
  #unjoinedCount = 0;
  #joinedCount = 0;
  readonly #sweep: NodeJS.Timeout;

  constructor(server: HttpServer, options: PlacesOptions) {
    this.#options = options;
    server.maxConnections = options.capacity.sockets;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('request', (request) => void this.of(request));
    this.#sweep = setInterval(() => this.#endLate(), SWEEP_EVERY_MS);
  }

  get size(): number {
    return this.#held.size;
  }

  /** How many of them are in no room. */
  get unjoined(): number {
    return this.#unjoinedCount;
  }

  /** Whether nobody else may join. */
  get isFull(): boolean {
    return this.#joinedCount >= this.#options.capacity.connections;
  }

  /** Of the connection on which this request has come: it is alive, and behind a proxy it tells where it comes from. */
  of(request: IncomingMessage): Place | undefined {
    const held = this.#held.get(request.socket as TcpSocket);
    if (held === undefined || held.isJoined || held.isLeaving) return held;
    this.#unlist(held);
    held.sinceMs = this.#options.nowMs();
    held.hasAsked = true;
    if (this.#options.isBehindProxy) held.address = forwardedFor(request) ?? held.address;
    held.network = networkOf(held.address);
    this.#list(held);
    return held;
  }

  /** Of that socket. Undefined: it is closed. */
  at(socket: Duplex): Place | undefined {
    return this.#held.get(socket as TcpSocket);
  }

  /** Whether a connection may go on to join. Where all places are taken, one that does not join loses its own. */
  admit(place: Place): boolean {
    if (this.isFull || (place as Held).isLeaving) return false;
    if (this.#joinedCount + this.#unjoinedCount <= this.#options.capacity.connections) return true;
    const goes = this.#whoGoes(place as Held);
    if (goes === place) return false;
    this.#end(goes, 'crowded');
    return true;
  }

  /** It is in a room, or in none any more: then its time to join begins anew. */
  setInRoom(place: Place, isInRoom: boolean): void {
    const held = place as Held;
    if (held.isInRoom && !isInRoom) held.sinceMs = this.#options.nowMs();
    held.isInRoom = isInRoom;
  }

  /** It came into a room, or is on its way; or it is in none any more. */
  setJoined(place: Place, isJoined: boolean): void {
    const held = place as Held;
    if (held.isJoined === isJoined) return;
    held.isJoined = isJoined;
    this.#joinedCount += isJoined ? 1 : -1;
    if (isJoined) this.#unlist(held);
    else if (!held.isLeaving) this.#list(held);
  }

  destroyAll(): void {
    for (const socket of this.#held.keys()) socket.destroy();
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #accept(socket: TcpSocket): void {
    const address = canonicalAddress(socket.remoteAddress ?? '') ?? UNKNOWN;
    if (this.#options.isFlooding(networkOf(address))) return void socket.destroy();
    const held: Held = {
      address,
      network: networkOf(address),
      isJoined: false,
      isInRoom: false,
      sinceMs: this.#options.nowMs(),
      hasAsked: false,
      isLeaving: false,
      onFrame: () => this.#earlyFrame(socket, held),
      earlyFrames: 0,
      close: () => void socket.destroy(),
    };
    this.#held.set(socket, held);
    this.#list(held);
    socket.once('close', () => {
      this.#held.delete(socket);
      this.setJoined(held, false);
      this.#unlist(held);
    });
    if (this.#unjoinedCount > this.#options.capacity.unjoined) this.#end(this.#whoGoes(held), 'crowded');
  }

  /** Until it is let in, a client has a CONNECT to send, and a pong for each ping. */
  #earlyFrame(socket: TcpSocket, held: Held): void {
    held.earlyFrames += 1;
    if (held.earlyFrames <= EARLY_FRAMES_MAX) return;
    held.onFrame = () => {};
    this.#options.onViolation(held.network);
    socket.destroy();
  }

  #end(held: Held, why: Displaced): void {
    this.#unlist(held);
    held.isLeaving = true;
    held.close(why);
  }

  #whoGoes(newcomer: Held): Held {
    return whoGoes(this.#unjoined, newcomer, this.#options.nowMs());
  }

  #endLate(): void {
    const nowMs = this.#options.nowMs();
    for (const held of [...this.#held.values()]) {
      const isLate = !held.isInRoom && nowMs - held.sinceMs >= this.#withinMs(held);
      if (isLate && !held.isLeaving) this.#end(held, 'not_joined');
    }
  }

  /** Who is on its way when its time is over may get there; one that only tries has twice the time. */
  #withinMs({ hasAsked, isJoined }: Held): number {
    const { joinWithinMs } = this.#options;
    if (!hasAsked) return Math.min(ASKS_WITHIN_MS, joinWithinMs);
    return isJoined ? 2 * joinWithinMs : joinWithinMs;
  }

  #list(held: Held): void {
    const others = this.#unjoined.get(held.network);
    if (others === undefined) this.#unjoined.set(held.network, new Set([held]));
    else others.add(held);
    this.#unjoinedCount += 1;
  }

  #unlist(held: Held): void {
    const others = this.#unjoined.get(held.network);
    if (!others?.delete(held)) return;
    if (others.size === 0) this.#unjoined.delete(held.network);
    this.#unjoinedCount -= 1;
  }
}

/** Its socket was closed before it was looked at. */
const UNKNOWN = 'unknown';

/** A proxy adds whom it saw to the end of X-Forwarded-For; what stands before that came with the request, and may say anything. */
function forwardedFor({ headers }: IncomingMessage): string | undefined {
  const forwarded = String(headers['x-forwarded-for'] ?? '');
  return canonicalAddress(forwarded.slice(forwarded.lastIndexOf(',') + 1));
}
