import { Socket } from 'node:net';

/** Takes what it can of the first `length` bytes, which are others after this turn; returns how many those were. */
export type TakeBytes = (bytes: Buffer, length: number) => number;

/** As much as libuv asks for at once. */
const READ_BYTES = 65_536;
/** One for all: it is read into, and taken from, within one call. */
const BYTES = Buffer.allocUnsafeSlow(READ_BYTES);

/** Where Node keeps what `onread` was given; a version that keeps it elsewhere reads as ever. */
const [BUFFER, CALLBACK] = keptUnder('kBuffer', 'kBufferCb');

/**
 * Has an accepted connection read as one that was opened with `onread` does (node:net), into a buffer that is there already:
 * else each read allocates 64 KiB of which it gives most back, and goes through the stream. What is not taken, and all while
 * the stream is stopped or has something left, goes through the stream, byte for byte. False: this Node has no such thing.
 * Node has that option for no connection but those that it opens (decision 84).
 */
export function readInPlace(socket: Socket, take: TakeBytes): boolean {
  const inner = socket as unknown as Inner;
  if (BUFFER === undefined || CALLBACK === undefined || inner._handle?.useUserBuffer === undefined)
    return false;
  inner[BUFFER] = BYTES;
  inner[CALLBACK] = (length: number): boolean => {
    const isThrough = socket.readableFlowing === true && socket.readableLength === 0;
    const taken = isThrough ? take(BYTES, length) : 0;
    return taken === length || socket.push(Buffer.from(BYTES.subarray(taken, length)));
  };
  inner._handle.useUserBuffer(BYTES);
  return true;
}

interface Inner {
  [name: symbol]: unknown;
  readonly _handle?: { useUserBuffer?(bytes: Buffer): void } | null;
}

function keptUnder(...names: readonly string[]): readonly (symbol | undefined)[] {
  const symbols = Object.getOwnPropertySymbols(new Socket());
  return names.map((name) => symbols.find(({ description }) => description === name));
}
