import type { Connection, RequestContext } from './context.ts';
import { callOff } from './join.ts';
import { end } from './leave.ts';

/** The connection is gone: its session waits for another one, on whichever node, within the resume window. */
export async function connectionLost(context: RequestContext, connection: Connection): Promise<void> {
  const session = connection.membership;
  if (session !== undefined && session !== 'joining') {
    const detached = session.home.absences.begin(session);
    end(context, connection, session, 'detached');
    await detached;
  }
  await callOff(context, connection);
}
