import type { SignalKind } from '../wires/wire.ts';

/** One message of a call: which of the two says it, and what. */
export interface Line {
  readonly by: 0 | 1;
  readonly kind: SignalKind;
}

const CANDIDATES = 20;
const SDP_BYTES = 1_500;
const CANDIDATE_BYTES = 170;

/** An offer, its answer, and then the candidates of both in turn: 22 messages. */
export const CALL: readonly Line[] = [
  { by: 0, kind: 'offer' },
  { by: 1, kind: 'answer' },
  ...Array.from({ length: CANDIDATES }, (_, n): Line => ({ by: n % 2 === 0 ? 0 : 1, kind: 'candidate' })),
];

const STAMP_MARK = '~'.charCodeAt(0);
const DOT = '.'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/** Members of JSON around a stamp. */
const AROUND: Readonly<Record<SignalKind, readonly [head: string, tail: string]>> = {
  offer: description('offer'),
  answer: description('answer'),
  candidate: filled(
    '"candidate":{"candidate":"candidate:1 1 udp 2122260223 192.0.2.1 61665 typ host ufrag ',
    '","sdpMid":"0","sdpMLineIndex":0}',
    CANDIDATE_BYTES,
  ),
};

function description(type: 'offer' | 'answer'): readonly [string, string] {
  const head = `"description":{"type":"${type}","sdp":"v=0\\r\\no=- 4611731400430051336 2 IN IP4 127.0.0.1\\r\\ns=`;
  return filled(head, '\\r\\nt=0 0\\r\\n"}', SDP_BYTES);
}

function filled(head: string, end: string, bytes: number): readonly [string, string] {
  const stampBytes = 8;
  return [head, ` ${'x'.repeat(bytes - head.length - end.length - stampBytes)}${end}`];
}

/** What a message says, with the number of its direction and its own number in that: each is found again by them. */
export function bodyOf(kind: SignalKind, direction: number, n: number): string {
  const [head, tail] = AROUND[kind];
  return `${head}~${direction}.${n}~${tail}`;
}

/** Reads the stamp into `into` without making anything. Says whether there was one. */
export function readStamp(frame: Buffer, into: { direction: number; n: number }): boolean {
  let at = frame.indexOf(STAMP_MARK) + 1;
  if (at === 0) return false;
  let value = 0;
  for (; at < frame.length; at += 1) {
    const byte = frame[at] as number;
    if (byte === STAMP_MARK) break;
    if (byte === DOT) {
      into.direction = value;
      value = 0;
    } else value = value * 10 + byte - ZERO;
  }
  into.n = value;
  return at < frame.length;
}
