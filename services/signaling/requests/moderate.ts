import type { ModerateRequest } from '@fenghuo/protocol';
import type { Connection, RequestContext } from './context.ts';
import { accepted, type Reply, refused } from './reply.ts';

/** Mutes, removes, promotes, locks: what a host or moderator may order. */
export async function moderate(
  context: RequestContext,
  connection: Connection,
  request: ModerateRequest,
): Promise<Reply> {
  const session = connection.membership;
  if (session === undefined || session === 'joining') return refused('not_joined');
  const { id, ...order } = request;
  return session.handOver(
    id,
    0,
    (place) => context.rooms.moderate(session, place, order),
    ({ answer, records }) => {
      if (answer.type === 'refused') return refused(answer.code);
      // How many people it concerns, the backplane alone knew.
      session.owe(records);
      session.seat.noteRecords(records);
      context.log({ event: 'room_moderated', room: session.room, peer: session.peer, reason: order.action });
      return accepted({ seq: answer.seq });
    },
  );
}
