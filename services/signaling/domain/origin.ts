import { hostName, isLoopback } from './hosts.ts';

/**
 * Only browsers name an origin, and they name it truly. Other clients need none (RFC 6454, 7.3). `allowed` as
 * `originSetting` writes them; undefined: pages of the node's own host name, and of the browser's own machine.
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[] | undefined,
): boolean {
  if (origin === undefined) return true;
  if (allowed !== undefined) return allowed.some((entry) => matches(entry, origin));
  const name = URL.canParse(origin) ? hostName(new URL(origin).hostname) : undefined;
  return name !== undefined && (isLoopback(name) || (host !== undefined && name === hostName(host)));
}

const ANY = '*';
/** Begins an entry for all subdomains of a host. */
const SUBDOMAINS = '*.';
const LABELS = /^[\w-]+(\.[\w-]+)*$/;

function matches(entry: string, origin: string): boolean {
  if (entry === ANY || entry === origin) return true;
  const at = entry.indexOf(SUBDOMAINS);
  if (at < 0) return false;
  const [start, end] = [entry.slice(0, at), entry.slice(at + 1)];
  return (
    origin.startsWith(start) && origin.endsWith(end) && LABELS.test(origin.slice(start.length, -end.length))
  );
}

/** scheme://host, perhaps with a port, as RFC 6454, 6.2, writes an origin; that of a page, not of its WebSocket. A page that was opened from a disk has no host. */
const ORIGIN = /^(?!wss?:)([a-z][a-z\d+.-]*):\/\/(\*\.)?([^*/?#@\s]*)\/?$/i;

/**
 * The form in which a client sends the origin that somebody sets: lower case, without the port that is the scheme's own, with
 * the name of its host in ASCII. `*` is every origin, a leading `*.` every subdomain of the host. Undefined: no client sends it.
 */
export function originSetting(text: string): string | undefined {
  if (text === ANY) return ANY;
  const [, scheme = '', subdomains = '', authority = ''] = ORIGIN.exec(text) ?? [];
  const url = `${scheme.toLowerCase()}://${authority.toLowerCase()}`;
  if (url === 'file://' && subdomains === '') return url;
  if (authority === '' || !URL.canParse(url)) return undefined;
  const { protocol, host, hostname } = new URL(url);
  const isName = hostName(hostname) === hostname && !/^[[\d.]/.test(hostname);
  if (hostname === '' || (subdomains !== '' && !isName)) return undefined;
  return `${protocol}//${subdomains}${host}`;
}
