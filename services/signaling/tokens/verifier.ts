import { createSecretKey, type KeyObject } from 'node:crypto';
import {
  decodeProtectedHeader,
  errors,
  type JWTClaimVerificationOptions,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
} from 'jose';
import { CLOCK_SKEW_MS, type TokenFault, type Verified, type VerifyToken } from '../domain/token.ts';
import { identityOf } from './claims.ts';
import { verifyHs256 } from './hs256.ts';
import type { PublicKey } from './public-keys.ts';
import { type Found, RemoteKeys, type RemoteKeysOptions } from './remote-keys.ts';

/** Whose tokens are taken. Several kinds of keys may be given at once, while one follows another. */
export interface TokenSettings {
  readonly secrets: readonly string[];
  readonly publicKeys: readonly PublicKey[];
  readonly jwksUrl: string | undefined;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

export interface TokenVerifierOptions extends RemoteKeysOptions {
  readonly wallMs: () => number;
  readonly onRefused: (fault: TokenFault) => void;
}

export interface TokenVerifier {
  readonly verify: VerifyToken;
  close(): void;
}

/** A longer one is refused before anything of it is read. */
const TOKEN_CHARS_MAX = 8_192;

const ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

interface Key {
  readonly alg: Algorithm;
  readonly key: KeyObject;
}

type Outcome = Verified | { readonly ok: false; readonly fault: TokenFault; readonly wrong?: string };

export function tokenVerifier(settings: TokenSettings, options: TokenVerifierOptions): TokenVerifier {
  const { jwksUrl } = settings;
  const remote = jwksUrl === undefined ? undefined : new RemoteKeys(new URL(jwksUrl), options);
  // An algorithm belongs to each key, so that no public key is ever taken for the secret of an HS256.
  const keys: Key[] = [
    ...settings.secrets.map((secret): Key => ({ alg: 'HS256', key: createSecretKey(secret, 'utf8') })),
    ...settings.publicKeys,
  ];

  const readHeader = headerReader();

  async function examine(token: unknown): Promise<Outcome> {
    if (token === undefined || token === null || token === '') return fail('missing');
    if (typeof token !== 'string') return fail('malformed');
    if (token.length > TOKEN_CHARS_MAX) return fail('too_long');
    const header = readHeader(token);
    if (header === undefined) return fail('malformed');
    const alg = ALGORITHMS.find((each) => each === header.alg);
    const mayBeRemote = remote !== undefined && alg !== 'HS256';
    const given = keys.filter((each) => each.alg === alg).map(({ key }) => key);
    if (alg === undefined || (given.length === 0 && !mayBeRemote)) return fail('algorithm');
    const outcome = await tryKeys(token, alg, given);
    return mayBeRemote && isUnsigned(outcome) ? tryRemote(remote, token, alg, header) : outcome;
  }

  async function tryRemote(from: RemoteKeys, token: string, alg: Algorithm, header: JWTHeaderParameters) {
    const tryFound = async (found: Found) =>
      typeof found === 'string' ? fail(found) : tryKeys(token, alg, found);
    const outcome = await tryFound(await from.find(header));
    // A token that names no key may be signed with a newer one than those that are known.
    const mayBeNewer = isUnsigned(outcome) && header.kid === undefined;
    return mayBeNewer ? tryFound(await from.findAnew(header)) : outcome;
  }

  /** With the first key that it is signed with. */
  async function tryKeys(token: string, alg: Algorithm, candidates: readonly (KeyObject | CryptoKey)[]) {
    let outcome: Outcome = fail('signature');
    for (const key of candidates) {
      outcome = await verifyWith(token, alg, key);
      if (!isUnsigned(outcome)) break;
    }
    return outcome;
  }

  async function verifyWith(token: string, alg: Algorithm, key: KeyObject | CryptoKey): Promise<Outcome> {
    const claims: JWTClaimVerificationOptions = {
      clockTolerance: CLOCK_SKEW_MS / 1_000,
      currentDate: new Date(options.wallMs()),
      ...(settings.issuer === undefined ? {} : { issuer: settings.issuer }),
      ...(settings.audience === undefined ? {} : { audience: settings.audience }),
    };
    try {
      // Its keys are the secrets of the settings, no others.
      if (alg === 'HS256') return read(verifyHs256(token, key as KeyObject, claims));
      const { payload } = await jwtVerify(token, key, { algorithms: [alg], ...claims });
      return read(payload);
    } catch (error) {
      return fail(faultOf(error));
    }
  }

  return {
    async verify(token) {
      const outcome = await examine(token);
      if (outcome.ok) return outcome;
      const { fault } = outcome;
      options.onRefused(fault);
      const code = fault === 'keys_unavailable' ? 'unavailable' : 'unauthorized';
      const wrong = 'wrong' in outcome ? outcome.wrong : WRONG[fault];
      return { ok: false, code, fault, message: `The token is not accepted: ${wrong}.` };
    },
    close: () => remote?.close(),
  };
}

function fail(fault: TokenFault): Outcome & { ok: false } {
  return { ok: false, fault };
}

/** By any of the keys that were tried. */
function isUnsigned(outcome: Outcome): boolean {
  return !outcome.ok && outcome.fault === 'signature';
}

function read(payload: JWTPayload): Outcome {
  const identity = identityOf(payload);
  return 'wrong' in identity ? { ok: false, fault: 'claims', ...identity } : { ok: true, identity };
}

/** Of nearly all tokens of one issuer it is the same text, so the last one that was read is remembered. */
function headerReader(): (token: string) => JWTHeaderParameters | undefined {
  let last: { readonly text: string; readonly header: JWTHeaderParameters | undefined } | undefined;
  return (token) => {
    if (last !== undefined && token.startsWith(last.text)) return last.header;
    const header = headerOf(token);
    const end = token.indexOf('.') + 1;
    // A copy: what is cut out of a token would keep all of it.
    if (end > 0) last = { text: Buffer.from(token.slice(0, end)).toString(), header };
    return header;
  };
}

/** Undefined, too, where it names something critical: nothing of that kind is understood here (RFC 7515, 4.1.11). */
function headerOf(token: string): JWTHeaderParameters | undefined {
  try {
    const header = decodeProtectedHeader(token);
    return typeof header.alg === 'string' && header.crit === undefined
      ? (header as JWTHeaderParameters)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What jose says of a token, by the classes of its errors; the rest is a token that is none. */
function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm';
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return (error.reason === 'invalid' ? undefined : FAULT_OF_CLAIM[error.claim]) ?? 'claims';
  return 'malformed';
}

const FAULT_OF_CLAIM: Readonly<Record<string, TokenFault>> = {
  nbf: 'not_yet_valid',
  iss: 'issuer',
  aud: 'audience',
};

const WRONG: Readonly<Record<TokenFault, string>> = {
  missing: 'there is none; it belongs into auth.token of the handshake, or after Authorization: Bearer',
  too_long: `it is longer than ${TOKEN_CHARS_MAX} characters`,
  malformed: 'it is no signed JWT',
  algorithm: 'it is signed with an algorithm that no key here is for',
  unknown_key: 'it is signed with a key that is not known here',
  signature: 'its signature does not match',
  expired: 'it has expired (exp)',
  not_yet_valid: 'it is not valid yet (nbf)',
  issuer: 'its claim "iss" names another issuer',
  audience: 'its claim "aud" names another audience',
  claims: 'one of its claims of time is no number',
  keys_unavailable: 'the keys to verify it with cannot be had now',
};
