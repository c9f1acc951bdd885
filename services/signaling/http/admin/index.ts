import fastifySwagger from '@fastify/swagger';
import type { FastifyError, FastifyInstance } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import type { Fact } from '../../backplane/journal.ts';
import { type AnnouncementsOptions, announcementRoutes } from './announcements.ts';
import { auditFact } from './audit.ts';
import { authorize, fingerprint } from './authorize.ts';
import { type EventsOptions, eventRoutes } from './events.ts';
import { type ModerationOptions, moderationRoutes } from './moderation.ts';
import { type NodesOptions, nodeRoutes } from './nodes.ts';
import { Refused, refusalFrom, STATUS } from './replies.ts';
import { type RoomsOptions, roomRoutes } from './rooms.ts';

export interface AdminOptions
  extends NodesOptions,
    RoomsOptions,
    ModerationOptions,
    AnnouncementsOptions,
    EventsOptions {
  readonly rooms: RoomsOptions['rooms'] & ModerationOptions['rooms'];
  /** None: the routes are there, and say that they are off. */
  readonly tokens: readonly string[];
  readonly version: string;
  /** Every action, whatever came of it. */
  readonly audit: (fact: Fact) => void;
  /** Something threw that never should. */
  readonly failed: (route: string, error: unknown) => void;
}

/**
 * What operators may see and do, under /admin/v1, for who bears a token. One schema a route is its validator, its
 * reply's type, and its place in the OpenAPI document.
 */
export function adminRoutes(options: AdminOptions) {
  return async (server: FastifyInstance): Promise<void> => {
    server.setValidatorCompiler(validatorCompiler);
    server.setSerializerCompiler(serializerCompiler);
    acceptEmptyJson(server);
    server.setErrorHandler((error: FastifyError | Refused, request, reply) => {
      const refusal = refusalFrom(error);
      request.outcome = refusal.code;
      if (!(error instanceof Refused) && refusal.code === 'unavailable')
        options.failed(request.routeOptions.url ?? '', error);
      return reply.code(STATUS[refusal.code]).send({ ok: false, error: refusal });
    });
    server.addHook('onSend', async (request, reply) => {
      const fact = auditFact(request, reply);
      if (fact !== undefined) options.audit(fact);
    });
    await server.register(fastifySwagger, documentOf(options.version));
    server.get('/openapi.json', { schema: { hide: true } }, async () => server.swagger());
    await server.register(async (authorized) => {
      authorized.addHook('onRequest', async (request, reply) => {
        request.operator = fingerprint(authorize(options.tokens, request, reply));
      });
      // Who orders without a text may leave the body out.
      authorized.addHook('preValidation', async (request) => {
        request.body ??= {};
      });
      authorized.setNotFoundHandler(() => {
        throw new Refused('invalid_request', 'There is no such route.');
      });
      await authorized.register(nodeRoutes, options);
      await authorized.register(roomRoutes, options);
      await authorized.register(moderationRoutes, options);
      await authorized.register(announcementRoutes, options);
      await authorized.register(eventRoutes, options);
    });
  };
}

/** `curl -X POST` with a JSON content type and no body is as good as an empty object. */
function acceptEmptyJson(server: FastifyInstance): void {
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => {
    if (body === '') return done(null, undefined);
    try {
      done(null, JSON.parse(body as string));
    } catch {
      done(Object.assign(new Error('The body is not JSON.'), { statusCode: 400 }));
    }
  });
}

function documentOf(version: string) {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Fenghuo: the operators’ API',
        version,
        description:
          'On the operators’ port alone, for who bears the ADMIN_TOKEN. Any node answers for the cluster.',
      },
      components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  };
}
