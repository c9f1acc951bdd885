import { type ErrorCode, REQUEST_NAMES, REQUESTS, type RequestName } from '@fenghuo/protocol';
import { z } from 'zod';
import type { Cost } from '../domain/budget.ts';
import type { Pending } from '../domain/later.ts';
import type { Connection, RequestContext } from '../requests/context.ts';
import { HANDLERS } from '../requests/index.ts';
import { type Reply, refused } from '../requests/reply.ts';
import { BINARY, type IncomingRequest, TOO_LARGE } from './parser.ts';

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

/** What `serve` needs of a connection, besides what requests do. */
type Asking = Connection & { acknowledge(packetId: number, reply: Reply): void };

/** What a request costs that is none; others are charged where they are done. */
const INVALID: Cost = { requests: 1 };
const REFUSED: Cost = { refusals: 1 };
/** The node's own doing, or that of another connection of this session: the sender is not to blame. */
const BLAMELESS: ReadonlySet<ErrorCode> = new Set(['unavailable', 'draining', 'session_replaced']);

/** Answers what came from the network, whatever is in it, in this turn where the answer is known. Never throws. */
export function serve(
  context: RequestContext,
  connection: Asking,
  request: IncomingRequest,
  options: ServeOptions,
): void {
  const checked = check(request, options.messageBytesMax);
  const type = 'name' in checked ? typeOf(checked) : 'invalid';
  if (type === 'invalid') connection.sender.owe(INVALID);
  const { answer, fail } = answering(connection, request.packetId, type, options);
  try {
    const reply = 'name' in checked ? handle(context, connection, checked) : checked;
    if ('then' in reply) reply.then(answer, fail);
    else answer(reply);
  } catch (error) {
    fail(error);
  }
}

/** A scope of its own: while an answer is under way, nothing keeps what was asked. */
function answering(
  connection: Asking,
  packetId: number | undefined,
  type: MessageType,
  { answered, failed }: ServeOptions,
) {
  const sinceMs = performance.now();
  const answer = (reply: Reply): void => {
    try {
      answered(type, reply.ok ? 'ok' : reply.error.code, (performance.now() - sinceMs) / 1_000);
      if (packetId !== undefined) connection.acknowledge(packetId, reply);
      if (reply.ok) reply.afterReply?.();
      else if (!BLAMELESS.has(reply.error.code) && connection.sender.spend(REFUSED) > 0)
        connection.drop('flooding');
    } catch (error) {
      failed('serve', error);
    }
  };
  const fail = (error: unknown): void => {
    failed(type, error);
    answer(refused('unavailable'));
  };
  return { answer, fail };
}

/** Code that was made of each schema, which takes a sixth of the time; where it finds a fault, zod itself looks again. */
const SCHEMAS = new Map(REQUEST_NAMES.map((name) => [name as string, z.compile<z.ZodType>(REQUESTS[name])]));

interface Checked {
  readonly name: RequestName;
  readonly payload: unknown;
}

function check({ name, payload }: IncomingRequest, messageBytesMax: number): Checked | Reply {
  const schema = typeof name === 'string' ? SCHEMAS.get(name) : undefined;
  if (schema === undefined) return refused('unknown_request');
  if (payload === TOO_LARGE) {
    return refused('too_large', `The payload is larger than ${messageBytesMax} bytes.`);
  }
  if (payload === BINARY) return refused('invalid_request', 'Requests are JSON, without binary.');
  const parsed = schema.safeParse(payload);
  if (!parsed.success) return refused('invalid_request', explain(parsed.error.issues));
  return { name: name as RequestName, payload: parsed.data };
}

type Handler = (context: RequestContext, connection: Connection, payload: unknown) => Reply | Pending<Reply>;

function handle(
  context: RequestContext,
  connection: Connection,
  { name, payload }: Checked,
): Reply | Pending<Reply> {
  const handler = HANDLERS[name] as Handler;
  // Rule C3: who slept longer than the lease learns first whether its sessions are still its own.
  const { membership } = connection;
  const awake = typeof membership === 'object' ? membership.home.awake() : undefined;
  if (awake === undefined) return handler(context, connection, payload);
  return awake.then(async (isAwake) =>
    isAwake ? handler(context, connection, payload) : refused('unavailable'),
  );
}

function typeOf({ name, payload }: Checked): MessageType {
  if (name === 'signal') {
    const { description } = payload as {
      description?: { type: 'offer' | 'answer' | 'pranswer' | 'rollback' };
    };
    return description?.type ?? 'candidate';
  }
  if (name === 'message')
    return (payload as { ephemeral?: boolean }).ephemeral === true ? 'ephemeral' : 'message';
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
