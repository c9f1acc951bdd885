/** Opcodes of RFC 6455, 5.2. */
export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const FIN = 0x80;
const MASKED = 0x80;
const MASK = Buffer.alloc(4);

export interface FrameOptions {
  /** Another frame follows: FIN is 0. */
  readonly isOpen?: boolean;
  readonly opcode?: keyof typeof OPCODES;
  /** The length that the header claims, where it is not the content's own. */
  readonly claims?: number;
}

/** A client's frame. Its mask is zero, which the format allows and which costs the sender nothing. */
export function frame(content: string | Buffer, options: FrameOptions = {}): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const length = options.claims ?? bytes.length;
  const first = (options.isOpen ? 0 : FIN) | OPCODES[options.opcode ?? 'text'];
  return Buffer.concat([header(first, length), MASK, bytes]);
}

/** The same frame, so many times. */
export function repeated(one: Buffer, times: number): Buffer {
  return Buffer.alloc(one.length * times, one);
}

function header(first: number, length: number): Buffer {
  if (length < 126) return Buffer.from([first, MASKED | length]);
  if (length < 65_536) return Buffer.from([first, MASKED | 126, length >> 8, length & 0xff]);
  const long = Buffer.alloc(10);
  long[0] = first;
  long[1] = MASKED | 127;
  long.writeBigUInt64BE(BigInt(length), 2);
  return long;
}
