/** How a token is signed, or what stands where its signature belongs. */
export type Signing =
  /** With the key that the nodes know. */
  | 'known-key'
  /** With another key of the same kind. */
  | 'other-key'
  /** HMAC-SHA256 with the public key's PEM, or its DER, as the secret. */
  | 'hmac-of-pem'
  | 'hmac-of-der'
  /** HMAC-SHA256 with an empty secret. */
  | 'hmac-of-nothing'
  /** The known key's signature in DER, where JWS asks for r and s. */
  | 'known-key-der'
  /** r = s = 0 (CVE-2022-21449). */
  | 'zeros'
  | 'none';

/** A token that no node may take. Texts stand for themselves where an object would be serialized. */
export interface HostileToken {
  readonly header: object | string;
  readonly claims: object | string;
  readonly signing: Signing;
}

const ES256 = { alg: 'ES256', typ: 'JWT' };
const ANN = { sub: 'ann', exp: 4_102_444_800 };
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
/** A P-256 point of the attacker's own. */
const OWN_JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
};

export const HOSTILE_TOKENS: readonly HostileToken[] = [
  { header: { alg: 'none' }, claims: ANN, signing: 'none' },
  { header: { alg: 'nOnE', typ: 'JWT' }, claims: ANN, signing: 'none' },
  { header: { alg: '' }, claims: ANN, signing: 'none' },
  { header: { alg: null }, claims: ANN, signing: 'known-key' },
  { header: { alg: ['ES256'] }, claims: ANN, signing: 'known-key' },
  { header: { alg: { toString: 'ES256' } }, claims: ANN, signing: 'known-key' },
  { header: {}, claims: ANN, signing: 'known-key' },
  { header: ES256, claims: ANN, signing: 'none' },
  { header: ES256, claims: ANN, signing: 'zeros' },
  { header: ES256, claims: ANN, signing: 'known-key-der' },
  { header: ES256, claims: ANN, signing: 'other-key' },
  { header: { alg: 'HS256' }, claims: ANN, signing: 'hmac-of-pem' },
  { header: { alg: 'HS256' }, claims: ANN, signing: 'hmac-of-der' },
  { header: { alg: 'HS256' }, claims: ANN, signing: 'hmac-of-nothing' },
  { header: { alg: 'RS256' }, claims: ANN, signing: 'hmac-of-pem' },
  { header: { alg: 'ES384' }, claims: ANN, signing: 'known-key' },
  { header: { alg: 'ES256K' }, claims: ANN, signing: 'known-key' },
  { header: { alg: 'EdDSA' }, claims: ANN, signing: 'known-key' },
  { header: { alg: '__proto__' }, claims: ANN, signing: 'known-key' },
  { header: { alg: 'constructor' }, claims: ANN, signing: 'known-key' },
  { header: { ...ES256, kid: '../../../../dev/null' }, claims: ANN, signing: 'hmac-of-nothing' },
  { header: { ...ES256, kid: "x' UNION SELECT 'k' -- " }, claims: ANN, signing: 'other-key' },
  { header: { ...ES256, kid: { a: 1 } }, claims: ANN, signing: 'other-key' },
  { header: { ...ES256, kid: 'k'.repeat(4_000) }, claims: ANN, signing: 'other-key' },
  { header: { ...ES256, jku: 'http://127.0.0.66:9/keys' }, claims: ANN, signing: 'other-key' },
  { header: { ...ES256, x5u: 'http://127.0.0.66:9/chain.pem' }, claims: ANN, signing: 'other-key' },
  { header: { ...ES256, jwk: OWN_JWK }, claims: ANN, signing: 'other-key' },
  { header: { ...ES256, jwk: { ...OWN_JWK, x: 'AA', y: 'AA' } }, claims: ANN, signing: 'other-key' },
  { header: { ...ES256, x5c: ['AA==', '%', 7] }, claims: ANN, signing: 'other-key' },
  { header: { ...ES256, crit: ['exp'] }, claims: ANN, signing: 'known-key' },
  { header: { ...ES256, crit: [] }, claims: ANN, signing: 'known-key' },
  { header: { ...ES256, crit: 'b64', b64: false }, claims: ANN, signing: 'known-key' },
  { header: { ...ES256, crit: ['b64'], b64: false }, claims: ANN, signing: 'known-key' },
  { header: { ...ES256, zip: 'DEF' }, claims: 'not deflated', signing: 'known-key' },
  { header: { alg: 'dir', enc: 'A256GCM' }, claims: ANN, signing: 'none' },
  { header: '{"alg":"none","alg":"ES256"}', claims: ANN, signing: 'none' },
  { header: '{"alg":"ES256","__proto__":{"alg":"none"}}', claims: ANN, signing: 'other-key' },
  { header: '[]', claims: ANN, signing: 'known-key' },
  { header: 'null', claims: ANN, signing: 'known-key' },
  { header: '\ud800', claims: ANN, signing: 'known-key' },
  { header: nested(500), claims: ANN, signing: 'known-key' },
  { header: ES256, claims: nested(1_000), signing: 'known-key' },
  { header: ES256, claims: '[]', signing: 'known-key' },
  { header: ES256, claims: 'null', signing: 'known-key' },
  { header: ES256, claims: '', signing: 'known-key' },
  { header: ES256, claims: '{"sub":"ann"', signing: 'known-key' },
  { header: ES256, claims: { sub: 'ann' }, signing: 'known-key' },
  { header: ES256, claims: { ...ANN, exp: 1 }, signing: 'known-key' },
  { header: ES256, claims: { ...ANN, exp: '4102444800' }, signing: 'known-key' },
  { header: ES256, claims: '{"sub":"ann","exp":1e400}', signing: 'known-key' },
  { header: ES256, claims: '{"sub":"ann","exp":-1e400}', signing: 'known-key' },
  { header: ES256, claims: { ...ANN, nbf: 4_102_444_800 }, signing: 'known-key' },
  { header: ES256, claims: { ...ANN, nbf: 'soon' }, signing: 'known-key' },
  { header: ES256, claims: { ...ANN, iat: {} }, signing: 'known-key' },
];

/** Well signed, with claims that a verifier may stumble over: a node takes some and refuses others, and lives. */
export const ODD_CLAIMS: readonly object[] = [
  { sub: '' },
  { sub: 7 },
  { sub: null },
  { sub: ['ann'] },
  { sub: 's'.repeat(3_000) },
  { sub: '__proto__' },
  { sub: 'a\u0000b' },
  { sub: '\ud800' },
  { name: 'n'.repeat(3_000) },
  { name: { first: 'Ann' } },
  { name: '\u202eann' },
  { role: 'admin' },
  { role: ['host'] },
  { role: '__proto__' },
  { room: '' },
  { room: [] },
  { room: [''] },
  { room: {} },
  { room: 7 },
  { room: 'a{b}' },
  { room: 'blue@nowhere' },
  { room: Array.from({ length: 400 }, (_, n) => `room-${n}`) },
  { exp: 9_007_199_254_740_991 },
  { exp: 8_640_000_000_001 },
  { exp: 4_102_444_800.5 },
  { nbf: -1 },
  { iss: ['a', 'b'] },
  { aud: { a: 1 } },
];

/** Texts that are no token at all, as JSON. */
export const NO_TOKENS: readonly string[] = [
  'null',
  '""',
  '7',
  'true',
  '[]',
  '{}',
  '["a"]',
  '{"toString":"a"}',
  '{"length":3,"startsWith":1}',
  '"."',
  '".."',
  '"..."',
  '"a.b.c"',
  '"a.b.c.d.e"',
  '"«long:8192»"',
  '"«long:9000»"',
  '"eyJhbGciOiJFUzI1NiJ9.«long:8000».a"',
  '"\\ud800.\\udfff.\\u0000"',
];
