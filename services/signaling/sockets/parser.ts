import { EventEmitter } from 'node:events';
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

/**
 * The socket.io parser (protocol 5) that makes one `IncomingRequest` of each event, in place of its arguments, and knows
 * how large a payload was: only a frame over the limit is measured again, so a request within it costs nothing.
 */
export function requestParser(payloadBytesMax: number) {
  class RequestDecoder extends EventEmitter {
    readonly #decoder = new Decoder();
    #isOversize = false;
    /** A packet that ends with an attachment: its text came before, and was measured by nobody. */
    #isBinary = false;

    constructor() {
      super();
      this.#decoder.on('decoded', (packet: Packet) => {
        this.emit('decoded', packet.type === PacketType.EVENT ? this.#withRequest(packet) : packet);
      });
    }

    /** Throws where the frame is not of the protocol: socket.io then closes the connection. */
    add(chunk: unknown): void {
      this.#isBinary = typeof chunk !== 'string';
      this.#isOversize = typeof chunk === 'string' && isLonger(chunk, payloadBytesMax);
      this.#decoder.add(chunk);
    }

    #withRequest({ nsp, data = [], id }: Packet): Packet {
      const [name, payload, extra] = data;
      return packetOf({ name, payload: this.#payloadOf(payload, extra), packetId: id }, nsp);
    }

    #payloadOf(payload: unknown, extra: unknown): unknown {
      if (this.#isBinary) return BINARY;
      // The frame holds the event's name, too: the payload itself is measured, as compact JSON.
      if (this.#isOversize && !fits(payload, payloadBytesMax)) return TOO_LARGE;
      return extra === undefined ? payload : undefined;
    }

    destroy(): void {
      this.#decoder.destroy();
    }
  }
  return { Encoder, Decoder: RequestDecoder };
}

/** The id is kept from socket.io, which would make an acknowledgement of its own. */
function packetOf(request: IncomingRequest, nsp = '/'): Packet {
  return { type: PacketType.EVENT, nsp, data: [request] };
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
