import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { wireError } from '@fenghuo/protocol';
import type { FastifyInstance } from 'fastify';
import type { Network } from '../domain/address.ts';
import type { Cost } from '../domain/budget.ts';
import type { Senders } from '../requests/sender.ts';

/**
 * For a listener: a client that is slower has its connection closed, and an idle one does not stay. All requests that come in one
 * read are handled in one turn, so a connection has few of them.
 */
export const HTTP_LIMITS = {
  maxRequestsPerSocket: 100,
  // Node looks for slow requests so often; with its default of 30 s no limit is shorter.
  http: { connectionsCheckingInterval: 1_000, headersTimeout: 5_000 },
  requestTimeout: 8_000,
  keepAliveTimeout: 20_000,
} as const;

/** Where a request comes from, as for handshakes: Fastify's own `ip` behind a proxy is what the client says. */
export type WhereFrom = (request: IncomingMessage) => Network;

const HANDSHAKE: Cost = { handshakes: 1 };

/**
 * Guards against what never comes to a route. More requests than that on a connection cut it: by itself Node would answer each with 503.
 * A request that expects something (RFC 9110, 10.1.1), or is no HTTP, is told to `onOdd`.
 */
export function guardServer(server: HttpServer, onOdd: (socket: Duplex) => void): void {
  server.on('dropRequest', (_, socket) => socket.destroy());
  server.on('checkExpectation', ({ socket }, response) => {
    onOdd(socket);
    response.writeHead(417, { connection: 'close' }).end();
  });
  server.on('clientError', (_, socket) => onOdd(socket));
}

/** An HTTP request costs as much as a handshake; over it 429, with the seconds to wait (RFC 6585, 4), and the end. */
export function limitRequests(
  server: FastifyInstance,
  whereFrom: WhereFrom,
  senders: Pick<Senders, 'spendAt' | 'oweAt'>,
): void {
  server.addHook('onRequest', async (request, reply) => {
    const network = whereFrom(request.raw);
    const waitMs = senders.spendAt(network, HANDSHAKE);
    if (waitMs === 0) return undefined;
    senders.oweAt(network, HANDSHAKE);
    reply.code(429).headers({ 'retry-after': Math.ceil(waitMs / 1_000), connection: 'close' });
    return reply.send({ ok: false, error: wireError('rate_limited', undefined, waitMs) });
  });
}
