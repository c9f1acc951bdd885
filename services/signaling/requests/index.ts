import type { REQUESTS, RequestName } from '@fenghuo/protocol';
import type { z } from 'zod';
import type { Pending } from '../domain/later.ts';
import type { Connection, RequestContext } from './context.ts';
import { join } from './join.ts';
import { leave } from './leave.ts';
import { message } from './message.ts';
import { moderate } from './moderate.ts';
import type { Reply } from './reply.ts';
import { resume } from './resume.ts';
import { signal } from './signal.ts';
import { update } from './update.ts';

/** What each request does, by its name on the wire. */
export const HANDLERS: {
  readonly [Name in RequestName]: (
    context: RequestContext,
    connection: Connection,
    request: z.infer<(typeof REQUESTS)[Name]>,
  ) => Reply | Pending<Reply>;
} = { join, resume, leave, signal, message, update, moderate };
