import type { Connection, RequestContext } from './context.ts';
import { callOff } from './join.ts';
import { end } from './leave.ts';

/** The connection is gone: its session ends at once, whether its peer knows of it or not. */
export async function connectionLost(context: RequestContext, connection: Connection): Promise<void> {
  const session = connection.membership;
  if (session !== undefined && session !== 'joining') {
    end(context, connection, session, 'expired');
    await context.departures.depart(session, 'expired');
  }
  await callOff(context, connection);
}
