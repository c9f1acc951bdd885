import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { judgeHost, type KnownHosts } from '../domain/hosts.ts';
import { refuseUpgrade } from '../sockets/upgrade.ts';

export interface HostsOptions {
  readonly known: KnownHosts;
  /** Somebody asked under a name that is not known, or under none that can be read. */
  readonly onRefused: (request: IncomingMessage) => void;
}

/** The routes of this server answer under the names that it knows, and no others. To be called before there are any. */
export function keepToHosts(server: FastifyInstance, options: HostsOptions): void {
  server.addHook('onRequest', async ({ raw }, reply) => {
    const refusal = refusalOf(raw, options);
    if (refusal === undefined) return undefined;
    return reply.code(refusal.status).headers(refusal.headers).send(refusal.body);
  });
}

/**
 * The same for what others take from the server before its routes see it, as socket.io does. To be called once they
 * listen. A request to upgrade is refused in HTTP, before anything of a connection is made.
 */
export function guardListeners(server: HttpServer, options: HostsOptions): void {
  const requests = take(server, 'request');
  const upgrades = take(server, 'upgrade');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refusalOf(request, options);
    if (refusal === undefined) for (const each of requests) each.call(server, request, response);
    else response.writeHead(refusal.status, refusal.headers).end(refusal.body);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const refusal = refusalOf(request, options);
    if (refusal === undefined) for (const each of upgrades) each.call(server, request, socket, head);
    else refuseUpgrade(socket, refusal);
  });
}

/** RFC 9110, 15.5.20; RFC 9112, 3.2. */
const REFUSALS = {
  unknown: {
    status: 421,
    code: 'unknown_host',
    message: 'This node is not known by the host name of this request; add it to ALLOWED_HOSTS.',
  },
  malformed: { status: 400, code: 'invalid_request', message: 'The request names no host, or several.' },
} as const;

interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Undefined: the request is for this node. Nobody may replace its Host by X-Forwarded-Host. */
function refusalOf(request: IncomingMessage, { known, onRefused }: HostsOptions): Refusal | undefined {
  // `headers` has the first Host alone.
  const verdict = judgeHost(request.headersDistinct.host ?? [], known);
  if (verdict === 'known') return undefined;
  onRefused(request);
  const { status, code, message } = REFUSALS[verdict];
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      connection: 'close',
    },
    body: JSON.stringify({ ok: false, error: { code, message } }),
  };
}

type Listener = (...args: unknown[]) => void;

function take(server: HttpServer, event: 'request' | 'upgrade'): readonly Listener[] {
  const listeners = server.listeners(event) as Listener[];
  server.removeAllListeners(event);
  return listeners;
}
