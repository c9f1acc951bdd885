import { createHmac, randomBytes } from 'node:crypto';

import type { Credentials } from './plan.ts';

/** A run and then some: a token that expires on the way would end its session. */
const SPARE_S = 3_600;

/** The token of one more client; undefined where none is shown. */
export function tokenFor(credentials: Credentials, durationS: number): string | undefined {
  if (credentials.kind === 'none') return undefined;
  if (credentials.kind === 'token') return credentials.token;
  const exp = Math.floor(Date.now() / 1_000) + durationS + SPARE_S;
  return sign({ sub: `load-${randomBytes(9).toString('base64url')}`, exp }, credentials.secret);
}

/** A JWT by HS256 (RFC 7515). */
function sign(claims: object, secret: string): string {
  const body = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}
