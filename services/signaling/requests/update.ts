import type { UpdateRequest } from '@fenghuo/protocol';
import type { SessionRefusal, Updated } from '../backplane/room-log.ts';
import { recordCost } from '../domain/budget.ts';
import type { Identity } from '../domain/identity.ts';
import { ok, type Result, refuse } from '../domain/result.ts';
import { allowsRoom } from '../domain/token.ts';
import type { Connection, RequestContext } from './context.ts';
import { accepted, type Reply, refused } from './reply.ts';
import type { Session } from './session.ts';

/** Changes one's own name or metadata, and takes a fresh token in place of the one that will expire. */
export async function update(
  context: RequestContext,
  connection: Connection,
  request: UpdateRequest,
): Promise<Reply> {
  const session = connection.membership;
  if (session === undefined || session === 'joining') return refused('not_joined');
  const { id, name, metadata, token } = request;
  const asked = {
    ...(name === undefined ? {} : { name }),
    ...(metadata === undefined ? {} : { metadata }),
  };
  return session.handOver(
    id,
    recordCost(Buffer.byteLength(JSON.stringify(asked)), session.receivers),
    // The token is looked at inside: meanwhile later requests wait for this id, as they do for the backplane.
    async (place): Promise<Result<Outcome, SessionRefusal | 'too_large'>> => {
      const fresh = await freshIdentity(context, connection, session, token);
      if (!fresh.ok) return fresh.code === 'unavailable' ? refuse('unavailable') : ok(fresh);
      const { identity } = fresh;
      // The token's name wins.
      const profile = identity.name === undefined ? asked : { ...asked, name: identity.name };
      const updated = await session.home.rooms.update(session, place, profile);
      return updated.ok ? ok({ ok: true, identity, ...updated.value }) : updated;
    },
    (outcome) => {
      if (!outcome.ok) return refused('unauthorized', outcome.message);
      const { peer, seq, identity } = outcome;
      prolong(connection, identity);
      const body = JSON.stringify({ peer });
      session.seat.noteOwn({ type: 'updated', seq, to: undefined, echo: true, id, body });
      return accepted({ peer });
    },
  );
}

type Outcome = (Updated & { readonly ok: true; readonly identity: Identity }) | Unfit;

type Fresh = { readonly ok: true; readonly identity: Identity } | Unfit;

interface Unfit {
  readonly ok: false;
  readonly code: 'unauthorized' | 'unavailable';
  readonly message: string;
}

/** Whom the connection speaks for from now on: the same person, who may still be in this room. */
async function freshIdentity(
  { verifyToken }: RequestContext,
  { identity }: Connection,
  { room }: Session,
  token: string | undefined,
): Promise<Fresh> {
  if (token === undefined || verifyToken === undefined) return { ok: true, identity };
  const verified = await verifyToken(token);
  if (!verified.ok) return verified;
  if (verified.identity.sub !== identity.sub)
    return unfit('it is somebody else’s: its claim "sub" is another');
  // Of two rooms of one name it was let into this one.
  if (!allowsRoom(verified.identity, room, true)) return unfit('its claim "room" does not allow this room');
  return verified;
}

function unfit(wrong: string): Fresh {
  return { ok: false, code: 'unauthorized', message: `The token is not accepted: ${wrong}.` };
}

/** A repeat may bring an older token than the one that came after it. */
function prolong(connection: Connection, fresh: Identity): void {
  const { expiresAtMs: until = Number.POSITIVE_INFINITY } = connection.identity;
  if ((fresh.expiresAtMs ?? Number.POSITIVE_INFINITY) > until) connection.identity = fresh;
}
