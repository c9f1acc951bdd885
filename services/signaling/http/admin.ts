import { createHash, timingSafeEqual } from 'node:crypto';
import { NOTICE_CHARS_MAX } from '@fenghuo/protocol';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Leases, Order } from '../backplane/leases.ts';

export interface AdminOptions {
  /** None: the routes are there, and say that they are off. */
  readonly token: string | undefined;
  readonly order: Leases['order'];
  readonly onOrder: (nodeId: string, order: Order) => void;
}

/** What an operator may be refused with: where the protocol has a code for it, the same. */
const STATUS = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  node_not_found: 404,
  unavailable: 503,
} as const;
type AdminErrorCode = keyof typeof STATUS;

const drainBody = z.strictObject({
  text: z
    .string()
    .min(1, 'must not be empty')
    .refine((text) => [...text].length <= NOTICE_CHARS_MAX, `must be at most ${NOTICE_CHARS_MAX} characters`)
    .optional(),
});

/**
 * Orders to nodes, under /admin/v1, for who bears the token. An order may be given at any node: it is left on the
 * backplane, where the node that it is for reads it at its next beat (rule C8).
 */
export function adminRoutes(options: AdminOptions) {
  return async (server: FastifyInstance): Promise<void> => {
    server.addHook('onRequest', async (request, reply) => authorize(options.token, request, reply));
    server.setErrorHandler((error: FastifyError, _, reply) => {
      const isTheirs = (error.statusCode ?? 500) < 500;
      return isTheirs
        ? refuse(reply, 'invalid_request', error.message)
        : refuse(reply, 'unavailable', 'Something went wrong in this node; its log says what.');
    });
    server.setNotFoundHandler((_, reply) => refuse(reply, 'invalid_request', 'There is no such route.'));

    // `curl -X POST` with a JSON content type and no body means an order without a text.
    server.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => {
      if (body === '') return done(null, undefined);
      try {
        done(null, JSON.parse(body as string));
      } catch {
        done(Object.assign(new Error('The body is not JSON.'), { statusCode: 400 }));
      }
    });

    async function order(nodeId: string, wanted: Order, reply: FastifyReply): Promise<FastifyReply> {
      const ordered = await options.order(nodeId, wanted);
      if (ordered.ok) {
        options.onOrder(nodeId, wanted);
        return reply.code(202).send({ ok: true, node: nodeId, ...wanted });
      }
      return ordered.code === 'node_not_found'
        ? refuse(reply, 'node_not_found', `No node named ${nodeId} is alive in this cluster.`)
        : refuse(
            reply,
            'unavailable',
            'The backplane did not answer: the order may or may not stand; repeat it.',
          );
    }

    server.post<NodeRoute>('/nodes/:id/drain', async (request, reply) => {
      const body = drainBody.safeParse(request.body ?? {});
      if (!body.success) return refuse(reply, 'invalid_request', explain(body.error.issues));
      const { text } = body.data;
      return order(request.params.id, { drain: true, ...(text === undefined ? {} : { text }) }, reply);
    });

    server.delete<NodeRoute>('/nodes/:id/drain', (request, reply) =>
      order(request.params.id, { drain: false }, reply),
    );
  };
}

interface NodeRoute {
  Params: { id: string };
}

async function authorize(
  token: string | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  if (token === undefined) {
    return refuse(reply, 'forbidden', 'The admin routes are off: start the node with ADMIN_TOKEN set.');
  }
  const [, given = ''] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (isSame(given, token)) return undefined;
  reply.header('www-authenticate', 'Bearer');
  return refuse(reply, 'unauthorized', 'Send the header "Authorization: Bearer" with the ADMIN_TOKEN.');
}

/** Takes as long for any two texts: what is compared are hashes of one length. */
function isSame(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

function refuse(reply: FastifyReply, code: AdminErrorCode, message: string): FastifyReply {
  return reply.code(STATUS[code]).send({ ok: false, error: { code, message } });
}

function explain(issues: readonly z.core.$ZodIssue[]): string {
  const [issue] = issues;
  const path = issue?.path.join('.') ?? '';
  return path === '' ? (issue?.message ?? 'The body is wrong.') : `${path}: ${issue?.message}`;
}
