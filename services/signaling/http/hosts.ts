import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { judgeHost, type KnownHosts } from '../domain/hosts.ts';

export interface HostsOptions {
  readonly known: KnownHosts;
  /** Somebody asked under a name that is not known, or under none that can be read. */
  readonly onRefused: (request: IncomingMessage) => void;
}

/** The routes of this server answer under the names that it knows, and no others. To be called before there are any. */
export function keepToHosts(server: FastifyInstance, options: HostsOptions): void {
  server.addHook('onRequest', async ({ raw }, reply) => {
    const refusal = hostRefusal(raw, options);
    if (refusal === undefined) return undefined;
    return reply.code(refusal.status).headers(refusal.headers).send(refusal.body);
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

/** In HTTP, before anything of a connection is made. */
export interface HostRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Undefined: the request is for this node. Nobody may replace its Host by X-Forwarded-Host. */
export function hostRefusal(
  request: IncomingMessage,
  { known, onRefused }: HostsOptions,
): HostRefusal | undefined {
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
