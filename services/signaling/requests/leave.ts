import type { LeaveRequest, LeftReason } from '@fenghuo/protocol';
import type { Connection, RequestContext } from './context.ts';
import { accepted, type Reply, refused } from './reply.ts';
import type { Session } from './session.ts';

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
    undefined,
    (place) => context.rooms.leave(session, 'left', place),
    () => {
      if (connection.membership === session) {
        end(context, connection, session, 'left');
        connection.lastLeaveId = request.id;
      }
      return accepted({});
    },
  );
}

/** The node's side of a session's end. */
export function end(
  context: RequestContext,
  connection: Connection,
  session: Session,
  reason: LeftReason,
): void {
  session.seat.leave();
  connection.exit(session.room, session.peer);
  connection.membership = undefined;
  context.log({ event: 'peer_left', room: session.room, peer: session.peer, reason });
}
