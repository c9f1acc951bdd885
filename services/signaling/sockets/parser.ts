import { EventEmitter } from 'node:events';
import { REQUESTS } from '@fenghuo/protocol';
import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';

/** Stand in for a payload that is not looked at: one over the limit, and one with binary attachments. */
export const TOO_LARGE = Symbol('too large');
export const BINARY = Symbol('binary');

/** What a client asks. Nobody has looked yet at what its name and its payload are. */
export interface IncomingRequest {
  readonly name: unknown;
  /** Undefined where there are several: a request has one. */
  readonly payload: unknown;
  /** Of the packet, for its acknowledgement; undefined where the client wants none. */
  readonly packetId: number | undefined;
}

/** The requests of one client, from when somebody takes them. */
export interface RequestSource {
  /** Called for each as its frame is read, past socket.io, which would go through four calls and a tick; it must not throw. */
  onRequest: ((request: IncomingRequest) => void) | undefined;
}

/** Under which a handshake's `auth`, made of the CONNECT packet, holds the source of what its client asks. */
const SOURCE = Symbol('request source');

/** What a CONNECT packet brought: of its payload the token alone. */
export interface ConnectAuth {
  readonly token?: unknown;
  readonly [SOURCE]: RequestSource;
}

/** The requests of the client whose handshake this is. */
export function requestSourceOf(handshake: { readonly auth: unknown }): RequestSource {
  return (handshake.auth as ConnectAuth)[SOURCE];
}

/**
 * The socket.io parser (protocol 5) that makes one `IncomingRequest` of each event, in place of its arguments, and knows
 * how large a payload was: only a frame over the limit is measured again, so a request within it costs nothing. One
 * WebSocket is one connection to the namespace: it throws where a client connects again, or goes on after its goodbye.
 */
export function requestParser(payloadBytesMax: number) {
  class RequestDecoder extends EventEmitter implements RequestSource {
    onRequest: RequestSource['onRequest'];
    /** Made for the first packet that is not read at once, and most clients have few: it would be half of what this is. */
    #stock: Decoder | undefined;
    #isOversize = false;
    /** A packet that ends with an attachment: its text came before, and was measured by nobody. */
    #isBinary = false;
    /** What is between the text of a packet and its last attachment. */
    #isWithinPacket = false;
    #hasConnected = false;
    #isOver = false;

    /** Throws where the frame is not of the protocol: socket.io then closes the connection. */
    add(chunk: unknown): void {
      if (this.#isOver) throw new Error('a packet after DISCONNECT');
      if (typeof chunk === 'string' && this.#take(chunk)) return;
      this.#isBinary = typeof chunk !== 'string';
      this.#isOversize = typeof chunk === 'string' && isLonger(chunk, payloadBytesMax);
      this.#isWithinPacket = true;
      this.#stock ??= this.#makeStock();
      this.#stock.add(chunk);
    }

    /** Hands on the request that a packet is; false where it is none that could be read at once, and nothing was done. */
    #take(packet: string): boolean {
      if (this.onRequest === undefined || this.#isWithinPacket || isLonger(packet, payloadBytesMax))
        return false;
      const request = readRequest(packet);
      if (request !== undefined) this.onRequest(request);
      return request !== undefined;
    }

    #makeStock(): Decoder {
      const stock = new Decoder();
      stock.on('decoded', (packet: Packet) => {
        this.#isWithinPacket = false;
        // A packet that is whole leaves nothing behind.
        this.#stock = undefined;
        if (packet.type === PacketType.CONNECT) this.#connect(packet);
        else if (packet.type === PacketType.EVENT) this.#handOn(this.#requestOf(packet), packet.nsp);
        else this.#pass(packet);
      });
      return stock;
    }

    #connect(packet: Packet): void {
      if (this.#hasConnected) throw new Error('a second CONNECT');
      this.#hasConnected = true;
      const token: unknown = packet.data?.token;
      this.emit('decoded', { ...packet, data: { token, [SOURCE]: this } satisfies ConnectAuth });
    }

    #pass(packet: Packet): void {
      this.#isOver = packet.type === PacketType.DISCONNECT;
      this.emit('decoded', packet);
    }

    /** Socket.io closes the connection of who asks before it is connected, or in another namespace. */
    #handOn(request: IncomingRequest, nsp: string): void {
      if (this.onRequest !== undefined && nsp === DEFAULT_NAMESPACE) this.onRequest(request);
      else this.emit('decoded', { type: PacketType.EVENT, nsp, data: [request] });
    }

    #requestOf({ data = [], id }: Packet): IncomingRequest {
      // It could not be written as it was read.
      if (id !== undefined && !Number.isSafeInteger(id)) throw new Error('a packet id that is too large');
      const [name, payload, extra] = data;
      return { name, payload: this.#payloadOf(payload, extra), packetId: id };
    }

    #payloadOf(payload: unknown, extra: unknown): unknown {
      if (this.#isBinary) return BINARY;
      // The frame holds the event's name, too: the payload itself is measured, as compact JSON.
      if (this.#isOversize && !fits(payload, payloadBytesMax)) return TOO_LARGE;
      return extra === undefined ? payload : undefined;
    }

    destroy(): void {
      this.#stock?.destroy();
    }
  }
  return { Encoder, Decoder: RequestDecoder };
}

const DEFAULT_NAMESPACE = '/';
const EVENT_DIGIT = 50;
/** So many digits are a number that is written as it was read. */
const ID_DIGITS_MAX = 15;

/** Reads what nearly all frames are: a request that is known, by text alone. Undefined: the stock decoder has to read it. */
function readRequest(text: string): IncomingRequest | undefined {
  if (text.charCodeAt(0) !== EVENT_DIGIT) return undefined;
  let at = 1;
  while (isDigit(text.charCodeAt(at))) at++;
  if (text[at] !== '[' || at > ID_DIGITS_MAX) return undefined;
  const args = parseList(text.slice(at));
  if (args === undefined) return undefined;
  const [name, payload, extra] = args;
  if (typeof name !== 'string' || !Object.hasOwn(REQUESTS, name)) return undefined;
  const packetId = at > 1 ? Number(text.slice(1, at)) : undefined;
  return { name, payload: extra === undefined ? payload : undefined, packetId };
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function parseList(json: string): unknown[] | undefined {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** A UTF-16 unit takes at most three bytes in UTF-8. */
function isLonger(text: string, bytesMax: number): boolean {
  return text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax;
}

function fits(payload: unknown, bytesMax: number): boolean {
  try {
    return !isLonger(JSON.stringify(payload) ?? '', bytesMax);
  } catch {
    // Nested too deep to be written again: tens of thousands of brackets.
    return false;
  }
}
