import { EventEmitter } from 'node:events';
import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';

/** Stands in for a payload over the limit, so that its request is answered without being looked at. */
export const TOO_LARGE = Symbol('too large');

/**
 * The socket.io parser (protocol 5) that knows how large a payload was: only a frame over the limit is measured
 * again, so a request within it costs nothing.
 */
export function sizedParser(payloadBytesMax: number) {
  class SizedDecoder extends EventEmitter {
    readonly #decoder = new Decoder();
    #isOversize = false;

    constructor() {
      super();
      this.#decoder.on('decoded', (packet: Packet) => {
        if (this.#isOversize && packet.type === PacketType.EVENT) markOversize(packet, payloadBytesMax);
        this.emit('decoded', packet);
      });
    }

    /** Throws where the frame is not of the protocol: socket.io then closes the connection. */
    add(chunk: unknown): void {
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
