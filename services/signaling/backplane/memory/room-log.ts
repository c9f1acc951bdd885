import type { LeftReason, Moderation, Peer, PeerId } from '@fenghuo/protocol';
import { admit } from '../../domain/admission.ts';
import type { Answer } from '../../domain/answer.ts';
import type { Person } from '../../domain/identity.ts';
import type { LogBounds } from '../../domain/log-bounds.ts';
import {
  type Actor,
  type Changed,
  type Effects,
  heirOf,
  moderate,
  mutesAfter,
  PEOPLE_KEPT_MAX,
} from '../../domain/moderation.ts';
import { judge, type RequestRef, remember } from '../../domain/request-order.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import { effectiveMutes } from '../../domain/roles.ts';
import type { RoomId } from '../../domain/room-id.ts';
import {
  bodies,
  concerns,
  formatInner,
  formatRecord,
  type Inner,
  parseRecord,
  type RecordType,
  type RoomRecord,
} from '../../domain/room-record.ts';
import {
  applyRecord,
  emptyRoom,
  type MemberState,
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
  type Location,
  type Newcomer,
  OPERATOR,
  type RoomLog,
  SERVER,
  type SessionRef,
  type SessionRefusal,
  type Updated,
} from '../room-log.ts';
import { keyOf } from './rebuilds.ts';
import { missingOf, retainBounds } from './retention.ts';
import type { MemoryRoom, SharedMemory } from './shared-memory.ts';

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

  /** Appends the next record and applies it: the state is what the log says, here as on the nodes. */
  function append(id: RoomId, room: MemoryRoom, draft: Draft): RoomRecord {
    const record: RoomRecord = {
      to: undefined,
      echo: false,
      id: 0,
      inner: '',
      ...draft,
      epoch: room.state.epoch,
      seq: room.state.seq + 1,
      origin,
      originMs: Number(performance.now().toFixed(1)),
    };
    const text = formatRecord(record);
    const bytes = Buffer.byteLength(text);
    room.log.push({ text, bytes, atMs: performance.now() });
    room.bytes += bytes;
    applyRecord(room.state, record);
    retainBounds(room, bounds);
    memory.ring(id, text);
    return record;
  }

  /** Rule Q1, then the change: what it returns is the final answer, kept with its id. */
  function inOrder<Value>(
    session: SessionRef,
    request: RequestRef,
    kinds: readonly Answer['type'][],
    apply: (room: MemoryRoom, member: MemberState) => Answer,
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
    if (!isRepeat) remember(member.requests, request.id, answer);
    const value = reply(answer, found.room);
    return value === undefined ? refuse('invalid_request') : ok(value);
  }

  function attach(
    id: RoomId,
    room: MemoryRoom,
    member: MemberState,
    to: Omit<Inner, 'generation'> & { readonly location: Location },
  ): RoomRecord {
    const { location, ...rest } = to;
    const { peer, requests } = member;
    const isVisible = !peer.connected || peer.node !== location.node || peer.region !== location.region;
    const inner: Inner = { ...rest, generation: requests.generation + 1 };
    room.holders.delete(peer.id);
    return append(id, room, {
      type: isVisible ? 'resumed' : 'fenced',
      from: peer.id,
      echo: true,
      body: bodies.peer({ ...peer, connected: true, ...location }),
      inner: formatInner(inner),
    });
  }

  function detach(id: RoomId, room: MemoryRoom, member: MemberState, owner: string): number {
    const generation = member.requests.generation + 1;
    append(id, room, {
      type: 'detached',
      from: member.peer.id,
      echo: true,
      body: bodies.peer({ ...member.peer, connected: false }),
      inner: formatInner({ generation, incarnation: owner }),
    });
    return generation;
  }

  /** Another process counts the session's window. */
  function handOver(id: RoomId, room: MemoryRoom, { peer, requests }: MemberState, owner: string): void {
    append(id, room, {
      type: 'fenced',
      from: peer.id,
      body: bodies.peer(peer),
      inner: formatInner({ generation: requests.generation, incarnation: owner }),
    });
  }

  /** Ends a session, and the room with its last one; an open room's next host is the one who is there longest. */
  function end(id: RoomId, room: MemoryRoom, peer: PeerId, how: Ending): RoomRecord {
    const { reason, request = 0, inner = {} } = how;
    const wasHost = room.state.members.get(peer)?.peer.role === 'host';
    const record = append(id, room, {
      type: 'left',
      from: peer,
      id: request,
      body: bodies.left(peer, reason),
      inner: inner.by === undefined && inner.person === undefined ? '' : formatInner(inner),
    });
    const heir = wasHost ? heirOf(room.state) : undefined;
    if (heir !== undefined) change(id, room, heir, {});
    if (room.state.members.size === 0) finish(id, room, reason !== 'left' && reason !== 'expired');
    return record;
  }

  /** The room is over. What was ordered is kept for those who have not heard it. */
  function finish(id: RoomId, room: MemoryRoom, isOrdered: boolean): void {
    memory.rooms.delete(id);
    memory.closed.set(id, room.state.epoch);
    if (!isOrdered) return;
    memory.ended.set(id, room);
    setTimeout(() => memory.ended.get(id) === room && memory.ended.delete(id), ENDED_MS).unref();
  }

  function change(id: RoomId, room: MemoryRoom, { peer, mutes }: Changed, inner: Inner): RoomRecord {
    return append(id, room, {
      type: 'moderated',
      from: peer.id,
      echo: true,
      body: bodies.peer(peer),
      inner: formatInner({ ...inner, mutes }),
    });
  }

  /** Appends what an order comes to; its last record says by which request, so that none of it is taken for all. */
  function carryOut(
    id: RoomId,
    room: MemoryRoom,
    order: Moderation,
    { changed, removed, locked, isClosed }: Effects,
    by: Pick<Inner, 'by' | 'byRequest'>,
  ): RoomRecord[] {
    const { members, bans, mutes } = room.state;
    const byAt = (at: number, of: readonly unknown[]) => (at === of.length - 1 ? by : { by: by.by });
    const author = { from: by.by ?? OPERATOR, echo: true, inner: formatInner(by) };
    if (isClosed === true) {
      const record = append(id, room, { ...author, type: 'closed', body: '{}' });
      finish(id, room, true);
      return [record];
    }
    if (locked !== undefined) {
      const body = bodies.room({ ...snapshotOf(id, room.state).room, locked });
      return [append(id, room, { ...author, type: 'room_changed', body })];
    }
    const ended = removed.map((peer, at) => {
      const { person } = members.get(peer) as MemberState;
      const isKept = order.action === 'ban' && (bans.has(person) || bans.size < PEOPLE_KEPT_MAX);
      const inner = { ...byAt(at, removed), ...(isKept ? { person } : {}) };
      return end(id, room, peer, { reason: order.action === 'ban' ? 'banned' : 'kicked', inner });
    });
    const altered = changed.map((each, at) => {
      const { person } = members.get(each.peer.id) as MemberState;
      const before = mutes.get(person) ?? [];
      const kept = mutesAfter(order, before);
      const isKept = kept.length !== before.length && (mutes.has(person) || mutes.size < PEOPLE_KEPT_MAX);
      return change(id, room, each, { ...byAt(at, changed), ...(isKept ? { person, kept } : {}) });
    });
    return [...ended, ...altered];
  }

  function create(id: RoomId, newcomer: Newcomer): MemoryRoom {
    const epoch = Math.max(memory.nextEpoch(), (memory.closed.get(id) ?? 0) + 1);
    const room: MemoryRoom = {
      life: memory.life,
      state: emptyRoom(epoch, newcomer.peersMax, newcomer.roles.inherits),
      former: undefined,
      log: [],
      first: 1,
      bytes: 0,
      trimmed: { everyone: 0, by: undefined, other: 0, one: new Map() },
      holders: new Map(),
    };
    memory.rooms.set(id, room);
    memory.ended.delete(id);
    return room;
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
      if (known !== undefined) {
        const admitted = admit(known.state, known.state.members.size, person);
        if (!admitted.ok) return admitted;
      }
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
          const { kinds, ...draft } = relay;
          const record = append(session.room, room, { ...draft, from: session.peer, id: request.id });
          return relayAnswer(room.state, record);
        },
        (answer) => answer,
      );
    },

    async update(session, request, profile) {
      return inOrder(
        session,
        request,
        ['updated', 'refused'],
        (room, member) => {
          const given = Object.entries(profile).filter(([, value]) => value !== undefined);
          const peer = { ...member.peer, ...Object.fromEntries(given) };
          const { seq } = append(session.room, room, {
            type: 'updated',
            from: session.peer,
            echo: true,
            id: request.id,
            body: bodies.peer(peer),
          });
          return { type: 'updated', seq };
        },
        (answer, room) => updatedPeer(room, answer),
      );
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

type Draft = Pick<RoomRecord, 'from' | 'body'> &
  Partial<Pick<RoomRecord, 'to' | 'echo' | 'id' | 'inner'>> & { readonly type: RecordType };

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

interface Ending {
  readonly reason: LeftReason;
  readonly request?: number | undefined;
  readonly inner?: Inner;
}

function copyOf(state: RoomState): RoomState {
  return parseState(serializeState(state));
}

/** Whether the session may be continued by a connection that surely speaks for a person. */
function isOf(member: MemberState, person: Person | undefined): boolean {
  return person === undefined || member.person === person;
}

/** An update's answer, as the log has it; undefined where it has it no more. */
function updatedPeer(room: MemoryRoom, answer: Answer): Updated | undefined {
  if (answer.type === 'refused') return undefined;
  const entry = room.log[answer.seq - room.first];
  const record = entry === undefined ? undefined : parseRecord(entry.text);
  return record && { peer: (JSON.parse(record.body) as { peer: Peer }).peer, seq: answer.seq };
}

const VOID_MS = 60_000;
/** Longer than it takes every node to compare heads (rule D2). */
const ENDED_MS = 15_000;
const REPLAY_BYTES_MAX = 512 * 1_024;

function voidAttempt(memory: SharedMemory, attempt: string): void {
  memory.voided.add(attempt);
  setTimeout(() => memory.voided.delete(attempt), VOID_MS).unref();
}
