/**
 * The names under which a listener answers. A name that somebody else points at this machine (DNS rebinding) makes their
 * page one of the node's own to a browser. The browser still says the name in Host.
 */
export interface KnownHosts {
  /** Every name is good. */
  readonly isAny: boolean;
  /** As `hostName` writes them. This machine's loopback is known without. */
  readonly names: ReadonlySet<string>;
  /** With a dot before them: every subdomain of these is known. */
  readonly parents: readonly string[];
  /** Whether one of this machine's interfaces has that address now. */
  readonly isOwnAddress: (name: string) => boolean;
}

export type HostVerdict = 'known' | 'unknown' | 'malformed';

/**
 * Judges a request by the values of its Host fields. RFC 9112, 3.2: two are malformed. A request without one is no
 * browser's: HTTP/1.0, as load balancers' checks speak it.
 */
export function judgeHost(fields: readonly string[], known: KnownHosts): HostVerdict {
  const [field, another] = fields;
  if (known.isAny || field === undefined) return 'known';
  const name = another === undefined ? hostName(field) : undefined;
  if (name === undefined) return 'malformed';
  const isNamed = known.names.has(name) || known.parents.some((parent) => name.endsWith(parent));
  return isLoopback(name) || isNamed || known.isOwnAddress(name) ? 'known' : 'unknown';
}

const NAME = /^(?:\[[\da-f:.]+\]|[\w.-]+)$/i;
const PORT = /:\d*$/;

/**
 * The one spelling of a Host's name or address, without its port: lower case, no final dot, IPv6 in brackets and as
 * short as can be, IPv4 where IPv6 only wraps it. Undefined where it is neither (RFC 3986, 3.2.2).
 */
export function hostName(host: string): string | undefined {
  if (!NAME.test(host.replace(PORT, '')) || !URL.canParse(`http://${host}`)) return undefined;
  const { hostname } = new URL(`http://${host}`);
  return (mappedIPv4(hostname) ?? hostname).replace(/\.$/, '') || undefined;
}

/** The same for what a person sets: without a port, and IPv6 with or without brackets. */
export function hostSetting(text: string): string | undefined {
  const name = text.includes(':') && !text.startsWith('[') ? `[${text}]` : text;
  return NAME.test(name) && !name.startsWith('.') ? hostName(name) : undefined;
}

/** RFC 6761, 6.3; RFC 1122, 3.2.1.3; RFC 4291, 2.5.3. */
export function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || /^127(\.\d+){3}$/.test(name);
}

/** RFC 4291, 2.5.5.2. */
function mappedIPv4(name: string): string | undefined {
  const [, high, low] = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/.exec(name) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [one, two] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [one >> 8, one & 0xff, two >> 8, two & 0xff].join('.');
}
