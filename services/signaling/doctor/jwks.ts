import { parsePublicKeys } from '../tokens/public-keys.ts';
import { type Finding, fault, ok, reasonOf, warning } from './finding.ts';

const FETCH_MS = 4_000;
/** What a handshake waits for at most, as tokens/remote-keys.ts has it. */
const HANDSHAKE_MS = 1_000;
/** What tokens forgive, as domain/token.ts has it. */
const SKEW_FAULT_MS = 30_000;
const SKEW_WARNING_MS = 5_000;
const BYTES_MAX = 1_048_576;

/** Whether the issuer's keys can be had, and used; and whether its clock and ours agree. */
export async function checkJwks(url: string | undefined): Promise<Finding[]> {
  const check = 'jwks';
  if (url === undefined) return [];
  const startedMs = performance.now();
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS), redirect: 'manual' });
    text = await firstOf(response, BYTES_MAX);
  } catch (error) {
    const why =
      (error as Error).name === 'TimeoutError' ? `no answer within ${FETCH_MS / 1_000} s` : reasonOf(error);
    const cure = `try it from this machine: curl -v "$JWKS_URL"; until it answers, every token is "unavailable"`;
    return [fault(check, `JWKS_URL cannot be had: ${why}`, cure)];
  }
  const tookMs = performance.now() - startedMs;
  if (response.status >= 300 && response.status < 400)
    return [
      fault(check, 'JWKS_URL redirects, which nodes do not follow', 'give the address that it redirects to'),
    ];
  if (!response.ok)
    return [
      fault(
        check,
        `JWKS_URL answers HTTP ${response.status}`,
        "take the jwks_uri of the issuer's /.well-known/openid-configuration",
      ),
    ];
  return [...keysIn(text), ...pace(tookMs), ...clock(response.headers.get('date'))];
}

function keysIn(text: string): Finding[] {
  const check = 'jwks';
  const cure = 'publish RSA keys of 2048 bits or more, P-256 or Ed25519, with "use": "sig"';
  const keys = keysOf(text);
  if (keys === undefined)
    return [
      fault(
        check,
        'what JWKS_URL answers is no JWK Set',
        'it must be {"keys": […]} (RFC 7517): look with curl "$JWKS_URL"',
      ),
    ];
  const isPrivate = keys.some((key) => typeof key === 'object' && key !== null && ('d' in key || 'k' in key));
  if (isPrivate)
    return [
      fault(
        check,
        'JWKS_URL publishes a key that is to be secret: everybody can make tokens',
        'withdraw that key at the issuer now, and make another',
      ),
    ];
  const usable = keys.filter((key) => parsePublicKeys(JSON.stringify(key)) !== undefined);
  if (usable.length === 0)
    return [fault(check, `none of the ${keys.length} keys at JWKS_URL can be used`, cure)];
  const isNamed = usable.every((key) => typeof (key as { kid?: unknown }).kid === 'string');
  if (usable.length > 1 && !isNamed)
    return [
      warning(
        check,
        'several keys, and not all have a "kid": each token is tried with all of them',
        'give each key a "kid"',
      ),
    ];
  return [ok(check, `${usable.length} of ${keys.length} keys at JWKS_URL can be used`)];
}

function keysOf(text: string): unknown[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) ? keys : undefined;
  } catch {
    return undefined;
  }
}

function pace(tookMs: number): Finding[] {
  if (tookMs < HANDSHAKE_MS) return [];
  const text = `JWKS_URL took ${Math.round(tookMs)} ms, and a handshake waits for ${HANDSHAKE_MS} ms`;
  return [warning('jwks', text, 'bring the endpoint nearer, or give the keys as JWT_PUBLIC_KEY')];
}

/** By the Date header, which is to the second. */
function clock(date: string | null): Finding[] {
  const issuerMs = Date.parse(date ?? '');
  if (Number.isNaN(issuerMs)) return [];
  const skewMs = Date.now() - issuerMs - 500;
  const amount = `${Math.round(Math.abs(skewMs) / 1_000)} s ${skewMs > 0 ? 'ahead of' : 'behind'}`;
  const cure = 'set both by NTP: timedatectl set-ntp true';
  if (Math.abs(skewMs) > SKEW_FAULT_MS)
    return [
      fault(
        'clock',
        `this host is ${amount} the issuer: good tokens are refused, or expired ones taken`,
        cure,
      ),
    ];
  if (Math.abs(skewMs) > SKEW_WARNING_MS)
    return [warning('clock', `this host is ${amount} the issuer; 30 s are forgiven`, cure)];
  return [ok('clock', 'agrees with that of the issuer')];
}

/** What it says, up to so many bytes; JSON that is cut off there is none. */
async function firstOf(response: Response, bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes > bytesMax) break;
  }
  return Buffer.concat(parts).toString('utf8', 0, bytesMax);
}
