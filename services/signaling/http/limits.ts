import { wireError } from '@fenghuo/protocol';
import type { FastifyInstance } from 'fastify';
import { canonicalAddress, type Network, networkOf } from '../domain/address.ts';
import type { Senders } from '../requests/sender.ts';

/** For a listener: a client that is slower has its connection closed, and an idle one does not stay. */
export const HTTP_TIMES = {
  // Node looks for slow requests so often; with its default of 30 s no limit is shorter.
  http: { connectionsCheckingInterval: 1_000, headersTimeout: 5_000 },
  requestTimeout: 8_000,
  keepAliveTimeout: 20_000,
} as const;

/** Where a request comes from, as Fastify has it (`trustProxy`). */
export function networkAt(ip: string): Network {
  return networkOf(canonicalAddress(ip) ?? ip);
}

/** An HTTP request costs as much as a handshake; over it 429, with the seconds to wait (RFC 6585, 4). */
export function limitRequests(server: FastifyInstance, senders: Pick<Senders, 'spendAt'>): void {
  server.addHook('onRequest', async (request, reply) => {
    const waitMs = senders.spendAt(networkAt(request.ip), { handshakes: 1 });
    if (waitMs === 0) return undefined;
    reply.code(429).header('retry-after', Math.ceil(waitMs / 1_000));
    return reply.send({ ok: false, error: wireError('rate_limited', undefined, waitMs) });
  });
}
