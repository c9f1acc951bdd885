import { wireError } from '@fenghuo/protocol';
import type { FastifyInstance } from 'fastify';
import { isOriginAllowed } from '../domain/origin.ts';

export interface AllowedOrigins {
  /** None: pages of the node's own host name. */
  readonly allowedOrigins: readonly string[] | undefined;
}

/** The routes of this server answer pages that may connect, and no others: 403 with `origin_forbidden`. */
export function keepToOrigins(server: FastifyInstance, { allowedOrigins }: AllowedOrigins): void {
  server.addHook('onRequest', async (request, reply) => {
    const { origin, host } = request.headers;
    reply.header('vary', 'Origin');
    if (!isOriginAllowed(origin, host, allowedOrigins))
      return reply.code(403).send({ ok: false, error: wireError('origin_forbidden') });
    if (origin !== undefined) reply.header('access-control-allow-origin', origin);
    return undefined;
  });
}
