import type { FrameShape } from '../steps.ts';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Any mask will do (RFC 6455, 5.3): this one shows in a trace. */
const MASK = [0x11, 0x22, 0x33, 0x44] as const;

/** The bytes of a frame of a client; `payload` holds a byte in each character. */
export function frameBytes(shape: FrameShape): Buffer {
  const { opcode, fin = true, rsv = 0, masked = true, cutAt } = shape;
  const payload = Buffer.from(shape.payload, 'latin1');
  const first = (fin ? 0x80 : 0) | ((rsv & 7) << 4) | (opcode & 15);
  const header = Buffer.concat([
    Buffer.from([first]),
    lengthBytes(shape.claims ?? payload.length, masked ? 0x80 : 0, shape.lengthBits),
    Buffer.from(masked ? MASK : []),
  ]);
  if (masked) for (let at = 0; at < payload.length; at++) payload[at] = payload.readUInt8(at) ^ maskAt(at);
  const frame = Buffer.concat([header, payload]);
  return cutAt === undefined ? frame : frame.subarray(0, cutAt);
}

function maskAt(at: number): number {
  return MASK[at & 3] ?? 0;
}

function lengthBytes(length: number, maskBit: number, bits: 16 | 64 | undefined): Buffer {
  if (length < 126 && bits === undefined) return Buffer.from([maskBit | length]);
  if (length < 65_536 && bits !== 64) {
    const bytes = Buffer.from([maskBit | 126, 0, 0]);
    bytes.writeUInt16BE(length, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = maskBit | 127;
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

/** One whole, unmasked frame from a node. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Takes a node's bytes apart. Throws where they are not what RFC 6455 lets a server send; nodes send no fragments. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): Frame[] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const frame = frameAt(bytes);
      if (frame === undefined) break;
      frames.push(frame);
      bytes = bytes.subarray(frame.bytes);
    }
    this.#rest = bytes;
    return frames;
  }
}

function frameAt(bytes: Buffer): (Frame & { readonly bytes: number }) | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  if ((first & 0xf0) !== 0x80) throw new Error(`a frame begins with 0x${first.toString(16)}`);
  if (second >= 0x80) throw new Error('a frame of the node is masked');
  const headerBytes = second < 126 ? 2 : second === 126 ? 4 : 10;
  if (bytes.length < headerBytes) return undefined;
  const length =
    second < 126 ? second : second === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = headerBytes + length;
  if (bytes.length < end) return undefined;
  return { opcode: first & 15, payload: bytes.subarray(headerBytes, end), bytes: end };
}
