import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';
import { WHOLE_TEXT } from './frames.ts';
import type { RequestSource } from './parser.ts';
import { readInPlace } from './read-in-place.ts';

/** What is used of the engine's connection, and of its WebSocket. Their types hide it. */
interface Engine {
  readonly readyState: string;
  /** Null unless a ping of ours waits for its pong. */
  readonly pingTimeoutTimer: unknown;
  readonly transport: { readonly socket?: { readonly _receiver?: Receiver; readonly _socket: TcpSocket } };
}

interface Receiver {
  /** 0: what comes next begins a frame. */
  readonly _state: number;
  readonly _bufferedBytes: number;
  /** The opcode of a message that is not whole yet; 0 without one. */
  readonly _fragmented: number;
  /** Of the last frame: 8 was a goodbye. */
  readonly _opcode: number;
  write(chunk: Buffer): boolean;
}
const AT_FRAME = 0;
const GOODBYE = 8;

/** RFC 6455, 5.2: as every client's message is. */
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
/** Each with its mask of four bytes. */
const HEADER_BYTES = 6;
const HEADER_16_BYTES = 8;
/** A message of Engine.IO (type 4) that is an event of Socket.IO (type 2). */
const MESSAGE = '4'.charCodeAt(0);
const EVENT = '2'.charCodeAt(0);
/** Reads with requests after which a client is one who talks. Who joins and listens is better off without what that takes. */
const TALKS_FROM = 3;
/** What decoding puts in place of bytes that are no UTF-8. */
const NOT_UTF8 = '\ufffd';

/**
 * Takes requests as their bytes come, past the dozen calls of ws, the engine and socket.io for each. Whatever is not
 * plainly a request goes their way, byte for byte: frames in parts, other packets, what is wrong, and everything while
 * the engine waits for a pong.
 */
export function takeEarly({ conn }: Socket, requests: RequestSource): void {
  const engine = conn as unknown as Engine;
  const webSocket = engine.transport.socket;
  if (webSocket?._receiver === undefined) return;
  const { _receiver: receiver, _socket } = webSocket;
  const take = (bytes: Buffer, length: number): number => {
    let at = 0;
    while (at < length && isPlain(engine, receiver)) {
      const end = takeFrame(bytes, at, length, requests);
      if (end === at) break;
      at = end;
    }
    return at;
  };
  const { write } = receiver;
  let talks = 0;
  receiver.write = (chunk) => {
    const at = take(chunk, chunk.length);
    if (at > 0 && ++talks === TALKS_FROM) readInPlace(_socket, take);
    return at === chunk.length || write.call(receiver, at === 0 ? chunk : chunk.subarray(at));
  };
}

function isPlain(engine: Engine, receiver: Receiver): boolean {
  return (
    engine.readyState === 'open' &&
    engine.pingTimeoutTimer === null &&
    receiver._state === AT_FRAME &&
    receiver._bufferedBytes === 0 &&
    receiver._fragmented === 0 &&
    receiver._opcode !== GOODBYE
  );
}

/** Where the frame ends that was taken; where it begins, and as it was, if it was not. `length`: of what came. */
function takeFrame(chunk: Buffer, at: number, length: number, requests: RequestSource): number {
  if (length - at < HEADER_16_BYTES || chunk[at] !== WHOLE_TEXT) return at;
  const second = chunk[at + 1] as number;
  const short = second & ~MASKED;
  if (second < MASKED || short === LENGTH_64) return at;
  const start = at + (short === LENGTH_16 ? HEADER_16_BYTES : HEADER_BYTES);
  const end = start + (short === LENGTH_16 ? chunk.readUInt16BE(at + 2) : short);
  if (end > length || end < start + 2 || !isEvent(chunk, start)) return at;
  mask(chunk, start, end);
  const packet = chunk.toString('utf8', start + 1, end);
  if (!packet.includes(NOT_UTF8) && requests.take(packet)) return end;
  mask(chunk, start, end);
  return at;
}

/** By the first two bytes under the mask before them. */
function isEvent(chunk: Buffer, start: number): boolean {
  const under = (at: number) => (chunk[at] as number) ^ (chunk[at - 4] as number);
  return under(start) === MESSAGE && under(start + 1) === EVENT;
}

/** Puts on the mask that stands before the bytes, or takes it off. */
function mask(bytes: Buffer, start: number, end: number): void {
  const [a, b, c, d] = [bytes[start - 4], bytes[start - 3], bytes[start - 2], bytes[start - 1]] as Mask;
  let at = start;
  for (; at < end - 3; at += 4) {
    bytes[at] = (bytes[at] as number) ^ a;
    bytes[at + 1] = (bytes[at + 1] as number) ^ b;
    bytes[at + 2] = (bytes[at + 2] as number) ^ c;
    bytes[at + 3] = (bytes[at + 3] as number) ^ d;
  }
  for (let left = 0; at < end; at++, left++)
    bytes[at] = (bytes[at] as number) ^ (bytes[start - 4 + left] as number);
}

type Mask = [number, number, number, number];
