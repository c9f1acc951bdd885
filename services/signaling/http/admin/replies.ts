import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';

/** What an operator may be refused with: where the protocol has a code for it, the same. */
export const STATUS = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  node_not_found: 404,
  room_not_found: 404,
  peer_not_found: 404,
  unavailable: 503,
} as const;
export type AdminErrorCode = keyof typeof STATUS;

export const errorReply = z
  .object({
    ok: z.literal(false),
    error: z.object({ code: z.enum(Object.keys(STATUS) as [AdminErrorCode]), message: z.string() }),
  })
  .meta({ id: 'Error' });

/** Every reply of a route, by its status. `own`: what else than the request or the token may be wrong. */
export function replies<Success extends z.ZodType, Status extends 200 | 202>(
  status: Status,
  success: Success,
  ...own: readonly 404[]
) {
  const refusals = { 400: errorReply, 401: errorReply, 403: errorReply, 503: errorReply };
  return {
    [status]: success,
    ...refusals,
    ...(own.includes(404) ? { 404: errorReply } : {}),
  } as Record<Status, Success> & Record<400 | 401 | 403 | 404 | 503, typeof errorReply>;
}

/** A request that comes to nothing: thrown by handlers, as fastify throws what its validator refuses. */
export class Refused extends Error {
  readonly code: AdminErrorCode;
  constructor(code: AdminErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const TEXTS = {
  unavailable: 'The backplane did not answer: whether it was done is not known.',
  room_not_found: 'There is no such room.',
  peer_not_found: 'There is no such peer in the room.',
} as const;

/** Throws what the backplane refused. */
export function refuse(code: keyof typeof TEXTS): never {
  throw new Refused(code, TEXTS[code]);
}

/** Whatever was thrown, as what the client may know of it. */
export function refusalFrom(error: FastifyError | Refused): { code: AdminErrorCode; message: string } {
  if (error instanceof Refused) return { code: error.code, message: error.message };
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [fault] = error.validation;
    const path = fault?.instancePath.slice(1).replaceAll('/', '.') ?? '';
    return {
      code: 'invalid_request',
      message: path === '' ? `${fault?.message}` : `${path}: ${fault?.message}`,
    };
  }
  if ((error.statusCode ?? 500) < 500) return { code: 'invalid_request', message: error.message };
  return { code: 'unavailable', message: 'Something went wrong in this node; its log says what.' };
}
