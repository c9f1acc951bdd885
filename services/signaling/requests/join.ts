import type { JoinReply, JoinRequest, PeerId, Snapshot } from '@fenghuo/protocol';
import type { Listener, Seat } from '../backplane/room-feed.ts';
import type { RoomSnapshot } from '../backplane/room-log.ts';
import { formatResumeToken } from '../domain/resume-token.ts';
import { OPEN_ROOM_ROLES } from '../domain/roles.ts';
import { type RoomId, resolveRoom } from '../domain/room-id.ts';
import type { Connection, RequestContext, UnsettledJoin } from './context.ts';
import { accepted, type Reply, refused } from './reply.ts';
import { Session } from './session.ts';

/** Creates the peer and its session. The room's events reach it from the reply's seq on. */
export async function join(
  context: RequestContext,
  connection: Connection,
  request: JoinRequest,
): Promise<Reply> {
  if (connection.membership !== undefined) return refused('already_joined');
  const room = resolveRoom(request.room, context.homes);
  if (room === undefined) {
    return refused('invalid_request', `room: no such home; configured: ${context.homes.join(', ')}`);
  }
  if (context.departures.owed > context.departuresMax) return refused('unavailable');
  connection.membership = 'joining';
  connection.lastLeaveId = undefined;
  const attempt = identify(context, connection, room);
  const seat = await context.feeds.collect(room, listenerOf(context, connection, attempt.peer));
  if (seat === undefined || !connection.isOpen) {
    connection.membership = undefined;
    seat?.leave();
    return refused('unavailable');
  }
  return enter(context, connection, request, attempt, seat);
}

/** A join whose outcome stayed unknown goes on under its peer id; one for another room is called off. */
function identify(context: RequestContext, connection: Connection, room: RoomId): UnsettledJoin {
  const former = connection.unsettledJoin;
  if (former?.room === room) return former;
  if (former !== undefined) void callOff(context, connection);
  return { room, peer: context.newPeerId(), secret: context.newSecret() };
}

/** Ends what a join of unknown outcome may have created. */
export async function callOff(context: RequestContext, connection: Connection): Promise<void> {
  const former = connection.unsettledJoin;
  connection.unsettledJoin = undefined;
  if (former !== undefined) await context.departures.depart({ ...former, generation: 1 }, 'left');
}

async function enter(
  context: RequestContext,
  connection: Connection,
  request: JoinRequest,
  attempt: UnsettledJoin,
  seat: Seat,
): Promise<Reply> {
  const { room, peer, secret } = attempt;
  const outcome = await context.rooms.join({
    room,
    peer,
    generation: 1,
    profile: { name: request.name, metadata: request.metadata },
    location: context.location,
    incarnation: context.incarnation,
    roles: OPEN_ROOM_ROLES,
    peersMax: context.roomPeersMax,
    tokenHash: context.hash(secret),
  });
  connection.unsettledJoin = !outcome.ok && outcome.code === 'unavailable' ? attempt : undefined;
  if (!outcome.ok) {
    seat.leave();
    connection.membership = undefined;
    if (!connection.isOpen) await callOff(context, connection);
    return refused(outcome.code);
  }
  if (!connection.isOpen) {
    // Rule Q4: nobody will ever know that this join succeeded.
    seat.leave();
    await context.departures.depart({ room, peer, generation: 1 }, 'expired');
    return refused('unavailable');
  }
  connection.membership = new Session(room, peer, seat, context.nowMs);
  connection.enter(room, peer);
  context.log({ event: 'peer_joined', room, peer });
  const reply: JoinReply = {
    ...snapshotFor(context, peer, outcome.value),
    resume_token: formatResumeToken(room, peer, secret),
    resume_window_ms: context.resumeWindowMs,
  };
  return accepted(reply, () => seat.start(outcome.value.epoch, outcome.value.seq));
}

function listenerOf(context: RequestContext, connection: Connection, peer: PeerId): Listener {
  return {
    peer,
    deliver: (record) => connection.sendRecord(record),
    resync: (snapshot) => {
      connection.send('resync', { complete: false, ...snapshotFor(context, peer, snapshot) } as never);
    },
    lost: () => connection.drop('session_lost'),
  };
}

/** The room as one of its members is told of it: `peers` never holds oneself. */
function snapshotFor(context: RequestContext, peer: PeerId, snapshot: RoomSnapshot): Snapshot {
  const self = snapshot.peers.find((each) => each.id === peer);
  if (self === undefined) throw new Error('a snapshot without the peer it is for');
  return {
    self,
    room: snapshot.room,
    peers: snapshot.peers.filter((each) => each.id !== peer),
    seq: snapshot.seq,
    epoch: snapshot.epoch,
    ice_servers: context.iceServers,
  };
}
