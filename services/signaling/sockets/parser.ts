import { EventEmitter } from 'node:events';
import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';

/** Stand in for a payload that is not looked at: one over the limit, and one with binary attachments. */
export const TOO_LARGE = Symbol('too large');
export const BINARY = Symbol('binary');

/**
 * The socket.io parser (protocol 5) that knows how large a payload was: only a frame over the limit is measured
 * again, so a request within it costs nothing.
 */
export function sizedParser(payloadBytesMax: number) {
  class SizedDecoder extends EventEmitter {
    readonly #decoder = new Decoder();
    #isOversize = false;
    /** A packet that ends with an attachment: its text came before, and was measured by nobody. */
    #isBinary = false;

    constructor() {
      super();
      this.#decoder.on('decoded', (packet: Packet) => {
        if (packet.type === PacketType.EVENT) {
          if (this.#isBinary) packet.data = [packet.data[0], BINARY];
          else if (this.#isOversize) markOversize(packet, payloadBytesMax);
        }
        this.emit('decoded', packet);
      });
    }

    /** Throws where the frame is not of the protocol: socket.io then closes the connection. */
    add(chunk: unknown): void {
      this.#isBinary = typeof chunk !== 'string';
      this.#isOversize = typeof chunk === 'string' && isLonger(chunk, payloadBytesMax);
      this.#decoder.add(chunk);
    }

    destroy(): void {
      this.#decoder.destroy();
    }
  }
  return { Encoder, Decoder: SizedDecoder };
}

/** A UTF-16 unit takes at most three bytes in UTF-8. */
function isLonger(text: string, bytesMax: number): boolean {
  return text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax;
}

/** The frame holds the event's name, too: the payload itself is measured, as compact JSON. */
function markOversize(packet: Packet, payloadBytesMax: number): void {
  const [event, payload] = packet.data as [string, unknown];
  if (!fits(payload, payloadBytesMax)) packet.data = [event, TOO_LARGE];
}

function fits(payload: unknown, bytesMax: number): boolean {
  try {
    return !isLonger(JSON.stringify(payload) ?? '', bytesMax);
  } catch {
    // Nested too deep to be written again: tens of thousands of brackets.
    return false;
  }
}
