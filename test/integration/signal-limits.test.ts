import {
  CANDIDATE_CHARS_MAX,
  MESSAGE_BYTES_MAX,
  SDP_CHARS_MAX,
  SDP_MEDIA_SECTIONS_MAX,
  SDP_MID_CHARS_MAX,
  USERNAME_FRAGMENT_CHARS_MAX,
} from '@fenghuo/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { connect, type PlainClient, SAMPLE_CANDIDATE } from '../support/plain-client.ts';

const SESSION = 'v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
/** As long as lines of browsers are on average. */
const LINE = `a=rtpmap:96 ${'x'.repeat(24)}\r\n`;

/** A text of so many characters, in lines. */
function sdpOf(chars: number): string {
  const text = SESSION + LINE.repeat(Math.floor((chars - SESSION.length) / LINE.length) - 1);
  const rest = 'a=x-note:\r\n'.length;
  return `${text}a=x-note:${'x'.repeat(chars - text.length - rest)}\r\n`;
}

const mLines = (count: number) => SESSION + 'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\n'.repeat(count);
const offer = (sdp: string) => ({ description: { type: 'offer', sdp } });
const candidate = (members: object) => ({ candidate: { ...SAMPLE_CANDIDATE, ...members } });
const x = (count: number) => 'x'.repeat(count);

describe('what a signal may hold', () => {
  let cluster: TestCluster;
  let ann: PlainClient;
  let bob: PlainClient;
  let bobId: string;
  beforeAll(async () => {
    cluster = await startCluster({ backplane: 'memory' });
    ann = await connect(cluster.nodes[0].url);
    await ann.join('limits');
    bob = await connect(cluster.nodes[1].url);
    bobId = (await bob.join('limits')).self.id;
  });
  afterAll(async () => {
    ann?.close();
    bob?.close();
    await cluster?.stop();
  });

  let lastId = 1;

  test.each([
    ['characters of sdp', SDP_CHARS_MAX, (count: number) => offer(sdpOf(count))],
    ['m-lines', SDP_MEDIA_SECTIONS_MAX, (count: number) => offer(mLines(count))],
    ['characters of a candidate', CANDIDATE_CHARS_MAX, (count: number) => candidate({ candidate: x(count) })],
    ['characters of an sdpMid', SDP_MID_CHARS_MAX, (count: number) => candidate({ sdpMid: x(count) })],
    [
      'characters of a usernameFragment',
      USERNAME_FRAGMENT_CHARS_MAX,
      (count: number) => candidate({ usernameFragment: x(count) }),
    ],
  ])('%s: %i arrive as they are, and one more is invalid_request', async (_, max, signal) => {
    const beyond = await ann.ask('signal', { id: lastId + 1, to: bobId, ...signal(max + 1) });
    expect(beyond).toMatchObject({ ok: false, error: { code: 'invalid_request' } });
    lastId += 1;
    expect(await ann.ask('signal', { id: lastId, to: bobId, ...signal(max) })).toMatchObject({ ok: true });
    expect(await bob.next('signal')).toMatchObject(signal(max));
  });

  test('an sdp of as many characters as are allowed fits into a payload', () => {
    const payload = { id: 2 ** 53 - 1, to: x(64), ...offer(sdpOf(SDP_CHARS_MAX)) };
    expect(sdpOf(SDP_CHARS_MAX)).toHaveLength(SDP_CHARS_MAX);
    expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThan(MESSAGE_BYTES_MAX);
  });

  test.each([
    ['candidate', 'candidate:1 1 udp 1 192.0.2.1 9 typ host\r\nm=audio 9 RTP/AVP 0'],
    ['candidate', 'candidate:1 1 udp 1 192.0.2.1 9 typ host\ra=sendrecv'],
    ['sdpMid', '0\r\na=sendrecv'],
    ['usernameFragment', '8hhY\na=sendrecv'],
  ])(
    'a %s of two lines, which a client might paste into a description, is invalid_request',
    async (name, value) => {
      const signal = { id: lastId + 1, to: bobId, ...candidate({ [name]: value }) };
      expect(await ann.ask('signal', signal)).toMatchObject({ error: { code: 'invalid_request' } });
    },
  );

  test('a candidate that was cut from a description with the end of its line is taken', async () => {
    for (const end of ['\r', '\n', '\r\n']) {
      lastId += 1;
      const signal = candidate({ candidate: SAMPLE_CANDIDATE.candidate + end });
      expect(await ann.ask('signal', { id: lastId, to: bobId, ...signal })).toMatchObject({ ok: true });
      expect(await bob.next('signal')).toMatchObject(signal);
    }
  });
});
