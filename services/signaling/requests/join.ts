import type { JoinReply, JoinRequest } from '@fenghuo/protocol';
import type { Seat } from '../backplane/room-seat.ts';
import type { Cost } from '../domain/budget.ts';
import { certainPersonOf, type Identity, personOf } from '../domain/identity.ts';
import { ok, type Result } from '../domain/result.ts';
import { formatResumeToken } from '../domain/resume-token.ts';
import { OPEN_ROOM_ROLES, rolesOfToken } from '../domain/roles.ts';
import type { RoomId } from '../domain/room-id.ts';
import { allowsName, allowsRoom, isExpired, TOKEN_EXPIRED } from '../domain/token.ts';
import type { Connection, RequestContext, RoomHome, UnsettledJoin } from './context.ts';
import { ConnectionListener, snapshotFor } from './listener.ts';
import { accepted, type Reply, refused, refusedByRoom } from './reply.ts';
import { Session } from './session.ts';

/** Creates the peer and its session. The room's events reach it from the reply's seq on. */
export async function join(
  context: RequestContext,
  connection: Connection,
  request: JoinRequest,
): Promise<Reply> {
  const limited = chargeEntry(context, connection);
  if (limited !== undefined) return limited;
  if (connection.membership !== undefined) return refused('already_joined');
  const tooMany = refusedSession(connection);
  if (tooMany !== undefined) return tooMany;
  if (isExpired(connection.identity, context.wallMs())) return refused('unauthorized', TOKEN_EXPIRED);
  // Before the search, which claims the name and listens to its rooms.
  if (!allowsName(connection.identity, request.room.name)) return refused('forbidden', NOT_ALLOWED);
  const searching = context.locator.locate(request.room);
  if (searching === undefined)
    return refused('invalid_request', `room: no such home; configured: ${context.homes.join(', ')}`);
  connection.membership = 'joining';
  connection.lastLeaveId = undefined;
  const located = await searching;
  const reply = located.ok
    ? await joinRoom(context, connection, request, located.value.room)
    : refused(located.code);
  if (located.ok) located.value.letGo();
  if (connection.membership === 'joining') connection.membership = undefined;
  connection.heading = undefined;
  return reply;
}

/** A join or a resume, whatever becomes of it; the refusal where its sender had too many, here or on all nodes. */
export function chargeEntry(context: RequestContext, connection: Connection): Reply | undefined {
  const waitMs = connection.sender.spend(ENTRY) || context.countEntry(connection);
  return waitMs === 0 ? undefined : refused('rate_limited', 'Too many joins and resumes.', waitMs);
}

const ENTRY: Cost = { requests: 1, entries: 1, sent_bytes: 0 };
/** Where its user or its address has as many sessions as it may. */
export function refusedSession({ sender }: Connection): Reply | undefined {
  return sender.mayJoin ? undefined : refused('rate_limited', TOO_MANY_SESSIONS, SESSIONS_RETRY_MS);
}

const TOO_MANY_SESSIONS = 'This user, or this address, has as many sessions on this node as it may.';
const SESSIONS_RETRY_MS = 5_000;
const NOT_ALLOWED = 'The token does not allow this room (claim "room").';

async function joinRoom(
  context: RequestContext,
  connection: Connection,
  request: JoinRequest,
  room: RoomId,
): Promise<Reply> {
  const allowed = await mayEnter(context, connection.identity, request.room.home, room);
  if (!allowed.ok) return refused(allowed.code);
  if (!allowed.value) return refused('forbidden', NOT_ALLOWED);
  const home = context.homeOf(room);
  if (home.departures.owed > context.departuresMax) return refused('unavailable');
  if ((await home.awake()) === false) return refused('unavailable');
  connection.heading = room;
  const attempt = identify(context, connection, room, request.key);
  const seat = await home.feeds.collect(room, new ConnectionListener(context, connection, attempt.peer));
  if (seat === undefined || !connection.isOpen) {
    seat?.leave();
    return refused('unavailable');
  }
  return enter(context, connection, request, attempt, { home, seat });
}

/** Whoever asked for a suffix may hold a token for the bare name of the same room. */
async function mayEnter(
  { locator }: RequestContext,
  identity: Identity,
  suffix: string | undefined,
  room: RoomId,
): Promise<Result<boolean, 'unavailable'>> {
  const isNamed = suffix === undefined || locator.isNamed(room);
  if (allowsRoom(identity, room, isNamed)) return ok(true);
  return allowsRoom(identity, room, true) ? locator.isNamedByRegistrar(room) : ok(false);
}

/**
 * A join whose outcome stayed unknown goes on under its peer id; another one is called off. A key makes the id, so that
 * the same join on another connection, where its reply was lost, names the same peer (rule Q4).
 */
function identify(
  context: RequestContext,
  connection: Connection,
  room: RoomId,
  key: string | undefined,
): UnsettledJoin {
  const former = connection.unsettledJoin;
  if (former?.room === room && former.key === key) return former;
  if (former !== undefined) void callOff(context, connection);
  // Under another's key nobody comes into another's session.
  const person = certainPersonOf(connection.identity, context.hash) ?? '';
  const peer = key === undefined ? context.newPeerId() : context.peerIdFrom(`${room} ${person} ${key}`);
  return { room, peer, key, secret: context.newSecret() };
}

/** Ends what a join of unknown outcome may have created. */
export async function callOff(context: RequestContext, connection: Connection): Promise<void> {
  const former = connection.unsettledJoin;
  connection.unsettledJoin = undefined;
  if (former !== undefined) await leaveUnknown(context, former);
}

function leaveUnknown(context: RequestContext, { room, peer, secret }: UnsettledJoin): Promise<void> {
  const tokenHash = context.hash(secret);
  const { departures, rooms } = context.homeOf(room);
  return departures.depart(() => rooms.callOff({ room, peer, tokenHash }, 'expired'));
}

async function enter(
  context: RequestContext,
  connection: Connection,
  request: JoinRequest,
  attempt: UnsettledJoin,
  { home, seat }: { readonly home: RoomHome; readonly seat: Seat },
): Promise<Reply> {
  const { room, peer, secret } = attempt;
  const { identity } = connection;
  const name = identity.name ?? request.name;
  const outcome = await home.rooms.join({
    room,
    peer,
    generation: 1,
    profile: { name, metadata: request.metadata },
    location: context.location,
    incarnation: home.incarnation,
    roles: context.verifyToken === undefined ? OPEN_ROOM_ROLES : rolesOfToken(identity.role),
    person: personOf(identity, name, connection.network, context.hash),
    peersMax: context.roomPeersMax,
    tokenHash: context.hash(secret),
    wantsState: seat.wantsState,
  });
  connection.unsettledJoin = !outcome.ok && outcome.code === 'unavailable' ? attempt : undefined;
  if (!outcome.ok) {
    seat.leave();
    if (!connection.isOpen) await callOff(context, connection);
    return refusedByRoom(outcome);
  }
  if (!connection.isOpen) {
    // Rule Q4: nobody will ever know that this join succeeded.
    seat.leave();
    await leaveUnknown(context, attempt);
    return refused('unavailable');
  }
  const { generation, record, snapshot, state } = outcome.value;
  const { epoch, seq } = snapshot;
  const told = snapshotFor(context, peer, snapshot);
  const { muted } = told.self;
  const { sender } = connection;
  connection.membership = new Session({ room, peer, generation, muted }, { home, seat, sender });
  sender.owe({ sent_bytes: told.peers.length * JSON.stringify(told.self).length });
  connection.enter(room, peer);
  context.log({ event: 'peer_joined', room, peer });
  const reply: JoinReply = {
    ...told,
    resume_token: formatResumeToken({ room, peer, secret }),
    resume_window_ms: context.resumeWindowMs,
  };
  return accepted(reply, () => seat.start({ epoch, seq, generation, record, state }));
}
