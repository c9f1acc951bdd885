import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { errors, type JWTClaimVerificationOptions, type JWTPayload, UnsecuredJWT } from 'jose';

/** `{"alg":"none"}`: for claims whose signature has been checked. */
const NO_SIGNATURE = 'eyJhbGciOiJub25lIn0';

/**
 * What jose's jwtVerify does with a token whose header was read and says HS256, but within this turn: jose has every
 * signature computed on another thread, and to wake that costs more than to verify. The claims are jose's to judge; throws
 * its errors.
 */
export function verifyHs256(token: string, key: KeyObject, claims: JWTClaimVerificationOptions): JWTPayload {
  const [header, payload, signature, ...more] = token.split('.');
  if (signature === undefined || more.length > 0) throw new errors.JWSInvalid('not three parts');
  const due = createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url');
  if (!isEqual(signature, due)) throw new errors.JWSSignatureVerificationFailed();
  return UnsecuredJWT.decode(`${NO_SIGNATURE}.${payload}.`, claims).payload;
}

/** Takes as long whatever is in them. */
function isEqual(given: string, due: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(due)];
  return a.length === b.length && timingSafeEqual(a, b);
}
