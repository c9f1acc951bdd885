import type { SignalRequest } from '@fenghuo/protocol';
import { recordCost } from '../domain/budget.ts';
import { kindsSent } from '../domain/description.ts';
import type { Pending } from '../domain/later.ts';
import type { Connection, RequestContext } from './context.ts';
import { accepted, type Reply, refused } from './reply.ts';

/** Appends a description or a candidate for one other peer. */
export function signal(
  _context: RequestContext,
  connection: Connection,
  request: SignalRequest,
): Reply | Pending<Reply> {
  const session = connection.membership;
  if (session === undefined || session === 'joining') return refused('not_joined');
  const { id, to, description, candidate } = request;
  const from = session.peer;
  const body = JSON.stringify(description === undefined ? { from, candidate } : { from, description });
  const kinds =
    description === undefined || description.type === 'rollback' ? [] : kindsSent(description.sdp);
  return session.handOver(
    id,
    recordCost(Buffer.byteLength(body), 1),
    (place) => session.home.rooms.relay(session, place, { type: 'signal', to, echo: false, kinds, body }),
    (answer) => {
      if (answer.type === 'refused') return refused(answer.code);
      session.seat.noteOwn({ type: 'signal', seq: answer.seq, to, echo: false, id, body });
      return accepted({ seq: answer.seq, delivery: answer.type === 'held' ? 'held' : 'sent' });
    },
  );
}
