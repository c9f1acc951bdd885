import type { UpdateRequest } from '@fenghuo/protocol';
import type { Connection, RequestContext } from './context.ts';
import { accepted, type Reply, refused } from './reply.ts';

/** Changes one's own name or metadata. */
export async function update(
  context: RequestContext,
  connection: Connection,
  request: UpdateRequest,
): Promise<Reply> {
  const session = connection.membership;
  if (session === undefined || session === 'joining') return refused('not_joined');
  const { id, name, metadata } = request;
  const profile = {
    ...(name === undefined ? {} : { name }),
    ...(metadata === undefined ? {} : { metadata }),
  };
  return session.handOver(
    id,
    Buffer.byteLength(JSON.stringify(profile)),
    (place) => context.rooms.update(session, place, profile),
    ({ peer, seq }) => {
      const body = JSON.stringify({ peer });
      session.seat.noteOwn({ type: 'updated', seq, to: undefined, echo: true, id, body });
      return accepted({ peer });
    },
  );
}
