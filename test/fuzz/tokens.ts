import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

import { ROLES } from '@fenghuo/protocol';

import { HOSTILE_TOKENS, type HostileToken, ODD_CLAIMS, type Signing } from './corpus/jwt.ts';

/** Good and hostile tokens, and the key that the nodes of a run trust. */
export interface Tokens {
  /** The nodes' JWT_PUBLIC_KEY. */
  readonly publicKey: string;
  good(claims: object): string;
  /** By the name in a reference, as «jwt:good:3»: `good`, `short` (good for two seconds), `odd`, `hostile`. */
  named(kind: string, number: number): string;
}

const HOUR_S = 3_600;
const SHORT_S = 2;
const USERS = 8;

export function makeTokens(): Tokens {
  const known = newKey();
  const other = newKey();
  const pem = known.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const der = known.publicKey.export({ type: 'spki', format: 'der' });
  const secrets: Partial<Record<Signing, string | Buffer>> = {
    'hmac-of-pem': pem,
    'hmac-of-der': der,
    'hmac-of-nothing': '',
  };

  function signature(text: string, signing: Signing): string {
    const secret = secrets[signing];
    if (secret !== undefined) return createHmac('sha256', secret).update(text).digest('base64url');
    if (signing === 'none') return '';
    if (signing === 'zeros') return Buffer.alloc(64).toString('base64url');
    const key = signing === 'other-key' ? other.privateKey : known.privateKey;
    const dsaEncoding = signing === 'known-key-der' ? 'der' : 'ieee-p1363';
    return sign('sha256', Buffer.from(text), { key, dsaEncoding }).toString('base64url');
  }

  function make({ header, claims, signing }: HostileToken): string {
    const body = [header, claims].map(encoded).join('.');
    return `${body}.${signature(body, signing)}`;
  }

  const inSeconds = (seconds: number) => ({ exp: Math.floor(Date.now() / 1_000) + seconds });
  const good = (claims: object) =>
    make({ header: { alg: 'ES256', typ: 'JWT' }, claims, signing: 'known-key' });

  return {
    publicKey: pem.trim().replaceAll('\n', '\\n'),
    good: (claims) => good({ ...inSeconds(HOUR_S), ...claims }),
    named(kind, number) {
      const user = { sub: `fuzz-${number % USERS}`, role: at(ROLES, number) };
      if (kind === 'short') return good({ ...user, ...inSeconds(SHORT_S) });
      if (kind === 'odd') return good({ ...user, ...inSeconds(HOUR_S), ...at(ODD_CLAIMS, number) });
      if (kind === 'hostile') return make(at(HOSTILE_TOKENS, number));
      return good({ ...user, ...inSeconds(HOUR_S) });
    },
  };
}

function newKey(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function encoded(part: object | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/** A mutated reference may have any number, or none. */
function at<Value>(list: readonly Value[], number: number): Value {
  return (list[Math.abs(number) % list.length] ?? list[0]) as Value;
}
