import { existsSync } from 'node:fs';
import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance } from 'fastify';
import type { Senders } from '../requests/sender.ts';
import { type IceRouteOptions, iceRoute } from './ice.ts';
import { HTTP_TIMES, limitRequests } from './limits.ts';
import { type RegionsRouteOptions, regionsRoute } from './regions.ts';

export interface ClientsOptions {
  /** The folder of the built page; where it is missing, the node serves clients without one. */
  readonly pageRoot: string;
  readonly trustProxy: boolean;
  readonly senders: Pick<Senders, 'spendAt'>;
  readonly ice: IceRouteOptions;
  readonly regions: RegionsRouteOptions;
}

/** Pages may connect to other nodes and play what peers send; they load nothing from elsewhere. */
const PAGE_POLICY =
  "default-src 'self'; connect-src *; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'";

/** The clients' listener: the call page, ICE servers, and the regions; socket.io joins it at the same port. */
export async function clientsServer(options: ClientsOptions): Promise<FastifyInstance> {
  const server = fastify({ trustProxy: options.trustProxy, forceCloseConnections: true, ...HTTP_TIMES });
  limitRequests(server, options.senders);
  server.addHook('onSend', async (_, reply) => {
    reply.headers({ 'content-security-policy': PAGE_POLICY, 'x-content-type-options': 'nosniff' });
  });
  await server.register(iceRoute(options.ice));
  await server.register(regionsRoute(options.regions));
  if (existsSync(options.pageRoot)) await server.register(fastifyStatic, { root: options.pageRoot });
  else
    server.get('/', async (_, reply) =>
      reply.code(404).send({ error: 'the page is not built: npm run build' }),
    );
  return server;
}
