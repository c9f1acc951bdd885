import { isOverdue } from '../domain/token.ts';
import type { Connection, RequestContext } from './context.ts';

/** How many are ended in one turn: tokens of one school class expire together. */
const ENDED_AT_ONCE = 256;

/**
 * Ends the stay of everybody whose token has expired and was not replaced in time. One look at all connections, to be
 * had each second; what the backplane does not take is tried again at the next.
 */
export function tokenExpiry(
  context: RequestContext,
  onEnded: () => void,
): (connections: Iterable<Connection>) => Promise<void> {
  const ending = new WeakSet<Connection>();

  async function end(connection: Connection): Promise<void> {
    const session = connection.membership;
    if (session === 'joining') return;
    if (session === undefined) {
      onEnded();
      connection.remove('token_expired');
      return;
    }
    ending.add(connection);
    const left = await session.home.rooms.leave(session, 'token_expired');
    // The room's feed tells this connection, as it tells everybody of it.
    if (left.ok) onEnded();
    else ending.delete(connection);
  }

  return async (connections) => {
    const wallMs = context.wallMs();
    const due: Connection[] = [];
    for (const connection of connections) {
      if (due.length >= ENDED_AT_ONCE) break;
      if (isOverdue(connection.identity, wallMs) && !ending.has(connection)) due.push(connection);
    }
    await Promise.all(due.map(end));
  };
}
