import { hostName } from './hosts.ts';

/** Only browsers name an origin, and they name it truly; others are let in without one (RFC 6454, 7.3). */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[] | undefined,
): boolean {
  if (origin === undefined) return true;
  if (allowed !== undefined) return allowed.includes('*') || allowed.includes(origin);
  return host !== undefined && URL.canParse(origin) && isSame(new URL(origin).hostname, host);
}

function isSame(one: string, other: string): boolean {
  const name = hostName(one);
  return name !== undefined && name === hostName(other);
}
