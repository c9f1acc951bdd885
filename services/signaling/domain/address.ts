import ipaddr from 'ipaddr.js';

/** What limits and bans take for one sender: an IPv4 address, or an IPv6 /64, which one line is given (RFC 6177). */
export type Network = string & { readonly __brand: 'Network' };

/** Longer than any address with brackets, a zone and a port. */
const TEXT_CHARS_MAX = 128;

/**
 * The canonical form of an address, however a socket or a proxy writes it: without port, brackets, quotes and zone; IPv4
 * where it is mapped into IPv6; IPv6 as RFC 5952 has it. Undefined: it is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  if (text.length > TEXT_CHARS_MAX) return undefined;
  const bare = bareOf(text.trim().replaceAll('"', ''));
  if (!ipaddr.IPv6.isValid(bare) && !ipaddr.IPv4.isValidFourPartDecimal(bare)) return undefined;
  const address = ipaddr.parse(bare);
  return (isMapped(address) ? address.toIPv4Address() : address).toString();
}

/** Of a canonical address; a text that is none is a network of its own. */
export function networkOf(address: string): Network {
  if (!ipaddr.IPv6.isValid(address)) return address as Network;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`)}/64` as Network;
}

/** Whether it belongs to a machine of one's own: a proxy, where it stands for many. */
export function isPrivate(address: string): boolean {
  const bare = address.replace(/\/64$/, '');
  return ipaddr.isValid(bare) && PRIVATE.has(ipaddr.parse(bare).range());
}

const PRIVATE: ReadonlySet<string> = new Set([
  'loopback',
  'private',
  'uniqueLocal',
  'linkLocal',
  'carrierGradeNat',
]);

function isMapped(address: ipaddr.IPv4 | ipaddr.IPv6): address is ipaddr.IPv6 {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();
}

/** `[::1]:80`, `[::1]`, `10.0.0.1:80`, `fe80::1%eth0`: what is left of each. */
function bareOf(text: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? [];
  const host = bracketed ?? text.replace(/^([\d.]+):\d{1,5}$/, '$1');
  return host.replace(/%.*$/, '');
}
