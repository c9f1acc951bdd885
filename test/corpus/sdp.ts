/** A session description, and the kinds of media that its author sends. */
export interface SdpCase {
  /** What is special about it. */
  readonly name: string;
  readonly sdp: string;
  readonly sends: readonly ('audio' | 'video')[];
}

const SESSION = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=ice-ufrag:zVTc',
  'a=ice-pwd:vzTwchcWriYQgDSteE5sbrIj',
  'a=fingerprint:sha-256 A2:F5:6E:31:87:2D:1D:A3:9E:DD:E6:49:91:59:BF:47:01:69:26:2D:9F:D4:6C:B5:0C:48:56:55:78:E7:6E:28',
  'a=setup:actpass',
];
const AUDIO = media('m=audio 9 UDP/TLS/RTP/SAVPF 111', 0, 'a=rtpmap:111 opus/48000/2');
const VIDEO = media('m=video 9 UDP/TLS/RTP/SAVPF 96', 1, 'a=rtpmap:96 VP8/90000');
const AUDIO_2 = media('m=audio 9 UDP/TLS/RTP/SAVPF 111', 3, 'a=rtpmap:111 opus/48000/2');
const VIDEO_2 = media('m=video 9 UDP/TLS/RTP/SAVPF 96', 4, 'a=rtpmap:96 VP8/90000');
const DATA = [
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=mid:2',
  'a=sctp-port:5000',
];

function media(line: string, mid: number, rtpmap: string): readonly string[] {
  return [line, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`, 'a=rtcp-mux', rtpmap];
}

/** Lines as browsers write them. */
function text(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join('');
}

/** A description of one m-line of audio that ends with these lines. */
const audio = (...lines: readonly string[]) => text(...SESSION, ...AUDIO, ...lines);

/** One whose m-line has another beginning. */
const beginning = (mLine: string, ...lines: readonly string[]) =>
  text(...SESSION, mLine, ...AUDIO.slice(1), ...lines);

/** With its m-lines in one bundle, which bundle-only asks for. */
const bundled = (sdp: string) => sdp.replace('a=setup', 'a=group:BUNDLE 0\r\na=setup');

/** What some program takes for a blank, for the end of a line or of the text, or passes over. */
const ODD_CHARACTERS: readonly string[] = [
  ...Array.from({ length: 0x21 }, (_, code) => String.fromCharCode(code)).filter((each) => each !== '\n'),
  ...['\u007f', '\u0080', '\u0085', '\u009f', '\u00a0', '\u00ad', '\u1680', '\u180e', '\u2000', '\u200b'],
  ...['\u200d', '\u2028', '\u2029', '\u202e', '\u202f', '\u205f', '\u2060', '\u3000', '\ufeff', '\ufffd'],
  ...['\ud800', '\udc00'],
];

/** What ends a line, or the text, to some program that is no browser. */
const SEPARATORS = ['\0', '\r', '\v', '\f', '\u001c', '\u001d', '\u001e', '\u0085', '\u2028', '\u2029'];

const QUIET = ['a=recvonly', 'a=inactive'] as const;

/** Ways to write a direction that sends, each of which some program reads. */
const LOUD: readonly string[] = ['a=sendrecv', 'a=sendonly'].flatMap((line) => [
  ...[
    line,
    `${line} `,
    `${line}:x`,
    `${line} x`,
    `${line}x`,
    `${line}/1`,
    `${line};`,
    `${line}=1`,
    `${line}:`,
  ],
  ...[line.toUpperCase(), line.replace('s', 'S'), line.replace('a', 'A'), line.replace('=', '= ')],
  ...[line.replace('=', '=:'), line.replace('=', ' ='), ` ${line}`, `${line}é`],
]);

/** Each sends audio to at least one reader that browsers, or other programs, have; none says so plainly. */
export const HOSTILE_SDP: readonly SdpCase[] = [
  ...ODD_CHARACTERS.flatMap((odd) =>
    QUIET.flatMap((line) => [
      hostile(audio(line + odd), 'the last line is', line + odd),
      hostile(beginning(AUDIO[0] ?? '', line + odd), 'a line in the middle is', line + odd),
      hostile(audio(odd + line), 'the last line is', odd + line),
      hostile(audio(`a=${odd}${line.slice(2)}`), 'the last line is', `a=${odd}${line.slice(2)}`),
      hostile(audio(`a${odd}${line.slice(1)}`), 'the last line is', `a${odd}${line.slice(1)}`),
      hostile(audio(`${line.slice(0, 5)}${odd}${line.slice(5)}`), 'there is one in', `${line}, ${odd}`),
      hostile(audio(line + odd).slice(0, -2), 'the text ends in', line + odd),
      ...['a=sendrecv', 'a=sendonly'].flatMap((loud) => [
        hostile(audio(line + odd + loud), 'one line is', line + odd + loud),
        hostile(audio(loud + odd + line), 'one line is', loud + odd + line),
        hostile(audio(line, loud + odd), `${line}, and then`, loud + odd),
        hostile(audio(line, odd + loud), `${line}, and then`, odd + loud),
      ]),
    ]),
  ),
  ...QUIET.flatMap((quiet) =>
    LOUD.flatMap((loud) => [
      hostile(audio(quiet, loud), `${quiet}, and then`, loud),
      hostile(audio(loud, quiet), `${quiet} after`, loud),
      hostile(audio(quiet, loud, quiet), `between two of ${quiet}`, loud),
    ]),
  ),
  ...SEPARATORS.flatMap((end) => [
    hostile(audio(`a=x-note:1${end}`, 'a=recvonly'), 'before a=recvonly a value ends in', end),
    hostile(audio(`a=x-note:1${end}a=sendonly`, 'a=recvonly'), 'a value holds a line after', end),
    hostile(
      audio('a=recvonly').replace('s=-', `s=-${end}m=audio 9 RTP/AVP 0`),
      'the name holds an m-line after',
      end,
    ),
    hostile(audio('a=recvonly').replaceAll('\r\n', end), 'all lines end in', end),
    hostile(audio('a=recvonly').replaceAll('\r\n', `\r${end}\n`), 'all lines end in', `\r${end}\n`),
    hostile(audio('a=recvonly').replaceAll('\r\n', `\n${end}`), 'all lines end in', `\n${end}`),
  ]),
  ...[
    ...['a=RECVONLY', 'a=recvonlyx', 'a=recv', 'recvonly', ' a=recvonly', 'A=recvonly', 'a=recvonly:x'],
    ...['a=recvonly x', 'a=recvonly,sendonly', 'a=recvonly;a=sendonly', 'a=recvonly\\r\\na=sendonly'],
    ...['a=recvοnly', 'a=ｒｅｃｖｏｎｌｙ', 'a=%72ecvonly', 'b=recvonly', 'a=', 'a', '=', 'a=x', ''],
  ].map((line) => hostile(audio(line), 'the only direction is', line)),
  ...['', '\r', ' ', '\t', 'end', '--boundary', ...[...'dfghjlnopqrstuvwxyz'].map((type) => `${type}=0`)].map(
    (line) => hostile(audio(line, 'a=recvonly'), 'a=recvonly comes after the line', line),
  ),
  ...[...QUIET, ...LOUD].map((line) =>
    hostile(audio().replace('a=setup', `${line}\r\na=setup`), 'the session alone has', line),
  ),
  ...['00', '-0', '+0', '', '0x0', '65536', '9/2', '0/2', ' 0', '0.0', '0\t', '０', '1'].map((port) =>
    hostile(beginning(`m=audio ${port} UDP/TLS/RTP/SAVPF 111`, 'a=sendrecv'), 'a port of', port),
  ),
  ...['a=bundle-only', 'a=bundle-only ', 'a=bundle-only:x', 'a=bundle-only x', 'a=BUNDLE-ONLY'].map((line) =>
    hostile(
      bundled(beginning('m=audio 0 UDP/TLS/RTP/SAVPF 111', 'a=sendrecv', line)),
      'a port of 0 and',
      line,
    ),
  ),
  ...[
    'AUDIO',
    'Audio',
    'text',
    'image',
    'message',
    '',
    ' audio',
    'audio\t9',
    'audio,video',
    'applications',
  ].map((kind) => hostile(beginning(`m=${kind} 9 UDP/TLS/RTP/SAVPF 111`, 'a=sendrecv'), 'a kind of', kind)),
  ...['m=audio', 'm=audio 9', 'm=audio 9 UDP'].map((end) =>
    hostile(text(...SESSION) + end, 'the text ends in', end),
  ),
  ...[
    ['M=audio 9 UDP/TLS/RTP/SAVPF 111'],
    [' m=audio 9 UDP/TLS/RTP/SAVPF 111'],
    ['\ufeffm=audio 9 UDP/TLS/RTP/SAVPF 111'],
    ['m =audio 9 UDP/TLS/RTP/SAVPF 111'],
  ].map((mLine) =>
    hostile(
      text(...SESSION, ...VIDEO, 'a=recvonly', ...mLine, ...AUDIO.slice(1), 'a=sendrecv'),
      'a section begins',
      mLine[0] ?? '',
    ),
  ),
  hostile(audio('a=recvonly').trimEnd(), 'there is no end of the last line', 'a=recvonly'),
  hostile(
    text(...SESSION, ...AUDIO, 'a=recvonly', ...AUDIO_2, 'a=sendonly'),
    'the second of two m-lines is',
    'a=sendonly',
  ),
  hostile(
    text(...SESSION, ...AUDIO, 'a=sendonly', ...AUDIO_2, 'a=recvonly'),
    'the first of two m-lines is',
    'a=sendonly',
  ),
];

function hostile(sdp: string, what: string, part: string): SdpCase {
  return { name: `${what} ${quoted(part)}`, sdp, sends: ['audio'] };
}

function quoted(part: string): string {
  const escaped = (each: string) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(part).replace(/[^ -~]/g, escaped);
}

const call = (audioLines: readonly string[], videoLines: readonly string[]) =>
  text(...SESSION, ...AUDIO, ...audioLines, ...VIDEO, ...videoLines, ...DATA);

/** Written as programs do that mean what they say: each is to be read as exactly that. */
export const HONEST_SDP: readonly SdpCase[] = [
  ...(['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const).flatMap((first) =>
    (['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const).map((second) =>
      honest(`audio ${first}, video ${second}`, call([`a=${first}`], [`a=${second}`]), {
        audio: first.startsWith('send'),
        video: second.startsWith('send'),
      }),
    ),
  ),
  honest('no direction at all', call([], []), { audio: true, video: true }),
  honest('data alone', text(...SESSION, ...DATA), {}),
  honest('data with a direction', text(...SESSION, ...DATA, 'a=sendrecv'), {}),
  honest('no m-line', text(...SESSION), {}),
  ...[
    ...['a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level', 'a=extmap:2/sendrecv urn:x:a'],
    ...['a=simulcast:send 1;2 recv 3', 'a=imageattr:111 send [x=1,y=1] recv *', 'a=rid:1 send pt=111'],
    ...[
      'a=x-sendonly:1',
      'a=note:a=sendonly',
      'i=sendrecv',
      'i=\u70fd\u706b \u{1f525}',
      'i=a\tb',
      'a=tool:\u00a0é',
    ],
    ...[
      'a=fmtp:111 minptime=10;useinbandfec=1;x=sendrecv',
      'a=ssrc:1 cname:sendonly',
      'b=AS:500',
      'a=rtcp-rsize',
    ],
    ...[
      'a=msid:sendrecv sendonly',
      'a=rtcp-fb:111 transport-cc',
      'a=candidate:1 1 udp 1 192.0.2.1 9 typ host',
    ],
  ].flatMap((line) =>
    QUIET.flatMap((quiet) => [
      honest(`${quiet} and ${line}`, audio(quiet, line), {}),
      honest(`${line} and ${quiet}`, audio(line, quiet), {}),
    ]),
  ),
  honest('recvonly and inactive', audio('a=recvonly', 'a=inactive'), {}),
  honest('lines that end in LF', audio('a=recvonly').replaceAll('\r\n', '\n'), {}),
  honest('lines that end in both ways', audio('a=recvonly').replace('a=rtcp-mux\r\n', 'a=rtcp-mux\n'), {}),
  honest('no end of the last line', audio('a=recvonly', 'a=rtcp-rsize').trimEnd(), {}),
  honest('empty lines at the end', `${audio('a=recvonly')}\r\n\n`, {}),
  ...['sendrecv', 'sendonly', 'recvonly', 'inactive'].map((direction) =>
    honest(`rejected, ${direction}`, beginning('m=audio 0 UDP/TLS/RTP/SAVPF 111', `a=${direction}`), {}),
  ),
  honest('rejected, without a direction', beginning('m=audio 0 UDP/TLS/RTP/SAVPF 111'), {}),
  honest(
    'bundle-only and recvonly',
    bundled(beginning('m=audio 0 UDP/TLS/RTP/SAVPF 111', 'a=bundle-only', 'a=recvonly')),
    {},
  ),
  honest(
    'a session that sends, an m-line that does not',
    audio('a=recvonly').replace('a=setup', 'a=sendrecv\r\na=setup'),
    {},
  ),
  honest(
    'several m-lines that receive',
    text(...SESSION, ...AUDIO, 'a=recvonly', ...VIDEO, 'a=recvonly', ...VIDEO_2, 'a=inactive'),
    {},
  ),
];

function honest(name: string, sdp: string, sent: { audio?: boolean; video?: boolean }): SdpCase {
  return { name, sdp, sends: (['audio', 'video'] as const).filter((kind) => sent[kind]) };
}
