import { hostSetting } from './hosts.ts';

/** Where a STUN or TURN server listens, and what it is. */
export interface IceUrl {
  readonly scheme: 'stun' | 'stuns' | 'turn' | 'turns';
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls' | 'dtls';
}

/** The default ports of RFC 7064, 3.2, and RFC 7065, 3.2. */
const PORT = 3_478;
const SECURE_PORT = 5_349;
const PORT_MAX = 65_535;
/** Browsers take a scheme and a transport in any case, and the word before it in small letters alone. */
const URL_PARTS = /^([a-z]+):(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?(?:\?transport=([a-z]+))?$/;
const SCHEMES = ['stun', 'stuns', 'turn', 'turns'];
const TRANSPORTS = ['udp', 'tcp'];

/**
 * Reads what an RTCPeerConnection takes (RFC 7064; RFC 7065 with the transports of W3C WebRTC, 4.2.4). Undefined where it would
 * throw, and a page could call nobody.
 */
export function parseIceUrl(url: string): IceUrl | undefined {
  const [whole, word = ''] = /\?([^=]*)=/.exec(url) ?? [];
  const [, scheme = '', host = '', portText, transport] = URL_PARTS.exec(url.toLowerCase()) ?? [];
  if (!SCHEMES.includes(scheme) || (whole !== undefined && word !== 'transport')) return undefined;
  if (transport !== undefined && !TRANSPORTS.includes(transport)) return undefined;
  const isSecure = scheme.endsWith('s');
  const port = portText === undefined ? (isSecure ? SECURE_PORT : PORT) : Number(portText);
  const hasForbiddenQuery = scheme.startsWith('stun') && transport !== undefined;
  if (hostSetting(host) === undefined || port < 1 || port > PORT_MAX || hasForbiddenQuery) return undefined;
  const isUdp = (transport ?? (isSecure ? 'tcp' : 'udp')) === 'udp';
  return {
    scheme: scheme as IceUrl['scheme'],
    host: host.replace(/^\[(.+)\]$/, '$1'),
    port,
    transport: isSecure ? (isUdp ? 'dtls' : 'tls') : isUdp ? 'udp' : 'tcp',
  };
}

export function isStunUrl(url: string): boolean {
  return parseIceUrl(url)?.scheme.startsWith('stun') ?? false;
}

export function isTurnUrl(url: string): boolean {
  return parseIceUrl(url)?.scheme.startsWith('turn') ?? false;
}
