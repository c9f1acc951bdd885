import { type IceServer, wireError } from '@fenghuo/protocol';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Verified } from '../domain/token.ts';
import type { TooManyFailed, VerifyFrom } from '../requests/verify-from.ts';
import type { WhereFrom } from './limits.ts';
import { type AllowedOrigins, keepToOrigins } from './origins.ts';

export interface IceRouteOptions extends AllowedOrigins {
  /** None: the cluster is open. */
  readonly verifyToken: VerifyFrom | undefined;
  readonly whereFrom: WhereFrom;
  /** For the bearer of a token with that `sub`; undefined: for somebody. */
  readonly iceServers: (sub: string | undefined) => readonly IceServer[];
  readonly ttlS: number;
}

const STATUS = { unauthorized: 401, rate_limited: 429, unavailable: 503 } as const;
const PREFLIGHT_VALID_S = 600;
const KEYS_RETRY_MS = 2_000;

/**
 * `GET /ice`: ICE servers for whoever may connect, before a join or when the credentials of one are about to expire.
 * Asks for the same as a handshake: an origin that is allowed, and a token, as `Authorization: Bearer`.
 */
export function iceRoute(options: IceRouteOptions) {
  return async (server: FastifyInstance): Promise<void> => {
    keepToOrigins(server, options);

    server.options('/ice', (_, reply) =>
      reply
        .code(204)
        .headers({
          'access-control-allow-methods': 'GET',
          'access-control-allow-headers': 'Authorization',
          'access-control-max-age': PREFLIGHT_VALID_S,
        })
        .send(),
    );

    server.get('/ice', async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
      const verified = await options.verifyToken?.(options.whereFrom(request.raw), token);
      if (verified?.ok === false) return refuse(reply, verified);
      return { ice_servers: options.iceServers(verified?.identity.sub), ttl_s: options.ttlS };
    });
  };
}

function refuse(reply: FastifyReply, refused: (Verified | TooManyFailed) & { ok: false }): FastifyReply {
  const { code, message } = refused;
  if (code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  const retryMs = { unauthorized: undefined, unavailable: KEYS_RETRY_MS };
  const retryAfterMs = code === 'rate_limited' ? refused.retryMs : retryMs[code];
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / 1_000));
  return reply.code(STATUS[code]).send({ ok: false, error: wireError(code, message, retryAfterMs) });
}
