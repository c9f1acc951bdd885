import type { Candidate, Description } from '@fenghuo/protocol';

import type { Stamp } from '../ledger.ts';
import { stampText } from '../stamp.ts';

/** What a signal is in a call. */
export type SignalKind = 'offer' | 'answer' | 'candidate';

/** A camera and a microphone of a browser, cut down to a few codecs: with the stamp about 1.5 KB. */
const MEDIA = `t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS stream
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:8hhY
a=ice-pwd:asd88fgpdd777uzjYhagZg7b
a=ice-options:trickle
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=ssrc:3735928559 cname:4beaconfire
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=ice-ufrag:8hhY
a=ice-pwd:asd88fgpdd777uzjYhagZg7b
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:1
a=sendrecv
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
`.replaceAll('\n', '\r\n');

/** Of these a browser with one network finds about ten: its own addresses, and those that STUN and TURN show. */
const CANDIDATES = [
  '1 1 udp 2122260223 192.168.0.17 54400 typ host',
  '2 1 udp 2122194687 10.8.0.2 54401 typ host',
  '3 1 tcp 1518280447 192.168.0.17 9 typ host tcptype active',
  '4 1 udp 1686052607 203.0.113.7 54400 typ srflx raddr 192.168.0.17 rport 54400',
  '5 1 udp 41885439 198.51.100.4 61001 typ relay raddr 203.0.113.7 rport 54400',
];

/** The body of a signal, with its stamp where a browser has a name of its own: the session's name, or a candidate's end. */
export function contentOf(
  kind: SignalKind,
  stamp: Stamp,
): { readonly description: Description } | { readonly candidate: Candidate } {
  if (kind !== 'candidate') {
    const origin = `o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=${stampText(stamp)}\r\n`;
    const media = kind === 'offer' ? MEDIA : MEDIA.replaceAll('a=setup:actpass', 'a=setup:active');
    return { description: { type: kind, sdp: `v=0\r\n${origin}${media}` } };
  }
  const text = CANDIDATES[stamp.n % CANDIDATES.length];
  const candidate = `candidate:${text} generation 0 ufrag 8hhY network-cost 999 ${stampText(stamp)}`;
  return { candidate: { candidate, sdpMid: '0', sdpMLineIndex: 0, usernameFragment: '8hhY' } };
}
