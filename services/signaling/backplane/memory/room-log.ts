import type { LeftReason, Peer, PeerId } from '@fenghuo/protocol';
import { admit } from '../../domain/admission.ts';
import type { Answer } from '../../domain/answer.ts';
import { type LogBounds, limitsFor } from '../../domain/log-bounds.ts';
import { judge, type RequestRef, remember } from '../../domain/request-order.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import { type RoomId, roomHome, roomName } from '../../domain/room-id.ts';
import { bodies, formatRecord, type RecordType, type RoomRecord } from '../../domain/room-record.ts';
import {
  LOG_PAGE_RECORDS,
  type RoomLog,
  type RoomSnapshot,
  type SessionRef,
  type SessionRefusal,
} from '../room-log.ts';
import type { Member, MemoryRoom, SharedMemory } from './shared-memory.ts';

/** The same transitions as the scripts of the Redis adapter, by the domain's own rules. */
export function memoryRoomLog(
  memory: SharedMemory,
  bounds: LogBounds,
  incarnation: string,
): { rooms: RoomLog; endSessions(room: RoomId, incarnation: string): number } {
  function append(id: RoomId, room: MemoryRoom, record: Draft): number {
    room.seq += 1;
    const nowMs = performance.now();
    const text = formatRecord({
      ...record,
      epoch: room.epoch,
      seq: room.seq,
      origin: incarnation,
      originMs: Number(nowMs.toFixed(1)),
    });
    const bytes = Buffer.byteLength(text);
    room.log.push({ text, bytes, atMs: nowMs });
    room.bytes += bytes;
    trim(room, bounds, nowMs);
    memory.ring(id, text);
    return room.seq;
  }

  /** Rule Q1, then the change: what it returns is the final answer, kept with its id. */
  function inOrder<Value>(
    session: SessionRef,
    request: RequestRef,
    apply: (room: MemoryRoom, member: Member) => Answer,
    reply: (answer: Answer, member: Member) => Value,
  ): Result<Value, SessionRefusal> {
    const room = memory.rooms.get(session.room);
    const member = room?.members.get(session.peer);
    const verdict = judge(member?.requests, session.generation, request);
    if (verdict.type === 'refuse') return refuse(verdict.code);
    if (room === undefined || member === undefined) return refuse('session_expired');
    if (verdict.type === 'repeat') return ok(reply(verdict.answer, member));
    const answer = apply(room, member);
    member.requests = remember(member.requests, request.id, answer);
    for (const id of member.updates.keys()) if (!member.requests.answers.has(id)) member.updates.delete(id);
    return ok(reply(answer, member));
  }

  /** Ends a session, and the room with its last one. */
  function endSession(id: RoomId, room: MemoryRoom, peer: PeerId, reason: LeftReason): void {
    room.members.delete(peer);
    if (room.members.size === 0) memory.rooms.delete(id);
    else
      append(id, room, {
        type: 'peer_left',
        from: peer,
        to: undefined,
        echo: false,
        body: bodies.left(peer, reason),
      });
  }

  function endSessions(id: RoomId, dead: string): number {
    const room = memory.rooms.get(id);
    const peers = [...(room?.members ?? [])]
      .filter(([, member]) => member.incarnation === dead)
      .map(([peer]) => peer);
    for (const peer of peers) if (room !== undefined) endSession(id, room, peer, 'expired');
    return peers.length;
  }

  const rooms: RoomLog = {
    async join(newcomer) {
      const { room: id, peer } = newcomer;
      if (memory.voided.has(peer)) return refuse('unavailable');
      const known = memory.rooms.get(id);
      if (known?.members.has(peer)) return ok(snapshotOf(id, known));
      if (known !== undefined) {
        const admitted = admit(known, known.members.size);
        if (!admitted.ok) return admitted;
      }
      const room = known ?? newRoom(memory.nextEpoch(), newcomer.peersMax);
      memory.rooms.set(id, room);
      const created: Peer = {
        id: peer,
        name: newcomer.profile.name,
        role: room.members.size === 0 ? newcomer.roles.first : newcomer.roles.others,
        muted: [],
        connected: true,
        metadata: newcomer.profile.metadata as Peer['metadata'],
        joined_seq: room.seq + 1,
        ...newcomer.location,
      };
      room.members.set(peer, {
        peer: JSON.stringify(created),
        requests: { generation: newcomer.generation, lastId: 1, answers: new Map() },
        updates: new Map(),
        tokenHash: newcomer.tokenHash,
        incarnation: newcomer.incarnation,
      });
      append(id, room, {
        type: 'peer_joined',
        from: peer,
        to: undefined,
        echo: false,
        body: bodies.peer(created),
      });
      return ok(snapshotOf(id, room));
    },

    async leave(session, reason, request) {
      const { room: id, peer } = session;
      const room = memory.rooms.get(id);
      const member = room?.members.get(peer);
      if (room === undefined || member === undefined) {
        if (request === undefined) voidJoin(memory, peer);
        return refuse('session_expired');
      }
      const place = request ?? { id: member.requests.lastId + 1, previousId: 0 };
      const verdict = judge(member.requests, session.generation, place);
      if (verdict.type !== 'apply')
        return refuse(verdict.type === 'refuse' ? verdict.code : 'invalid_request');
      endSession(id, room, peer, reason);
      return ok(undefined);
    },

    async relay(session, request, relay) {
      return inOrder(
        session,
        request,
        (room) => {
          const target = relay.to === undefined ? undefined : room.members.get(relay.to);
          if (relay.to !== undefined && (target === undefined || relay.to === session.peer)) {
            return { type: 'refused', code: 'peer_not_found' };
          }
          const isConnected = target === undefined || (JSON.parse(target.peer) as Peer).connected;
          const seq = append(session.room, room, { ...relay, from: session.peer });
          if (relay.type === 'message') return { type: 'logged', seq };
          return { type: isConnected ? 'sent' : 'held', seq };
        },
        (answer) => answer,
      );
    },

    async update(session, request, profile) {
      return inOrder(
        session,
        request,
        (room, member) => {
          const given = Object.fromEntries(
            Object.entries(profile).filter(([, value]) => value !== undefined),
          );
          member.peer = JSON.stringify({ ...JSON.parse(member.peer), ...given });
          member.updates.set(request.id, member.peer);
          const body = `{"peer":${member.peer}}`;
          const seq = append(session.room, room, {
            type: 'peer_updated',
            from: session.peer,
            to: undefined,
            echo: true,
            body,
          });
          return { type: 'updated', seq };
        },
        (_, member) => JSON.parse(member.updates.get(request.id) ?? member.peer) as Peer,
      );
    },

    async readAfter(id, seq) {
      const room = memory.rooms.get(id);
      if (room === undefined) return ok(undefined);
      const from = Math.max(0, seq + 1 - room.first);
      const records = room.log.slice(from, from + LOG_PAGE_RECORDS).map((entry) => entry.text);
      return ok({ epoch: room.epoch, head: room.seq, first: room.first, records });
    },

    async snapshot(id) {
      const room = memory.rooms.get(id);
      return ok(room === undefined ? undefined : snapshotOf(id, room));
    },

    async attest(rooms) {
      return ok(
        rooms.map((id) => {
          const room = memory.rooms.get(id);
          return room === undefined ? undefined : { epoch: room.epoch, head: room.seq };
        }),
      );
    },
  };
  return { rooms, endSessions };
}

type Draft = Pick<RoomRecord, 'from' | 'to' | 'echo' | 'body'> & { readonly type: RecordType };

function newRoom(epoch: number, peersMax: number): MemoryRoom {
  return { epoch, seq: 0, peersMax, locked: false, members: new Map(), log: [], first: 1, bytes: 0 };
}

function snapshotOf(id: RoomId, room: MemoryRoom): RoomSnapshot {
  return {
    epoch: room.epoch,
    seq: room.seq,
    room: { name: roomName(id), home: roomHome(id), locked: room.locked, peers_max: room.peersMax },
    peers: [...room.members.values()].map((member) => JSON.parse(member.peer) as Peer),
  };
}

function trim(room: MemoryRoom, bounds: LogBounds, nowMs: number): void {
  const limits = limitsFor(bounds, room.members.size);
  let over = 0;
  for (const entry of room.log) {
    const fits = room.log.length - over <= limits.events && room.bytes <= limits.bytes;
    if (fits && nowMs - entry.atMs <= bounds.ageMs) break;
    room.bytes -= entry.bytes;
    over++;
  }
  if (over === 0) return;
  room.log.splice(0, over);
  room.first += over;
}

const VOID_MS = 60_000;

function voidJoin(memory: SharedMemory, peer: PeerId): void {
  memory.voided.add(peer);
  setTimeout(() => memory.voided.delete(peer), VOID_MS).unref();
}
