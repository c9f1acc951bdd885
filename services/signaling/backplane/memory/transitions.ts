import type { LeftReason, Moderation, PeerId } from '@fenghuo/protocol';
import type { LogBounds } from '../../domain/log-bounds.ts';
import { type Changed, type Effects, heirOf, mutesAfter, PEOPLE_KEPT_MAX } from '../../domain/moderation.ts';
import type { RoomId } from '../../domain/room-id.ts';
import {
  bodies,
  formatInner,
  formatRecord,
  type Inner,
  type RecordType,
  type RoomRecord,
} from '../../domain/room-record.ts';
import { applyRecord, emptyRoom, type MemberState, snapshotOf } from '../../domain/room-state.ts';
import { closedMs, LAST_BYTES, LAST_MS, LAST_RECORDS } from '../room-end.ts';
import { type Location, type Newcomer, OPERATOR } from '../room-log.ts';
import { retainBounds } from './retention.ts';
import { type MemoryRoom, nothingNoted, type SharedMemory } from './shared-memory.ts';

/** What may happen to a room in memory: each appends its records, which change the state. */
export function transitions(memory: SharedMemory, bounds: LogBounds, origin: string) {
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
    room.log.push({ text, bytes });
    room.bytes += bytes;
    applyRecord(room.state, record);
    retainBounds(room, bounds, record.type);
    memory.ring(id, text);
    return record;
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
    for (const kept of [room.taken, room.holders, room.trimmed.one]) kept.delete(peer);
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
    if (room.state.members.size === 0) finish(id, room);
    return record;
  }

  /** The room is over; the last of its log stays a while for the nodes that have not heard. */
  function finish(id: RoomId, room: MemoryRoom): void {
    const { epoch } = room.state;
    memory.rooms.delete(id);
    memory.closed.set(id, epoch);
    setTimeout(() => memory.closed.get(id) === epoch && memory.closed.delete(id), closedMs(bounds)).unref();
    keepLast(room);
    memory.ended.set(id, room);
    setTimeout(() => memory.ended.get(id) === room && memory.ended.delete(id), LAST_MS).unref();
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
      finish(id, room);
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
      ...nothingNoted(),
      trimmed: { everyone: 0, by: undefined, other: 0, one: new Map() },
      holders: new Map(),
    };
    memory.rooms.set(id, room);
    memory.ended.delete(id);
    return room;
  }

  return { append, attach, detach, handOver, end, create, carryOut };
}

type Draft = Pick<RoomRecord, 'from' | 'body'> &
  Partial<Pick<RoomRecord, 'to' | 'echo' | 'id' | 'inner'>> & { readonly type: RecordType };

interface Ending {
  readonly reason: LeftReason;
  readonly request?: number | undefined;
  readonly inner?: Inner;
}

function keepLast(room: MemoryRoom): void {
  const last = room.log.slice(-LAST_RECORDS);
  let bytes = last.reduce((sum, entry) => sum + entry.bytes, 0);
  while (last.length > 1 && bytes > LAST_BYTES) bytes -= last.shift()?.bytes ?? 0;
  room.first += room.log.length - last.length;
  room.log = last;
}
