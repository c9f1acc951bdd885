import type { ModerateRequest, Moderation } from '@fenghuo/protocol';
import { recordCost } from '../domain/budget.ts';
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
    recordCost(0, session.receivers),
    (place) => session.home.rooms.moderate(session, place, order),
    ({ answer, records }) => {
      if (answer.type === 'refused') return refused(answer.code);
      // How many people it concerns, the backplane alone knew.
      session.owe(records);
      session.seat.noteRecords(records);
      const { room, peer } = session;
      context.log({ event: 'room_moderated', room, peer, reason: order.action, ...booked(order) });
      return accepted({ seq: answer.seq });
    },
  );
}

/** What the books hold of an order, next to who gave it. */
function booked(order: Moderation): { readonly target?: string; readonly note?: string } {
  return {
    ...('peer' in order ? { target: order.peer } : {}),
    ...('reason' in order && order.reason !== undefined ? { note: order.reason } : {}),
  };
}
