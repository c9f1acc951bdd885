import { existsSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import fastify, { type FastifyInstance } from 'fastify';
import type { Senders } from '../requests/sender.ts';
import { asksForWebSocket, PATH, plainRefusal } from '../sockets/upgrade.ts';
import { COMMON_HEADERS, NOTHING_ALLOWED, permissions } from './headers.ts';
import { type HostsOptions, keepToHosts } from './hosts.ts';
import { type IceRouteOptions, iceRoute } from './ice.ts';
import { guardServer, HTTP_LIMITS, limitRequests, type WhereFrom } from './limits.ts';
import { pageFile, servePageFiles } from './page-files.ts';
import { type RegionsRouteOptions, regionsRoute } from './regions.ts';

export interface ClientsOptions {
  /** The folder of the built page; where it is missing, the node serves clients without one. */
  readonly pageRoot: string;
  readonly whereFrom: WhereFrom;
  readonly senders: Pick<Senders, 'spendAt' | 'oweAt'>;
  /** Something that is no request of a route has come on that socket. */
  readonly onOdd: (socket: Duplex) => void;
  readonly hosts: HostsOptions;
  readonly ice: IceRouteOptions;
  readonly regions: RegionsRouteOptions;
}

/**
 * The page loads nothing from elsewhere. It may connect anywhere: to nodes that a person names, and to regions that come
 * up while it is open, which no policy sent with the page could list.
 */
const PAGE_HEADERS = {
  ...COMMON_HEADERS,
  'content-security-policy': `${NOTHING_ALLOWED}; script-src 'self'; style-src 'self'; connect-src *; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; font-src 'self'`,
  'permissions-policy': permissions(['camera', 'microphone']),
};

/** The clients' listener: the call page, ICE servers, and the regions; socket.io joins it at the same port. */
export async function clientsServer(options: ClientsOptions): Promise<FastifyInstance> {
  const server = fastify({
    forceCloseConnections: true,
    ...HTTP_LIMITS,
    http: { ...HTTP_LIMITS.http, shouldUpgradeCallback: asksForWebSocket },
  });
  guardServer(server.server as HttpServer, options.onOdd);
  keepToHosts(server, options.hosts);
  limitRequests(server, options.whereFrom, options.senders);
  server.addHook('onSend', async (_, reply) => void reply.headers(PAGE_HEADERS));
  server.all<{ Querystring: { transport?: unknown } }>(PATH, async ({ query }, reply) => {
    const { status, headers, body } = plainRefusal(query.transport);
    return reply.code(status).headers(headers).send(body);
  });
  await server.register(iceRoute(options.ice));
  await server.register(regionsRoute(options.regions));
  const page = join(options.pageRoot, 'index.html');
  if (existsSync(page)) server.get('/', pageFile(page));
  else
    server.get('/', async (_, reply) =>
      reply.code(404).send({ error: 'the page is not built: npm run build' }),
    );
  servePageFiles(server, options.pageRoot, () => true);
  return server;
}
