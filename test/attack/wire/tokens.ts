import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export const SIGNATURES = ['HS256', 'ES256', 'EdDSA', 'RS256'] as const;
export type Signature = (typeof SIGNATURES)[number];

/** What tokens are signed with: a secret, or private keys as PEM. */
export type SigningKeys = Readonly<Record<Signature, string>>;

const TOKEN_S = 3_600;
const RSA_BITS = 2_048;

/** Keys of each kind, and the public ones as JWT_PUBLIC_KEY takes them. */
export function newKeys(secret: string): { readonly keys: SigningKeys; readonly publicKeys: string } {
  const pairs = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('rsa', { modulusLength: RSA_BITS }),
  ] as const;
  const [ec = '', ed = '', rsa = ''] = pairs.map(({ privateKey }) => pem(privateKey, 'pkcs8'));
  return {
    keys: { HS256: secret, ES256: ec, EdDSA: ed, RS256: rsa },
    publicKeys: pairs.map(({ publicKey }) => pem(publicKey, 'spki')).join('\n'),
  };
}

/** A JWT (RFC 7515), good for an hour. */
export function tokenOf(claims: object, keys: SigningKeys, alg: Signature = 'HS256'): string {
  const exp = Math.floor(Date.now() / 1_000) + TOKEN_S;
  const text = [
    { alg, typ: 'JWT' },
    { exp, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${signatureOf(text, keys[alg], alg)}`;
}

function signatureOf(text: string, key: string, alg: Signature): string {
  if (alg === 'HS256') return createHmac('sha256', key).update(text).digest('base64url');
  const hash = alg === 'EdDSA' ? null : 'sha256';
  return sign(hash, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

function pem(key: KeyObject, type: 'pkcs8' | 'spki'): string {
  return key.export({ type, format: 'pem' }) as string;
}
