const CANDIDATE_LINES = 'a=candidate:1 1 udp 2122260223 192.0.2.1 61665 typ host\r\n'.repeat(12);
const MEDIA = `t=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n${CANDIDATE_LINES}`;
const OFFER_EVERY = 10;
const MESSAGE_EVERY = 3;
const STAMP = /honest-(\d+)-(\d+)\./;

/** The n-th request of a person: mostly candidates, messages in between, and now and then an offer. */
export function requestOf(person: number, n: number, to: string): readonly [name: string, payload: object] {
  const stamp = `honest-${person}-${n}.`;
  if (n % OFFER_EVERY === 0) {
    const sdp = `v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=${stamp}\r\n${MEDIA}`;
    return ['signal', { to, description: { type: 'offer', sdp } }];
  }
  if (n % MESSAGE_EVERY === 0) return ['message', { to, topic: 'chat', data: stamp }];
  const candidate = `candidate:1 1 udp 2122260223 192.0.2.1 61665 typ host ${stamp}`;
  return ['signal', { to, candidate: { candidate, sdpMid: '0', sdpMLineIndex: 0 } }];
}

/** Whose request an event carries, and which; undefined where it is none of theirs. */
// biome-ignore lint/suspicious/noExplicitAny: what a node sent is read as it is
export function stampIn({ candidate, description, data }: any): { person: number; n: number } | undefined {
  const text = candidate?.candidate ?? description?.sdp ?? data;
  const [, person, n] = (typeof text === 'string' && STAMP.exec(text)) || [];
  return person === undefined ? undefined : { person: Number(person), n: Number(n) };
}
