import type { Role } from '@fenghuo/protocol';
import { SignJWT } from 'jose';
import { parseSettings, SETTINGS } from '../config.ts';
import { identityOf } from './claims.ts';

export interface Grant {
  readonly sub: string;
  readonly room: string | undefined;
  readonly role: Role | undefined;
  readonly name: string | undefined;
  readonly ttlS: number;
}

const SIGNER = SETTINGS.pick({ JWT_SECRET: true, JWT_ISSUER: true, JWT_AUDIENCE: true }).required({
  JWT_SECRET: true,
});

/**
 * A token that nodes with the same environment take, signed with the first JWT_SECRET: for trying, and for backends
 * to compare theirs with. Throws a ConfigError where there is no secret, and an Error where no node would take the token.
 */
export function mintToken(
  grant: Grant,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const { JWT_SECRET, JWT_ISSUER, JWT_AUDIENCE } = parseSettings(SIGNER, environment);
  const { sub, room, role, name, ttlS } = grant;
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { ...defined({ room, role, name }), sub, iat, exp: iat + ttlS };
  const identity = identityOf(claims);
  if ('wrong' in identity) throw new Error(`No node would take that token: ${identity.wrong}.`);
  const token = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' });
  if (JWT_ISSUER !== undefined) token.setIssuer(JWT_ISSUER);
  if (JWT_AUDIENCE !== undefined) token.setAudience(JWT_AUDIENCE);
  return token.sign(Buffer.from(JWT_SECRET[0] ?? ''));
}

function defined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
