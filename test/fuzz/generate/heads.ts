import { pick, type Random } from './dice.ts';

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const USUAL = ['Host: «host»', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', KEY];
const TARGET = '/socket.io/?EIO=4&transport=websocket';

function head(target: string, headers: readonly string[], method = 'GET', version = 'HTTP/1.1'): string {
  return `${[`${method} ${target} ${version}`, ...headers].join('\r\n')}\r\n\r\n`;
}

/** The request of an ordinary client. */
export const GOOD_HEAD = head(TARGET, USUAL);

const but = (name: string, ...instead: readonly string[]) => [
  ...USUAL.filter((each) => !each.startsWith(`${name}:`)),
  ...instead,
];

/** Unusual requests. A node may accept them. */
const LENIENT_HEADS: readonly string[] = [
  head(TARGET, [...USUAL, 'X-Forwarded-For: 203.0.113.7']),
  head(TARGET, [...USUAL, 'X-Forwarded-For: «long:4000»', 'Forwarded: for=x;host=y']),
  head(TARGET, [...USUAL, 'Origin: http://«host»']),
  head(TARGET, [...USUAL, 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits']),
  head(TARGET, [...USUAL, 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99']),
  head(TARGET, [...USUAL, 'Sec-WebSocket-Extensions: ,;,;"']),
  head(TARGET, [...USUAL, 'Sec-WebSocket-Protocol: a, b, c']),
  head(TARGET, [...USUAL, 'Sec-WebSocket-Protocol: ,,']),
  head(TARGET, [...USUAL, 'Cookie: «long:6000»']),
  head(TARGET, [...USUAL, 'Content-Length: 4']),
  head(TARGET, [...USUAL, 'Transfer-Encoding: chunked']),
  head(TARGET, [...USUAL, 'Expect: 100-continue']),
  head(TARGET, [...USUAL, ...Array.from({ length: 200 }, (_, n) => `X-${n}: ${n}`)]),
  head(`${TARGET}&sid=none`, USUAL),
  head(`${TARGET}&t=%00%ff&t=2&__proto__=1&EIO=4`, USUAL),
  head(`${TARGET}&${'a=1&'.repeat(2_000)}`, USUAL),
  head(`http://evil.example${TARGET}`, USUAL),
  head(TARGET, but('Host', 'Host: evil.example:3001')),
  head(TARGET, but('Host', 'Host: «host»', 'Host: evil.example')),
  head(TARGET, but('Connection', 'Connection: keep-alive, Upgrade')),
];

/** Requests that should not open a WebSocket. */
const BAD_HEADS: readonly string[] = [
  head('/socket.io/?EIO=3&transport=websocket', USUAL),
  head('/socket.io/?EIO=4', USUAL),
  head('/socket.io/?EIO=4&transport=polling', USUAL),
  head('/socket.io/?EIO=4&transport=polling', ['Host: «host»']),
  head('/socket.io/?EIO=4&transport=polling&sid=x', ['Host: «host»', 'Content-Length: 2'], 'POST'),
  head('/socket.io/?EIO=4&transport=__proto__', USUAL),
  head('/socket.io/?EIO=4&transport=webtransport', USUAL),
  head('/socket.io', USUAL),
  head('/socket.io/../socket.io/?EIO=4&transport=websocket', USUAL),
  head('//socket.io/?EIO=4&transport=websocket', USUAL),
  head('/%73ocket.io/?EIO=4&transport=websocket', USUAL),
  head('/', USUAL),
  head('*', USUAL, 'OPTIONS'),
  head('http://', USUAL),
  head('//[', USUAL),
  head('/socket.io/?EIO=4&transport=websocket', USUAL, 'POST'),
  head(TARGET, USUAL, 'CONNECT'),
  head(TARGET, USUAL, 'GET', 'HTTP/1.0'),
  head(TARGET, USUAL, 'GET', 'HTTP/2.0'),
  head(TARGET, but('Host')),
  head(TARGET, but('Sec-WebSocket-Key')),
  head(TARGET, but('Sec-WebSocket-Key', 'Sec-WebSocket-Key: short')),
  head(TARGET, but('Sec-WebSocket-Key', KEY, KEY)),
  head(TARGET, but('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 12')),
  head(TARGET, but('Sec-WebSocket-Version')),
  head(TARGET, but('Upgrade', 'Upgrade: h2c')),
  head(TARGET, but('Upgrade', 'Upgrade: websocket, websocket')),
  head(TARGET, but('Connection', 'Connection: close')),
  head(TARGET, [...USUAL, 'Origin: http://evil.example']),
  head(TARGET, [...USUAL, 'Origin: null']),
  head(TARGET, [...USUAL, 'Origin: «long:5000»']),
  head(TARGET, [...USUAL, 'Cookie: «long:20000»']),
  head(TARGET, [...USUAL, ...Array.from({ length: 3_000 }, (_, n) => `X-${n}: ${n}`)]),
  head(TARGET, [...USUAL, 'X: \u0000']),
  head(TARGET, [...USUAL, 'no colon']),
  head('/ice', ['Host: «host»', 'Authorization: Bearer «jwt:hostile:1»']),
  head('/ice', ['Host: «host»', 'Authorization: Bearer «jwt:good:1»']),
  head('/ice', ['Host: «host»', 'Authorization: «long:9000»']),
  head('/regions', ['Host: «host»']),
  head('/%E0%A4%A', ['Host: «host»']),
  head('/../../etc/passwd', ['Host: «host»']),
  head('/', ['Host: «host»', 'Range: bytes=0-,-1,0-0']),
  head('/', ['Host: «host»', 'If-Modified-Since: never', 'Accept-Encoding: «long:3000»']),
  head('/', ['Host: «host»', 'Content-Length: 99999999999999999999'], 'POST'),
  head('/', ['Host: «host»', 'Transfer-Encoding: chunked', 'Content-Length: 3'], 'POST'),
  `${head('/', ['Host: «host»', 'Transfer-Encoding: chunked'], 'POST')}ffffffffff\r\n`,
  `${head('/', ['Host: «host»'])}${head('/', ['Host: «host»'])}${head('/regions', ['Host: «host»'])}`,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'GET',
  'GET / HTTP/1.1\r\n',
  'GET / HTTP/1.1\r\nHost: «host»\r\nX: «long:70000»',
  '\r\n\r\n\r\n',
  '\u0000\u0000\u0000\u0000',
];

export function lenientHead(random: Random): string {
  return pick(random, LENIENT_HEADS);
}

export function badHead(random: Random): string {
  return pick(random, BAD_HEADS);
}
