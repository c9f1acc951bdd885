import type { DurableMessage, EphemeralMessage, MessageRequest } from '@fenghuo/protocol';
import { recordCost } from '../domain/budget.ts';
import type { Pending } from '../domain/later.ts';
import type { Connection, RequestContext } from './context.ts';
import { accepted, type Reply, refused } from './reply.ts';
import type { Session } from './session.ts';

/** A product's own words: through the log, or ephemeral past it. */
export function message(
  _context: RequestContext,
  connection: Connection,
  request: MessageRequest,
): Reply | Pending<Reply> {
  const session = connection.membership;
  if (session === undefined || session === 'joining') return refused('not_joined');
  return request.ephemeral === true ? ephemeral(connection, session, request) : durable(session, request);
}

function durable(session: Session, request: DurableMessage): Pending<Reply> {
  const { id, to, topic, data, echo } = request;
  const body = JSON.stringify({ from: session.peer, to, topic, data });
  return session.handOver(
    id,
    recordCost(Buffer.byteLength(body), to === undefined ? session.receivers : 1),
    (place) =>
      session.home.rooms.relay(session, place, { type: 'message', to, echo, kinds: ['message'], body }),
    (answer) => {
      if (answer.type === 'refused') return refused(answer.code);
      session.seat.noteOwn({ type: 'message', seq: answer.seq, to, echo, id, body });
      return accepted({ seq: answer.seq });
    },
  );
}

/** May be lost: it has no seq, no repeat, and is in no log. */
function ephemeral(connection: Connection, session: Session, request: EphemeralMessage): Reply {
  const { to, topic, data } = request;
  if (session.muted.includes('message')) return refused('media_forbidden');
  const bytes = Buffer.byteLength(JSON.stringify(data));
  const limited = session.charge(recordCost(bytes, to === undefined ? session.receivers : 1));
  if (limited !== undefined) return limited;
  if (to === session.peer) return refused('peer_not_found');
  connection.relayEphemeral(session.room, to, {
    from: session.peer,
    ...(to === undefined ? {} : { to }),
    topic,
    data,
  });
  return accepted({});
}
