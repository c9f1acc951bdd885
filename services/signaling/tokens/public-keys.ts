import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** One of the issuer's keys, and the one algorithm that tokens may be verified with by it. */
export interface PublicKey {
  readonly alg: 'RS256' | 'ES256' | 'EdDSA';
  readonly key: KeyObject;
}

export const PUBLIC_KEY_RULE =
  'must hold public keys for verifying alone, as PEM, JWK or JWK Set: RSA of 2048 bits or more, P-256, or Ed25519';

const RSA_BITS_MIN = 2_048;
const PEM_BLOCK = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g;

/** Reads one key or several; undefined where the text holds anything but what PUBLIC_KEY_RULE says. */
export function parsePublicKeys(text: string): readonly PublicKey[] | undefined {
  try {
    const publicKeys = text.trimStart().startsWith('{') ? fromJson(text) : fromPem(text).map(withAlgorithm);
    return publicKeys.length === 0 || publicKeys.includes(undefined)
      ? undefined
      : (publicKeys as PublicKey[]);
  } catch {
    return undefined;
  }
}

function fromPem(text: string): KeyObject[] {
  // In one line of an environment file, line feeds are often written as \n.
  const lines = text.replaceAll('\\n', '\n');
  const blocks = lines.match(PEM_BLOCK) ?? [];
  // What looks like another one and cannot be read would be missing when its turn comes.
  if (/--|PRIVATE/.test(lines.replaceAll(PEM_BLOCK, ''))) return [];
  // Node would take the public half of it, and leave a secret lie where none belongs.
  if (blocks.some((block) => block.includes('PRIVATE KEY'))) return [];
  return blocks.map((block) => createPublicKey(block));
}

/** Of a set, those keys alone that are for verifying tokens (RFC 7517, 4.2 to 4.4). */
function fromJson(text: string): (PublicKey | undefined)[] {
  const json = JSON.parse(text) as JsonWebKey & { readonly keys?: readonly JsonWebKey[] };
  const keys = json.keys ?? [json];
  if (keys.some((key) => key.d !== undefined || key.k !== undefined)) return [];
  return keys.filter(isForVerifying).flatMap((key) => {
    const publicKey = fromJwk(key);
    // RFC 7517, 5: of a set, what is not understood is ignored.
    if (json.keys !== undefined && publicKey === undefined) return [];
    const isOther = key.alg !== undefined && publicKey !== undefined && key.alg !== publicKey.alg;
    return isOther ? [] : [publicKey];
  });
}

function fromJwk(key: JsonWebKey): PublicKey | undefined {
  try {
    return withAlgorithm(createPublicKey({ key, format: 'jwk' }));
  } catch {
    return undefined;
  }
}

function isForVerifying({ use = 'sig', key_ops: operations = ['verify'] }: JsonWebKey): boolean {
  return use === 'sig' && Array.isArray(operations) && operations.includes('verify');
}

function withAlgorithm(key: KeyObject): PublicKey | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { alg: 'EdDSA', key };
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return { alg: 'ES256', key };
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= RSA_BITS_MIN) return { alg: 'RS256', key };
  return undefined;
}
