import type { LeftReason, Peer } from '@fenghuo/protocol';
import { admit, mayReplace } from '../../domain/admission.ts';
import type { Answer } from '../../domain/answer.ts';
import type { Person } from '../../domain/identity.ts';
import type { LogBounds } from '../../domain/log-bounds.ts';
import { type Actor, moderate } from '../../domain/moderation.ts';
import { judge, type RequestRef, remember } from '../../domain/request-order.ts';
import { ok, type Refusal, type Result, refuse } from '../../domain/result.ts';
import { effectiveMutes } from '../../domain/roles.ts';
import type { RoomId } from '../../domain/room-id.ts';
import {
  bodies,
  concerns,
  formatInner,
  formatRecord,
  parseRecord,
  type RoomRecord,
} from '../../domain/room-record.ts';
import {
  emptyRoom,
  type MemberState,
  metadataBytes,
  parseState,
  type RoomState,
  relayAnswer,
  serializeState,
  snapshotOf,
} from '../../domain/room-state.ts';
import {
  type Adopted,
  type Comeback,
  LOG_PAGE_RECORDS,
  type RoomLog,
  SERVER,
  type SessionRef,
  type SessionRefusal,
  type Updated,
} from '../room-log.ts';
import { keyOf } from './rebuilds.ts';
import { letGoOld, missingOf, placeFor, placeForNewcomer } from './retention.ts';
import type { MemoryRoom, SharedMemory } from './shared-memory.ts';
import { transitions } from './transitions.ts';

export interface MemoryRoomLog {
  readonly rooms: RoomLog;
  /** Detaches what a dead process held in a room, and hands it to its adopter. */
  takeOver(room: RoomId, dead: string, adopter: string): Result<Adopted[], 'unavailable'>;
}

/** What one node has seen of the memory's lives. */
export interface LifeView {
  isSealed(life: string): boolean;
  unsealed(life: string): void;
  unopened(room: RoomId, life: string): void;
}

/** The same transitions as the scripts of the Redis adapter, by the domain's own rules. */
export function memoryRoomLog(
  memory: SharedMemory,
  bounds: LogBounds,
  origin: string,
  view: LifeView,
): MemoryRoomLog {
  /** Rule R1: undefined where this life of the memory is not one in which the room, or its absence, counts. */
  function find(id: RoomId): { room: MemoryRoom | undefined } | undefined {
    const room = memory.rooms.get(id);
    const { life } = memory;
    if (room?.life === life) return { room };
    if (!view.isSealed(life) || !memory.sealed.has(life)) {
      view.unsealed(life);
      return undefined;
    }
    if (memory.contributions.has(keyOf(id, life))) {
      view.unopened(id, life);
      return undefined;
    }
    // Nobody handed it in: it is what it was, or is really missing.
    if (room !== undefined) room.life = life;
    return { room };
  }

  const { append, attach, detach, handOver, end, create, carryOut } = transitions(memory, bounds, origin);

  /** Rule Q1, then the change: what it returns is the final answer, kept with its id. */
  function inOrder<Value>(
    session: SessionRef,
    request: RequestRef,
    kinds: readonly Answer['type'][],
    apply: (room: MemoryRoom, member: MemberState) => Answer | Refusal<SessionRefusal>,
    reply: (answer: Answer, room: MemoryRoom) => Value | undefined,
  ): Result<Value, SessionRefusal> {
    const found = find(session.room);
    if (found === undefined) return refuse('unavailable');
    const member = found.room?.state.members.get(session.peer);
    const verdict = judge(member?.requests, session.generation, request, kinds);
    if (verdict.type === 'refuse') return refuse(verdict.code);
    if (found.room === undefined || member === undefined) return refuse('session_expired');
    const isRepeat = verdict.type === 'repeat';
    const answer = isRepeat ? verdict.answer : apply(found.room, member);
    if ('ok' in answer) return answer;
    if (!isRepeat) remember(member.requests, request.id, answer);
    const value = reply(answer, found.room);
    return value === undefined ? refuse('invalid_request') : ok(value);
  }

  const rooms: RoomLog = {
    async join(newcomer) {
      const { room: id, peer, profile, location, incarnation, tokenHash, person } = newcomer;
      const wanted = ({ state }: MemoryRoom) => (newcomer.wantsState ? { state: copyOf(state) } : {});
      const found = find(id);
      if (found === undefined || memory.voided.has(tokenHash)) return refuse('unavailable');
      const known = found.room;
      const member = known?.state.members.get(peer);
      if (known !== undefined && member !== undefined) {
        // Rule Q4: the id was made of the join's key, so this is the client whose join it was.
        const isRepeat = member.tokenHash === tokenHash;
        const to = { location, incarnation, tokenHash };
        const record = isRepeat ? '' : formatRecord(attach(id, known, member, to));
        return ok({
          generation: member.requests.generation,
          record,
          snapshot: snapshotOf(id, known.state),
          ...wanted(known),
        });
      }
      const { metadata } = profile;
      const admitted = admit(known?.state ?? emptyRoom(0, newcomer.peersMax, false), person, metadata);
      if (!admitted.ok) return admitted;
      const crowded = known && placeForNewcomer(known, bounds, peer);
      if (crowded !== undefined) return crowded;
      const room = known ?? create(id, newcomer);
      const isFirst = room.state.members.size === 0;
      const role = isFirst ? newcomer.roles.first : newcomer.roles.others;
      const mutes = room.state.mutes.get(person) ?? [];
      const created: Peer = {
        id: peer,
        name: profile.name,
        role,
        muted: effectiveMutes(role, mutes),
        connected: true,
        metadata: profile.metadata as Peer['metadata'],
        joined_seq: room.state.seq + 1,
        ...location,
      };
      const { generation } = newcomer;
      const inner = formatInner({ generation, incarnation, tokenHash, person, mutes });
      const draft = { type: 'joined', from: peer, body: bodies.peer(created), inner } as const;
      const record = formatRecord(append(id, room, draft));
      return ok({ generation, record, snapshot: snapshotOf(id, room.state), ...wanted(room) });
    },

    async verify({ room: id, peer, tokenHash, person }) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      const member = found.room?.state.members.get(peer);
      if (member?.tokenHash !== tokenHash) return refuse('session_expired');
      return isOf(member, person) ? ok(undefined) : refuse('unauthorized');
    },

    async resume(comeback) {
      const { room: id, attempt } = comeback;
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      const { room } = found;
      const member = room?.state.members.get(comeback.peer);
      if (room === undefined || member?.tokenHash !== comeback.tokenHash) return refuse('session_expired');
      if (!isOf(member, comeback.person)) return refuse('unauthorized');
      if (memory.voided.has(comeback.holder)) return refuse('unavailable');
      if (attempt > 0 && attempt <= member.attempt) return refuse('session_replaced');
      const { location, incarnation } = comeback;
      const replayFrom = replayStart(room, member, comeback);
      const isSnapshot = replayFrom === undefined;
      const fence = attach(id, room, member, {
        location,
        incarnation,
        isSnapshot,
        ...(attempt > 0 ? { attempt } : {}),
      });
      room.holders.set(member.peer.id, comeback.holder);
      return ok({
        generation: member.requests.generation,
        lastId: member.requests.lastId,
        epoch: room.state.epoch,
        head: fence.seq,
        record: formatRecord(fence),
        replayFrom,
        snapshot: isSnapshot ? snapshotOf(id, room.state) : undefined,
      });
    },

    async release({ room: id, peer, holder }, owner) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      const member = found.room?.state.members.get(peer);
      if (found.room === undefined || member === undefined || found.room.holders.get(peer) !== holder) {
        voidAttempt(memory, holder);
        return ok(undefined);
      }
      found.room.holders.delete(peer);
      return ok(detach(id, found.room, member, owner));
    },

    async replay(id, peer, after, upTo) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      const { room } = found;
      if (room?.state.members.has(peer) !== true || missingOf(room, peer) > after) return ok(undefined);
      const records: string[] = [];
      let bytes = 0;
      let at = after;
      for (const { text } of room.log.slice(Math.max(0, after + 1 - room.first))) {
        const record = parseRecord(text);
        if (record === undefined || record.seq > upTo) return ok({ upTo, records });
        if (records.length >= LOG_PAGE_RECORDS || bytes >= REPLAY_BYTES_MAX) return ok({ upTo: at, records });
        if (concerns(record, peer)) {
          records.push(text);
          bytes += record.body.length;
        }
        at = record.seq;
      }
      return ok({ upTo, records });
    },

    async detach({ room: id, peer, generation }, owner) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      const member = found.room?.state.members.get(peer);
      if (found.room === undefined || member === undefined) return refuse('session_expired');
      const isRepeat = member.requests.generation === generation + 1 && member.incarnation === owner;
      if (isRepeat && !member.peer.connected) return ok(generation + 1);
      if (member.requests.generation !== generation) return refuse('session_replaced');
      return ok(detach(id, found.room, member, owner));
    },

    async leave({ room: id, peer, generation }, reason: LeftReason, request) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      const { room } = found;
      const member = room?.state.members.get(peer);
      if (room === undefined || member === undefined) return refuse('session_expired');
      const place = request ?? { id: member.requests.lastId + 1, previousId: 0 };
      const verdict = judge(member.requests, generation, place, []);
      if (verdict.type !== 'apply')
        return refuse(verdict.type === 'refuse' ? verdict.code : 'invalid_request');
      return ok(end(id, room, peer, { reason, request: request?.id }).seq);
    },

    async callOff({ room: id, peer, tokenHash }, reason) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      if (found.room?.state.members.get(peer)?.tokenHash === tokenHash) end(id, found.room, peer, { reason });
      else voidAttempt(memory, tokenHash);
      return ok(undefined);
    },

    async relay(session, request, relay) {
      return inOrder(
        session,
        request,
        relay.type === 'message' ? ['logged', 'refused'] : ['sent', 'held', 'refused'],
        (room, member) => {
          if (relay.kinds?.some((kind) => member.peer.muted.includes(kind)))
            return { type: 'refused', code: 'media_forbidden' };
          const target = relay.to === undefined ? undefined : room.state.members.get(relay.to);
          if (relay.to !== undefined && (target === undefined || relay.to === session.peer))
            return { type: 'refused', code: 'peer_not_found' };
          const crowded = placeFor(room, bounds, session.peer, Buffer.byteLength(relay.body) + HEADER_BYTES);
          if (crowded !== undefined) return crowded;
          const { kinds, ...draft } = relay;
          const record = append(session.room, room, { ...draft, from: session.peer, id: request.id });
          return relayAnswer(room.state, record);
        },
        (answer) => answer,
      );
    },

    async update(session, request, profile) {
      const outcome = inOrder(
        session,
        request,
        ['updated', 'refused'],
        (room, member) => {
          const given = Object.entries(profile).filter(([, value]) => value !== undefined);
          const peer: Peer = { ...member.peer, ...Object.fromEntries(given) };
          if (!mayReplace(room.state.members, member.peer.metadata, peer.metadata))
            return { type: 'refused', code: 'too_large' };
          const { name, metadata } = peer;
          const crowded = placeFor(
            room,
            bounds,
            session.peer,
            HEADER_BYTES + PEER_BYTES + metadataBytes([name, metadata]),
          );
          if (crowded !== undefined) return crowded;
          const { seq } = append(session.room, room, {
            type: 'updated',
            from: session.peer,
            echo: true,
            id: request.id,
            body: bodies.peer(peer),
          });
          return { type: 'updated', seq };
        },
        (answer, room) => (answer.type === 'refused' ? answer : updatedPeer(room, answer)),
      );
      return outcome.ok && 'type' in outcome.value
        ? refuse('too_large')
        : (outcome as Result<Updated, SessionRefusal>);
    },

    async moderate(session, request, order) {
      let records: RoomRecord[] = [];
      return inOrder(
        session,
        request,
        ['moderated', 'refused'],
        (room, member) => {
          const actor: Actor = member.peer;
          const effects = moderate(room.state, actor, order);
          if (!effects.ok) return { type: 'refused', code: effects.code };
          const by = { by: session.peer, byRequest: request.id };
          records = carryOut(session.room, room, order, effects.value, by);
          return { type: 'moderated', seq: room.state.seq };
        },
        (answer) => ({ answer, records: records.map(formatRecord) }),
      );
    },

    async intervene(id, order) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      const { room } = found;
      if (room === undefined) return refuse('room_not_found');
      const effects = moderate(room.state, 'operator', order);
      if (!effects.ok) return refuse('peer_not_found');
      carryOut(id, room, order, effects.value, {});
      return ok(room.state.seq);
    },

    async send(id, { to, body }) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      if (found.room === undefined) return refuse('room_not_found');
      if (to !== undefined && !found.room.state.members.has(to)) return refuse('peer_not_found');
      return ok(append(id, found.room, { type: 'message', from: SERVER, to, body }).seq);
    },

    async readAfter(id, seq) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      const room = found.room ?? memory.ended.get(id);
      if (room === undefined) return ok(undefined);
      const from = Math.max(0, seq + 1 - room.first);
      const records = room.log.slice(from, from + LOG_PAGE_RECORDS).map((entry) => entry.text);
      const { state, first, former } = room;
      return ok({ epoch: state.epoch, head: state.seq, first, former, records });
    },

    async snapshot(id) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      return ok(found.room === undefined ? undefined : snapshotOf(id, found.room.state));
    },

    async state(id) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      return ok(found.room === undefined ? undefined : copyOf(found.room.state));
    },

    async attest(ids) {
      const found = ids.map(find);
      if (found.includes(undefined)) return refuse('unavailable');
      for (const each of found) if (each?.room !== undefined) letGoOld(each.room, bounds);
      return ok(
        found.map((each) => {
          const state = each?.room?.state;
          return state === undefined ? undefined : { epoch: state.epoch, head: state.seq };
        }),
      );
    },
  };

  return {
    rooms,
    takeOver(id, dead, adopter) {
      const found = find(id);
      if (found === undefined) return refuse('unavailable');
      const adopted: Adopted[] = [];
      for (const member of found.room?.state.members.values() ?? []) {
        const isMine = member.incarnation === adopter && !member.peer.connected;
        if (found.room === undefined || (member.incarnation !== dead && !isMine)) continue;
        if (member.incarnation === dead) {
          if (member.peer.connected) detach(id, found.room, member, adopter);
          else handOver(id, found.room, member, adopter);
        }
        adopted.push({ room: id, peer: member.peer.id, generation: member.requests.generation });
      }
      return ok(adopted);
    },
  };
}

/** From which seq on what a session missed can be replayed (rules D1 and D6). */
function replayStart(
  room: MemoryRoom,
  { peer, since }: MemberState,
  at: Pick<Comeback, 'seq' | 'epoch'>,
): number | undefined {
  const { former, state } = room;
  const isHere = at.epoch === state.epoch && at.seq <= state.seq;
  const isBefore =
    former !== undefined &&
    at.epoch === former.epoch &&
    at.seq >= former.completeFrom &&
    at.seq <= former.head;
  // What came before its join was never its own; a snapshot that it has not received is given again.
  const from = since === peer.joined_seq ? Math.max(at.seq, since) : at.seq;
  return (isHere || isBefore) && from >= since && missingOf(room, peer.id) <= from ? from : undefined;
}

function copyOf(state: RoomState): RoomState {
  return parseState(serializeState(state));
}

/** Whether the session may be continued by a connection that surely speaks for a person. */
function isOf(member: MemberState, person: Person | undefined): boolean {
  return person === undefined || member.person === person;
}

/** An update's answer, as the log has it; undefined where it has it no more. */
function updatedPeer(room: MemoryRoom, answer: Exclude<Answer, { type: 'refused' }>): Updated | undefined {
  const entry = room.log[answer.seq - room.first];
  const record = entry === undefined ? undefined : parseRecord(entry.text);
  return record && { peer: (JSON.parse(record.body) as { peer: Peer }).peer, seq: answer.seq };
}

/**
 * What a record holds besides its body, and besides a profile, at most: were less charged than is written, the parts of all
 * members would be more than there is.
 */
const HEADER_BYTES = 128;
const PEER_BYTES = 512;
const VOID_MS = 60_000;
const REPLAY_BYTES_MAX = 512 * 1_024;

function voidAttempt(memory: SharedMemory, attempt: string): void {
  memory.voided.add(attempt);
  setTimeout(() => memory.voided.delete(attempt), VOID_MS).unref();
}
