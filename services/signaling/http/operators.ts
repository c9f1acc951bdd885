import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { type AdminOptions, adminRoutes } from './admin/index.ts';
import { consoleRoutes } from './console.ts';
import { COMMON_HEADERS, NOTHING_ALLOWED } from './headers.ts';
import { type HostsOptions, keepToHosts } from './hosts.ts';
import { HTTP_LIMITS } from './limits.ts';

/** One question of readiness, and its answer now. */
export interface Check {
  readonly ok: boolean;
  readonly problem?: string;
}

export interface OperatorsOptions {
  readonly registry: Registry;
  /** Brings the gauges up to now, before a scrape. */
  readonly refresh: () => void;
  readonly checks: () => Readonly<Record<string, Check>>;
  /** What is wrong, though clients are well. */
  readonly warnings: () => readonly string[];
  readonly isStarted: () => boolean;
  readonly admin: AdminOptions;
  /** The folder of the built pages. */
  readonly pageRoot: string;
  readonly hosts: HostsOptions;
}

/** The operators' listener: health, metrics, the admin API and its console. Never public. */
export function operatorsServer(options: OperatorsOptions): FastifyInstance {
  // A room's name comes as a part of the path.
  const server = fastify({
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 2_048 },
    ...HTTP_LIMITS,
  });
  keepToHosts(server, options.hosts);
  server.addHook(
    'onSend',
    async (_, reply) => void reply.headers({ ...COMMON_HEADERS, 'content-security-policy': NOTHING_ALLOWED }),
  );

  // Says that the event loop turns, and nothing else: what is wrong with Redis is no reason to be killed.
  server.get('/livez', async () => ({ ok: true }));

  server.get('/readyz', async (_, reply) => {
    const checks = options.checks();
    const ok = Object.values(checks).every((check) => check.ok);
    const warnings = options.warnings();
    return reply.code(ok ? 200 : 503).send({ ok, checks, ...(warnings.length === 0 ? {} : { warnings }) });
  });

  server.get('/startupz', async (_, reply) => {
    const ok = options.isStarted();
    return reply.code(ok ? 200 : 503).send({ ok });
  });

  server.get('/metrics', async (_, reply) => {
    options.refresh();
    return reply.type(options.registry.contentType).send(await options.registry.metrics());
  });

  server.register(adminRoutes(options.admin), { prefix: '/admin/v1' });
  server.register(consoleRoutes(options.pageRoot));

  return server;
}
