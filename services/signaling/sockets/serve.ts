import { type ErrorCode, REQUESTS, type RequestName } from '@fenghuo/protocol';
import type { z } from 'zod';
import type { Connection, RequestContext } from '../requests/context.ts';
import { HANDLERS } from '../requests/index.ts';
import { type Reply, refused } from '../requests/reply.ts';
import { BINARY, TOO_LARGE } from './parser.ts';

/** What was asked and what came of it, both from closed sets, and how long that took: for metrics. */
export type Answered = (type: MessageType, outcome: 'ok' | ErrorCode, seconds: number) => void;

export const MESSAGE_TYPES = [
  'join',
  'resume',
  'leave',
  'offer',
  'answer',
  'pranswer',
  'rollback',
  'candidate',
  'message',
  'ephemeral',
  'update',
  'moderate',
  'invalid',
] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

export interface ServeOptions {
  readonly messageBytesMax: number;
  readonly answered: Answered;
  /** Something threw that never should. */
  readonly failed: (request: string, error: unknown) => void;
}

/**
 * Answers one packet from the network, whatever is in it. `args` is the event's name, its payload, and the
 * acknowledgement where the client wants one. Never throws, never rejects.
 */
export async function serve(
  context: RequestContext,
  connection: Connection,
  args: readonly unknown[],
  options: ServeOptions,
): Promise<void> {
  const sinceMs = performance.now();
  const last = args.at(-1);
  const acknowledge = typeof last === 'function' ? (last as (reply: object) => void) : undefined;
  const [name, payload, extra] = acknowledge === undefined ? args : args.slice(0, -1);
  const [type, reply] = await answer(
    context,
    connection,
    name,
    extra === undefined ? payload : undefined,
    options,
  );
  options.answered(type, reply.ok ? 'ok' : reply.error.code, (performance.now() - sinceMs) / 1_000);
  acknowledge?.(reply.ok ? { ok: true, ...reply.value } : reply);
  if (reply.ok) reply.afterReply?.();
}

async function answer(
  context: RequestContext,
  connection: Connection,
  name: unknown,
  payload: unknown,
  options: ServeOptions,
): Promise<[MessageType, Reply]> {
  if (typeof name !== 'string' || !Object.hasOwn(REQUESTS, name))
    return ['invalid', refused('unknown_request')];
  if (payload === TOO_LARGE) {
    return ['invalid', refused('too_large', `The payload is larger than ${options.messageBytesMax} bytes.`)];
  }
  if (payload === BINARY)
    return ['invalid', refused('invalid_request', 'Requests are JSON, without binary.')];
  const request = name as RequestName;
  const parsed = REQUESTS[request].safeParse(payload);
  if (!parsed.success) return ['invalid', refused('invalid_request', explain(parsed.error.issues))];
  const type = typeOf(request, parsed.data);
  // Rule C3: who slept longer than the lease learns first whether its sessions are still its own.
  const { membership } = connection;
  const awake = typeof membership === 'object' ? membership.home.awake() : undefined;
  if (awake !== undefined && !(await awake)) return [type, refused('unavailable')];
  try {
    const handler = HANDLERS[request] as (c: RequestContext, n: Connection, r: unknown) => Promise<Reply>;
    return [type, await handler(context, connection, parsed.data)];
  } catch (error) {
    options.failed(request, error);
    return [type, refused('unavailable')];
  }
}

function typeOf(name: RequestName, request: unknown): MessageType {
  if (name === 'signal') {
    const { description } = request as {
      description?: { type: 'offer' | 'answer' | 'pranswer' | 'rollback' };
    };
    return description?.type ?? 'candidate';
  }
  if (name === 'message')
    return (request as { ephemeral?: boolean }).ephemeral === true ? 'ephemeral' : 'message';
  return name;
}

/** The first fault, with the member it is in. Never a value: it may be a secret, or huge. */
function explain(issues: readonly z.core.$ZodIssue[], within = ''): string {
  const [issue] = issues;
  if (issue === undefined) return 'The request does not match the protocol.';
  const path = [within, ...issue.path.map(String)]
    .filter((each) => each !== '')
    .join('.')
    .slice(0, 100);
  if (issue.code === 'invalid_union') {
    const closest = issue.errors.toSorted((a, b) => a.length - b.length)[0];
    if (closest !== undefined) return explain(closest, path);
  }
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}
