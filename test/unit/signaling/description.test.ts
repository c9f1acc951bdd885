import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kindsSent } from '../../../services/signaling/domain/description.ts';
import { HONEST_SDP, HOSTILE_SDP } from '../../corpus/sdp.ts';

/** Lines as they are on the wire. */
const crlf = (...lines: readonly string[]) => lines.map((line) => `${line}\r\n`).join('');

const SESSION = ['v=0', 'o=- 1698969793267126843 2 IN IP4 127.0.0.1', 's=-', 't=0 0'];
const AUDIO = 'm=audio 9 UDP/TLS/RTP/SAVPF 111';
const VIDEO = 'm=video 9 UDP/TLS/RTP/SAVPF 96';
const DATA = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel';

/** A description of one m-line of audio with these lines. */
const audio = (...lines: readonly string[]) =>
  crlf(...SESSION, AUDIO, 'c=IN IP4 0.0.0.0', ...lines, 'a=rtpmap:111 opus/48000/2');

/** An offer of Chromium, shortened where lines repeat. */
const CHROMIUM = (audioDirection: string, videoDirection: string) =>
  crlf(
    'v=0',
    'o=- 1698969793267126843 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1 2',
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS 7b2c6d1e',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126',
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=ice-ufrag:zVTc',
    'a=ice-pwd:vzTwchcWriYQgDSteE5sbrIj',
    'a=ice-options:trickle',
    'a=fingerprint:sha-256 A2:F5:6E:31:87:2D:1D:A3:9E:DD:E6:49:91:59:BF:47:01:69:26:2D:9F:D4:6C:B5:0C:48:56:55:78:E7:6E:28',
    'a=setup:actpass',
    'a=mid:0',
    'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    `a=${audioDirection}`,
    'a=msid:7b2c6d1e 1f5b3c9a',
    'a=rtcp-mux',
    'a=rtcp-rsize',
    'a=rtpmap:111 opus/48000/2',
    'a=rtcp-fb:111 transport-cc',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=rtpmap:126 telephone-event/8000',
    'a=ssrc:3735928559 cname:q3kX',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=ice-ufrag:zVTc',
    'a=setup:actpass',
    'a=mid:1',
    `a=${videoDirection}`,
    'a=rtcp-mux',
    'a=rtpmap:96 VP8/90000',
    'a=rtcp-fb:96 nack pli',
    'a=ssrc-group:FID 2231 9781',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=mid:2',
    'a=sctp-port:5000',
    'a=max-message-size:262144',
  );

/** An answer of Firefox: the session's direction, and more in a line of its own order. */
const FIREFOX = (audioDirection: string, videoLine: string, videoDirection: string) =>
  crlf(
    'v=0',
    'o=mozilla...THIS_IS_SDPARTA-99.0 8642971853 0 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=sendrecv',
    'a=fingerprint:sha-256 5C:0F:8B:5D:A0:11:7A:21:4D:63:85:1E:9A:C6:25:62:4D:F3:0B:0C:51:8D:C3:0D:5D:7C:3A:36:7E:4E:0F:0E',
    'a=group:BUNDLE 0 1 2',
    'a=ice-options:trickle',
    'a=msid-semantic:WMS *',
    'm=audio 9 UDP/TLS/RTP/SAVPF 109 101',
    'c=IN IP4 0.0.0.0',
    `a=${audioDirection}`,
    'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
    'a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1',
    'a=ice-pwd:f1a2b3c4d5e6f708192a3b4c5d6e7f80',
    'a=mid:0',
    'a=rtcp-mux',
    'a=rtpmap:109 opus/48000/2',
    'a=setup:active',
    videoLine,
    'c=IN IP4 0.0.0.0',
    `a=${videoDirection}`,
    'a=mid:1',
    'a=rtpmap:120 VP8/90000',
    DATA,
    'c=IN IP4 0.0.0.0',
    'a=sendrecv',
    'a=mid:2',
    'a=sctp-port:5000',
  );
const FIREFOX_VIDEO = 'm=video 9 UDP/TLS/RTP/SAVPF 120';

describe('what browsers write', () => {
  test.each([
    ['sendrecv', 'sendrecv', ['audio', 'video']],
    ['sendonly', 'sendonly', ['audio', 'video']],
    ['sendrecv', 'recvonly', ['audio']],
    ['sendrecv', 'inactive', ['audio']],
    ['recvonly', 'sendonly', ['video']],
    ['inactive', 'sendrecv', ['video']],
    ['recvonly', 'recvonly', []],
    ['inactive', 'inactive', []],
  ] as const)('Chromium, audio %s, video %s', (audioDirection, videoDirection, sent) => {
    expect(kindsSent(CHROMIUM(audioDirection, videoDirection))).toEqual(sent);
  });

  test.each([
    ['sendrecv', FIREFOX_VIDEO, 'sendrecv', ['audio', 'video']],
    ['recvonly', FIREFOX_VIDEO, 'recvonly', []],
    ['recvonly', FIREFOX_VIDEO, 'sendonly', ['video']],
    ['sendrecv', 'm=video 0 UDP/TLS/RTP/SAVPF 120', 'inactive', ['audio']],
    ['recvonly', 'm=video 0 UDP/TLS/RTP/SAVPF 120', 'sendrecv', []],
  ] as const)('Firefox, audio %s, %s, %s', (audioDirection, videoLine, videoDirection, sent) => {
    expect(kindsSent(FIREFOX(audioDirection, videoLine, videoDirection))).toEqual(sent);
  });

  test('a data channel alone sends no kind', () => {
    expect(kindsSent(crlf(...SESSION, DATA, 'a=sendrecv', 'a=mid:0'))).toEqual([]);
    expect(kindsSent(crlf(...SESSION, DATA, 'a=mid:0'))).toEqual([]);
  });

  test('of several m-lines of a kind one that sends is enough', () => {
    const three = (...directions: readonly string[]) =>
      crlf(...SESSION, ...directions.flatMap((direction) => [VIDEO, `a=${direction}`]));
    expect(kindsSent(three('recvonly', 'inactive', 'sendonly'))).toEqual(['video']);
    expect(kindsSent(three('sendonly', 'recvonly', 'inactive'))).toEqual(['video']);
    expect(kindsSent(three('recvonly', 'inactive', 'recvonly'))).toEqual([]);
  });

  test('kinds come in one order, each once', () => {
    const sdp = crlf(...SESSION, VIDEO, AUDIO, VIDEO, AUDIO);
    expect(kindsSent(sdp)).toEqual(['audio', 'video']);
  });
});

describe('RFC 8866, 6.7: an m-line without a direction sends', () => {
  test('where nothing is said of a direction', () => {
    expect(kindsSent(audio())).toEqual(['audio']);
    expect(kindsSent(crlf(...SESSION, AUDIO, VIDEO))).toEqual(['audio', 'video']);
  });

  test('where the session has one that sends', () => {
    expect(kindsSent(crlf(...SESSION, 'a=sendonly', AUDIO))).toEqual(['audio']);
  });

  // Tried: Chromium knows no direction of a session, and takes the m-line's as sendrecv.
  test.each(['recvonly', 'inactive'])('and even where the session is %s', (direction) => {
    expect(kindsSent(crlf(...SESSION, `a=${direction}`, AUDIO))).toEqual(['audio']);
  });

  test('but its own direction counts, whatever the session says', () => {
    expect(kindsSent(crlf(...SESSION, 'a=sendrecv', AUDIO, 'a=recvonly'))).toEqual([]);
    expect(kindsSent(crlf(...SESSION, 'a=inactive', AUDIO, 'a=sendonly'))).toEqual(['audio']);
  });
});

describe('a rejected m-line', () => {
  const rejected = (...lines: readonly string[]) =>
    crlf(...SESSION, 'm=audio 0 UDP/TLS/RTP/SAVPF 111', ...lines);

  test('sends nothing, whatever its direction says', () => {
    for (const direction of ['sendrecv', 'sendonly', 'recvonly', 'inactive'])
      expect(kindsSent(rejected(`a=${direction}`))).toEqual([]);
    expect(kindsSent(rejected())).toEqual([]);
  });

  test('RFC 8843, 6: sends if it is bundle-only', () => {
    expect(kindsSent(rejected('a=bundle-only', 'a=sendrecv'))).toEqual(['audio']);
    expect(kindsSent(rejected('a=sendonly', 'a=bundle-only'))).toEqual(['audio']);
    expect(kindsSent(rejected('a=bundle-only'))).toEqual(['audio']);
    expect(kindsSent(rejected('a=bundle-only', 'a=recvonly'))).toEqual([]);
  });

  // Tried: Chromium takes each of them for bundle-only. Firefox reads names in any case.
  test.each(['a=bundle-only ', 'a=bundle-only:x', 'a=bundle-only x', 'a=BUNDLE-ONLY'])(
    '%j is bundle-only, too',
    (line) => {
      expect(kindsSent(rejected('a=sendrecv', line, 'a=mid:0'))).toContain('audio');
    },
  );

  test.each(['00', '-0', '', '0x0', '65536', '9/2', '0/2', ' 0'])('is none with a port of %j', (port) => {
    expect(kindsSent(crlf(...SESSION, `m=audio ${port} UDP/TLS/RTP/SAVPF 111`, 'a=sendrecv'))).toEqual([
      'audio',
    ]);
  });
});

describe('what somebody writes to be read in two ways counts as sent', () => {
  const verdicts = HOSTILE_SDP.map(({ name, sdp, sends }) => ({ name, sends, sent: kindsSent(sdp) }));

  test(`in each of ${HOSTILE_SDP.length} descriptions of the corpus`, () => {
    const missed = verdicts.filter(({ sends, sent }) => sends.some((kind) => !sent.includes(kind)));
    expect(missed.map(({ name }) => name)).toEqual([]);
  });

  test.each(HONEST_SDP)('and what is plain does not: $name', ({ sdp, sends }) => {
    expect(kindsSent(sdp)).toEqual(sends);
  });

  // Tried: both browsers take the first four for sendrecv or sendonly; Firefox takes the next two as well.
  test.each([
    'a=sendrecv:x',
    'a=sendonly:',
    'a=sendrecv',
    'a=sendonly',
    'a=SENDRECV',
    'a=SendOnly',
    'a=sendrecvx',
  ])('a=recvonly and %j send the kind of their m-line', (line) => {
    expect(kindsSent(audio('a=recvonly', line, 'a=mid:0'))).toEqual(['audio']);
    expect(kindsSent(audio(line, 'a=recvonly', 'a=mid:0'))).toEqual(['audio']);
    expect(kindsSent(audio('a=inactive', 'a=mid:0', line))).toEqual(['audio']);
  });

  test.each([
    'a=sendrecv ',
    'a=sendonly x',
    'a=sendrecv\t',
    'a= sendrecv',
    'a=sendonly\r',
    'a=mid:0\0',
    'a=mid:0\u2028',
    'a',
    '',
    'v=0',
    's=-',
    'recvonly',
    ' a=recvonly',
    'a=recvonly\ra=mid:0',
  ])('a line %j is not plain: the whole text counts as sending all', (line) => {
    expect(kindsSent(audio('a=recvonly', line, 'a=mid:0'))).toEqual(['audio', 'video']);
    expect(kindsSent(audio(line, 'a=recvonly'))).toEqual(['audio', 'video']);
  });

  // Tried: Chromium finds no direction in the first two, and takes sendrecv.
  test.each(['a=RECVONLY', 'a=recvonlyx', 'a=recvonly:x', 'a=recv'])(
    '%j alone does not keep an m-line from sending',
    (line) => {
      expect(kindsSent(audio(line))).toEqual(['audio']);
    },
  );

  // Tried: Firefox drops a last line without an end, Chromium the whole description.
  test('a direction in a last line without an end keeps nothing from sending', () => {
    expect(kindsSent(`${crlf(...SESSION, AUDIO)}a=recvonly`)).toEqual(['audio']);
    expect(kindsSent(`${crlf(...SESSION, AUDIO)}a=recvonly\n`)).toEqual([]);
  });

  test.each([
    'm=AUDIO',
    'm=Video',
    'm=text',
    'm=image',
    'm=message',
    'm=',
    'm= audio',
    'm=audio\t9',
    'm=audio,video',
    'm=applications',
  ])('a kind that is none of those known, %j, counts as audio and video', (start) => {
    const kinds = kindsSent(crlf(...SESSION, `${start} 9 UDP/TLS/RTP/SAVPF 0`, 'a=sendrecv'));
    expect(kinds).toEqual(expect.arrayContaining(['audio', 'video']));
  });

  test('lines may end in LF alone, or in both ways in one text', () => {
    const text = CHROMIUM('sendonly', 'recvonly');
    expect(kindsSent(text.replaceAll('\r\n', '\n'))).toEqual(['audio']);
    expect(kindsSent(text.replace('a=sendonly\r\n', 'a=sendonly\n'))).toEqual(['audio']);
    const quiet = CHROMIUM('recvonly', 'inactive');
    expect(kindsSent(quiet.replaceAll('\r\n', '\n'))).toEqual([]);
    expect(kindsSent(quiet.trimEnd())).toEqual([]);
  });

  test('a text that ends in the middle of its last m-line sends that', () => {
    for (const end of ['m=audio', 'm=audio 9', 'm=audio 9 UDP'])
      expect(kindsSent(crlf(...SESSION) + end)).toEqual(['audio']);
  });
});

describe('any text at all', () => {
  const lines = fc.constantFrom(
    ...[
      'v=0',
      's=-',
      AUDIO,
      VIDEO,
      DATA,
      'm=audio 0 X 1',
      'm=',
      'a=sendrecv',
      'a=recvonly',
      'a=inactive',
      'a=',
      '',
    ],
    ...['a=bundle-only', 'm', '=', '\r', '\u0000', '\u2028', 'a=mid:0', ' ', 'm=toString 9', 'a=__proto__'],
  );
  const soup = fc
    .array(
      fc.tuple(fc.oneof(lines, fc.string({ unit: 'binary' })), fc.constantFrom('\r\n', '\n', '\r', '')),
      {
        maxLength: 30,
      },
    )
    .map((parts) => parts.flat().join(''));

  test('is read without a throw, as some of the kinds, in their order', () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.string()), (text) => {
        const kinds = kindsSent(text);
        expect(['audio', 'video', 'message'].filter((kind) => (kinds as string[]).includes(kind))).toEqual(
          kinds,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test('sends all or nothing where no line begins with m=', () => {
    fc.assert(
      fc.property(soup, (text) => {
        fc.pre(!/(^|\n)m=/.test(text));
        expect([[], ['audio', 'video']]).toContainEqual(kindsSent(text));
      }),
    );
  });

  test('sends what its sections send, whatever stands between their lines', () => {
    const sections = fc.array(
      fc.constantFrom(
        [[AUDIO, 'a=sendrecv'], 'audio'],
        [[AUDIO, 'a=recvonly'], undefined],
        [[AUDIO], 'audio'],
        [['m=audio 0 UDP/TLS/RTP/SAVPF 0', 'a=sendrecv'], undefined],
        [[VIDEO, 'a=sendonly'], 'video'],
        [[VIDEO, 'a=inactive'], undefined],
        [['m=video 0 UDP/TLS/RTP/SAVPF 0', 'a=bundle-only', 'a=sendonly'], 'video'],
        [[DATA], undefined],
        [[DATA, 'a=sendrecv'], undefined],
      ) as fc.Arbitrary<readonly [readonly string[], string | undefined]>,
    );
    const noise = fc.constantFrom(
      'a=mid:0',
      'c=IN IP4 0.0.0.0',
      'a=rtcp-mux',
      'a=msid:s t',
      'i=烽火 🔥',
      'b=AS:500',
    );
    fc.assert(
      fc.property(sections, fc.array(noise), fc.constantFrom('\r\n', '\n'), (given, between, end) => {
        const text = [...SESSION, ...given.flatMap(([own]) => own.flatMap((line) => [line, ...between]))]
          .map((line) => line + end)
          .join('');
        const sent = given.map(([, kind]) => kind);
        expect(kindsSent(text)).toEqual(['audio', 'video'].filter((kind) => sent.includes(kind)));
      }),
    );
  });

  test.each([
    ['m-lines', `${AUDIO}\r\n`],
    ['directions', 'a=recvonly\r\n'],
    ['line feeds', '\n'],
    ['blanks', ' '],
    ['carriage returns', '\r'],
    ['beginnings of m-lines', '\nm='],
  ])('of 60 kB of %s is read in no time', (_, part) => {
    const text = crlf(...SESSION) + part.repeat(60_000 / part.length);
    // Of the processor, not of the clock: other tests run beside this one.
    const before = process.cpuUsage();
    kindsSent(text);
    kindsSent(text + AUDIO);
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(500);
  });
});
