import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Fact } from '../../backplane/journal.ts';
import type { AdminErrorCode } from './replies.ts';

/** What an operator did, by a name that does not change; on what is in the other members. */
export const AUDITED_ACTIONS = [
  'node_drain',
  'node_undrain',
  'room_moderate',
  'room_message',
  'announcement',
  'none',
] as const;
export type AuditedAction = Exclude<(typeof AUDITED_ACTIONS)[number], 'none'>;

export type Deed = { readonly action: AuditedAction } & Readonly<Record<string, string | number | boolean>>;

/** What comes of it. */
export type Outcome = 'ok' | AdminErrorCode;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by a handler that is about to change something, before it does. */
    deed?: Deed;
    outcome?: Outcome;
    /** Which token was shown, by its fingerprint. */
    operator?: string;
  }
}

/**
 * One fact for each action, whatever came of it, and for each wrong token; none for what only looks. Nothing of what was
 * said is in it.
 */
export function auditFact(request: FastifyRequest, reply: FastifyReply): Fact | undefined {
  const { deed } = request;
  if (request.outcome === 'unauthorized')
    return { event: 'audit', action: 'none', outcome: request.outcome, address: request.ip };
  if (deed === undefined) return undefined;
  const outcome = request.outcome ?? (reply.statusCode < 400 ? 'ok' : 'unavailable');
  return { event: 'audit', ...deed, outcome, address: request.ip, token: request.operator ?? '' };
}
