import { type PeerId, parseRoomAddress, type ResumeReply, type ResumeRequest } from '@fenghuo/protocol';
import type { Resumed, RoomSnapshot } from '../backplane/room-log.ts';
import type { Seat } from '../backplane/room-seat.ts';
import { certainPersonOf } from '../domain/identity.ts';
import { ok, type Result } from '../domain/result.ts';
import { parseResumeToken, type ResumeToken } from '../domain/resume-token.ts';
import type { RoomId } from '../domain/room-id.ts';
import { peerOf, type RoomRecord, readRecord } from '../domain/room-record.ts';
import { allowsRoom, isExpired, TOKEN_EXPIRED } from '../domain/token.ts';
import type { Connection, RequestContext, RoomHome } from './context.ts';
import { chargeEntry, refusedSession } from './join.ts';
import { ConnectionListener, snapshotFor } from './listener.ts';
import { accepted, type Reply, refused } from './reply.ts';
import { Session } from './session.ts';

/** Continues a session on this connection, with what it missed. */
export async function resume(
  context: RequestContext,
  connection: Connection,
  request: ResumeRequest,
): Promise<Reply> {
  const limited = chargeEntry(context, connection);
  if (limited !== undefined) return limited;
  if (connection.membership !== undefined) return refused('already_joined');
  const tooMany = refusedSession(connection);
  if (tooMany !== undefined) return tooMany;
  connection.membership = 'joining';
  const token = readToken(context, request.resume_token);
  const reply =
    token === undefined
      ? await unknownToken(context, connection)
      : await reattach(context, connection, request, token);
  if (connection.membership === 'joining') connection.membership = undefined;
  connection.heading = undefined;
  return reply;
}

async function reattach(
  context: RequestContext,
  connection: Connection,
  request: ResumeRequest,
  token: ResumeToken,
): Promise<Reply> {
  const home = context.homeOf(token.room);
  // Each try whose outcome stays unknown is owed: they, too, are bounded.
  if (home.departures.owed > context.departuresMax) return refused('unavailable');
  if ((await home.awake()) === false) return refused('unavailable');
  connection.heading = token.room;
  const tokenHash = context.hash(token.secret);
  const { identity } = connection;
  if (isExpired(identity, context.wallMs())) return refused('unauthorized', TOKEN_EXPIRED);
  if (!allowsRoom(identity, token.room, true))
    return refused('unauthorized', 'The token does not allow the room of this session (claim "room").');
  // Rule C6: nothing is subscribed or fenced for a token that is not good.
  const person = certainPersonOf(identity, context.hash);
  const verified = await home.rooms.verify({ ...token, tokenHash, person });
  if (!verified.ok)
    return verified.code === 'session_expired' ? unknownToken(context, connection) : refused(verified.code);
  const seat = await home.feeds.collect(token.room, new ConnectionListener(context, connection, token.peer));
  if (seat === undefined) return refused('unavailable');
  const { seq, epoch, attempt = 0 } = request;
  const { location } = context;
  const { incarnation } = home;
  const holder = context.newPeerId();
  const comeback = { ...token, tokenHash, person, seq, epoch, attempt, location, incarnation, holder };
  const resumed = await home.rooms.resume(comeback);
  if (!resumed.ok) {
    // Where it is unknown whether this try has the session, it must not keep it without a connection.
    if (resumed.code === 'unavailable') void home.absences.takeBack(comeback);
    seat.leave();
    return resumed.code === 'session_expired' ? unknownToken(context, connection) : refused(resumed.code);
  }
  return goOn(context, connection, { ...token, home, seat, epoch }, resumed.value);
}

/** Forged, malformed, expired: an answer that tells nothing of which, and not at once. */
async function unknownToken(context: RequestContext, connection: Connection): Promise<Reply> {
  await context.slowDown(connection.network);
  return refused('session_expired');
}

function readToken(context: RequestContext, text: string): ResumeToken | undefined {
  const token = parseResumeToken(text);
  const home = token === undefined ? undefined : parseRoomAddress(token.room)?.home;
  return home !== undefined && context.homes.includes(home) ? token : undefined;
}

interface Place {
  readonly room: RoomId;
  readonly peer: PeerId;
  readonly home: RoomHome;
  readonly seat: Seat;
  /** In which the client counts. */
  readonly epoch: number;
}

async function goOn(
  context: RequestContext,
  connection: Connection,
  { room, peer, home, seat, epoch }: Place,
  resumed: Resumed,
): Promise<Reply> {
  const { generation, lastId, record } = resumed;
  const session = { room, peer, generation };
  const missed = await missedBy(home, session, resumed);
  if (!missed.ok || !connection.isOpen) {
    // Rule C5: the session is this connection's by now, and this connection cannot have it.
    seat.leave();
    await home.absences.begin(session);
    return refused('unavailable');
  }
  const fence = readRecord(record);
  const muted = (fence === undefined ? undefined : peerOf(fence)?.muted) ?? [];
  const { sender } = connection;
  connection.membership = new Session({ ...session, muted }, { home, seat, sender });
  sender.owe({ sent_bytes: COMINGS * seat.size * record.length });
  connection.enter(room, peer);
  const { count, records, snapshot, bytes } = missed.value;
  const outcome = snapshot === undefined ? 'recovered' : 'snapshot';
  context.resumed(outcome, count);
  context.log({ event: 'peer_resumed', room, peer, reason: outcome });
  if (snapshot !== undefined) {
    const reply: ResumeReply = { recovered: false, last_id: lastId, ...snapshotFor(context, peer, snapshot) };
    const { epoch, seq } = snapshot;
    return accepted(reply, () => seat.start({ epoch, seq, generation, record }));
  }
  sender.owe({ sent_bytes: bytes });
  const start = () => {
    seat.start({ epoch: resumed.epoch, seq: resumed.head, generation, record });
    // The room was restored meanwhile: the client learns in which epoch it counts from now on.
    if (epoch !== resumed.epoch) void seat.tellEpoch();
  };
  const reply: ResumeReply = { recovered: true, missed: count, last_id: lastId };
  return accepted(reply, () => {
    if (records === undefined)
      return void replayInPages(home, session, resumed, connection).then(start, drop);
    for (const each of records) connection.sendRecord(each);
    start();
  });

  /** The client comes back, and goes on behind what it has got. */
  function drop(): void {
    connection.drop('session_lost');
  }
}

/** Sends what a session missed as fast as its client takes it. Rejects where it cannot go on. */
async function replayInPages(
  { rooms }: RoomHome,
  { room, peer }: { readonly room: RoomId; readonly peer: PeerId },
  { replayFrom = 0, head }: Resumed,
  connection: Connection,
): Promise<void> {
  for (let at = replayFrom; at < head && connection.isOpen; ) {
    const page = await rooms.replay(room, peer, at, head);
    if (!page.ok || page.value === undefined) throw new Error('what was missed cannot be had');
    for (const each of page.value.records.map(readRecord)) {
      if (each === undefined) throw new Error('a record that cannot be read');
      connection.sendRecord(each);
    }
    await connection.taken();
    at = page.value.upTo;
  }
}

interface Missed {
  readonly count: number;
  /** Undefined where they are too many to be held at once: they are read again, page by page. */
  readonly records: readonly RoomRecord[] | undefined;
  /** In place of the records, where some of them are not to be had. */
  readonly snapshot: RoomSnapshot | undefined;
  readonly bytes: number;
}

/** That it went, and that it is back: everybody is told of both. */
const COMINGS = 2;
/** So much of what was missed is held for a client at once. */
const HELD_BYTES_MAX = 1_048_576;

async function missedBy(
  { rooms }: RoomHome,
  { room, peer }: { readonly room: RoomId; readonly peer: PeerId },
  { replayFrom, head, snapshot }: Resumed,
): Promise<Result<Missed, 'unavailable'>> {
  let records: RoomRecord[] | undefined = [];
  let [count, bytes] = [0, 0];
  for (let at = replayFrom; at !== undefined && at < head; ) {
    const page = await rooms.replay(room, peer, at, head);
    if (!page.ok) return page;
    const parsed = page.value?.records.map(readRecord);
    for (const record of parsed ?? []) bytes += record?.body.length ?? 0;
    if (page.value === undefined || parsed?.includes(undefined)) return snapshotInstead(rooms, room, peer);
    count += page.value.records.length;
    if (bytes > HELD_BYTES_MAX) records = undefined;
    records?.push(...(parsed as RoomRecord[]));
    at = page.value.upTo;
  }
  return ok({ count, records, snapshot, bytes });
}

async function snapshotInstead(
  rooms: RoomHome['rooms'],
  room: RoomId,
  peer: PeerId,
): Promise<Result<Missed, 'unavailable'>> {
  const found = await rooms.snapshot(room);
  if (!found.ok) return found;
  const { value: snapshot } = found;
  const isThere = snapshot?.peers.some((each) => each.id === peer) ?? false;
  return isThere ? ok({ count: 0, records: [], snapshot, bytes: 0 }) : { ok: false, code: 'unavailable' };
}
