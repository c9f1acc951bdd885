import type { LeaveRequest } from '@fenghuo/protocol';
import type { Connection, RequestContext } from './context.ts';
import { accepted, type Reply, refused } from './reply.ts';
import { REQUEST, type Session } from './session.ts';

/** Ends the session; the connection may join again, from id 1. */
export async function leave(
  context: RequestContext,
  connection: Connection,
  request: LeaveRequest,
): Promise<Reply> {
  const session = connection.membership;
  if (session === undefined && connection.lastLeaveId === request.id) return accepted({});
  if (session === undefined || session === 'joining') return refused('not_joined');
  return session.handOver(
    request.id,
    REQUEST,
    (place) => session.home.rooms.leave(session, 'left', place),
    (seq) => {
      const body = JSON.stringify({ peer: session.peer, reason: 'left' });
      session.seat.noteOwn({ type: 'left', seq, to: undefined, echo: false, id: request.id, body });
      if (connection.membership === session) left(context, connection, request.id);
      return accepted({});
    },
  );
}

/** The backplane has taken the leave; whether its answer or its record tells so first. */
export function left(context: RequestContext, connection: Connection, id: number): void {
  const session = connection.membership;
  if (session === undefined || session === 'joining') return;
  end(context, connection, session, 'left');
  connection.lastLeaveId = id;
}

/** The node's side of the end of a session, or of its stay here. */
export function end(
  context: RequestContext,
  connection: Connection,
  session: Session,
  reason: 'left' | 'detached' | 'replaced' | 'removed',
): void {
  if (reason !== 'detached') session.home.absences.linger(session.room);
  session.seat.leave();
  connection.exit(session.room, session.peer);
  connection.membership = undefined;
  context.log({ event: 'peer_gone', room: session.room, peer: session.peer, reason });
}
