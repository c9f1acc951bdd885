import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refused } from './replies.ts';

/** Lets in who bears one of the tokens, and returns it. Without any, the routes are off. */
export function authorize(tokens: readonly string[], request: FastifyRequest, reply: FastifyReply): string {
  if (tokens.length === 0)
    throw new Refused('forbidden', 'The admin routes are off: start the node with ADMIN_TOKEN set.');
  const given = bearerOf(request);
  const [token] = tokens.filter((one) => isSame(given, one));
  if (token !== undefined) return token;
  reply.header('www-authenticate', 'Bearer');
  throw new Refused('unauthorized', 'Send the header "Authorization: Bearer" with the ADMIN_TOKEN.');
}

function bearerOf(request: FastifyRequest): string {
  const [, given = ''] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return given;
}

/** Tells tokens apart in the books, and betrays none. */
export function fingerprint(token: string): string {
  return createHash('sha256').update(`fenghuo fingerprint ${token}`).digest('hex').slice(0, 8);
}

/** Takes as long for any two texts: what is compared are hashes of one length. */
function isSame(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}
