/** The beginning of a frame's content, and how long all of it was. */
export type OnFrame = (opcode: number, head: Buffer, length: number) => void;

/** So much of each frame is kept: what is longer is counted, not read. */
const HEAD_BYTES = 32_768;
const NOTHING = Buffer.alloc(0);

/** Cuts what a server sends (RFC 6455; its frames are not masked) into frames, without keeping long ones. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  #header: Buffer = NOTHING;
  #opcode = 0;
  #length = 0;
  /** Of the content, what has not come; undefined between two frames. */
  #left: number | undefined;
  #head: Buffer[] = [];
  #headBytes = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#left === undefined ? this.#begin(chunk, at) : this.#take(chunk, at);
  }

  #begin(chunk: Buffer, at: number): number {
    const before = this.#header.length;
    const bytes =
      before === 0 ? chunk.subarray(at) : Buffer.concat([this.#header, chunk.subarray(at, at + 10)]);
    const size = headerSize(bytes);
    if (size === undefined || bytes.length < size) {
      this.#header = Buffer.from(bytes);
      return chunk.length;
    }
    this.#header = NOTHING;
    this.#opcode = (bytes[0] ?? 0) & 0x0f;
    this.#length = lengthIn(bytes, size);
    this.#left = this.#length;
    if (this.#left === 0) this.#end();
    return at + size - before;
  }

  #take(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#left ?? 0, chunk.length - at);
    const kept = Math.min(taken, HEAD_BYTES - this.#headBytes);
    if (kept > 0) this.#head.push(chunk.subarray(at, at + kept));
    this.#headBytes += kept;
    this.#left = (this.#left ?? 0) - taken;
    if (this.#left === 0) this.#end();
    return at + taken;
  }

  #end(): void {
    const head = this.#head.length === 1 ? (this.#head[0] as Buffer) : Buffer.concat(this.#head);
    this.#left = undefined;
    this.#head = [];
    this.#headBytes = 0;
    this.#onFrame(this.#opcode, head, this.#length);
  }
}

function headerSize(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined;
  const length = (bytes[1] ?? 0) & 0x7f;
  return length === 127 ? 10 : length === 126 ? 4 : 2;
}

function lengthIn(bytes: Buffer, size: number): number {
  if (size === 10) return Number(bytes.readBigUInt64BE(2));
  return size === 4 ? bytes.readUInt16BE(2) : (bytes[1] ?? 0) & 0x7f;
}
