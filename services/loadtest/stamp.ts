import type { Candidate, Description } from '@fenghuo/protocol';

import type { Stamp } from './ledger.ts';

/** Peer ids hold no blank, so neither do they in what is written here. */
const STAMP = /fh1 ([\w-]+) ([\w-]+|\*) (\d+) ./;

/** What a stamp looks like inside a signal or message: the dot shows that the number was not cut short. */
export function stampText({ from, to, n }: Stamp): string {
  return `fh1 ${from} ${to} ${n} .`;
}

export function readStamp(text: unknown): Stamp | undefined {
  const [, from, to, n] = (typeof text === 'string' && STAMP.exec(text)) || [];
  return from === undefined || to === undefined ? undefined : { from, to, n: Number(n) };
}

/** Filled up to the size that browsers' offers have. */
const SDP_FILLING = 'a=candidate:1 1 udp 2122260223 192.0.2.1 61665 typ host\r\n'.repeat(20);

/** Mostly candidates, and now and then an offer, as in calls. Its session name (RFC 8866, 5.3) carries the stamp. */
export function signalContent(
  stamp: Stamp,
): { readonly description: Description } | { readonly candidate: Candidate } {
  if (stamp.n % 16 === 0) {
    const sdp = `v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=${stampText(stamp)}\r\nt=0 0\r\n${SDP_FILLING}`;
    return { description: { type: 'offer', sdp } };
  }
  return { candidate: { candidate: stampText(stamp), sdpMid: '0', sdpMLineIndex: 0 } };
}

/** The stamp of a `signal` or `message` event. */
export function stampOf(event: object): Stamp | undefined {
  const { candidate, description, data } = event as {
    candidate?: { candidate?: unknown };
    description?: { sdp?: unknown };
    data?: unknown;
  };
  return readStamp(candidate?.candidate ?? description?.sdp ?? data);
}
