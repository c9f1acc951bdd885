import { setImmediate as turnsEnd } from 'node:timers/promises';
import type { Peer, PeerId } from '@fenghuo/protocol';
import { expect, test, vi } from 'vitest';
import { KeptRecords } from '../../../services/signaling/backplane/kept-records.ts';
import type { RoomLog } from '../../../services/signaling/backplane/room-log.ts';
import { RoomReplica } from '../../../services/signaling/backplane/room-replica.ts';
import type { Person } from '../../../services/signaling/domain/identity.ts';
import {
  DROPPED_AT_ONCE,
  defaultLogBounds,
  type LogBounds,
} from '../../../services/signaling/domain/log-bounds.ts';
import { RecentAnswers } from '../../../services/signaling/domain/recent-answers.ts';
import { roomId } from '../../../services/signaling/domain/room-id.ts';
import {
  formatRecord,
  parseRecord,
  type RoomRecord,
} from '../../../services/signaling/domain/room-record.ts';
import {
  emptyRoom,
  parseState,
  type RoomState,
  serializeState,
} from '../../../services/signaling/domain/room-state.ts';

const ANN = 'ann' as PeerId;

function stateAt(epoch: number, seq: number): RoomState {
  const peer: Peer = {
    id: ANN,
    name: 'Ann',
    role: 'host',
    muted: [],
    connected: true,
    metadata: null,
    joined_seq: 1,
    node: 'node',
    region: 'region',
  };
  const requests = { generation: 1, lastId: 1, answers: new RecentAnswers() };
  const person = '~ann' as Person;
  const member = {
    peer,
    person,
    mutes: [],
    requests,
    tokenHash: 'hash',
    incarnation: 'node',
    attempt: 0,
    since: 1,
  };
  return { ...emptyRoom(epoch, 100, true), seq, members: new Map([[ANN, member]]) };
}

function message(epoch: number, seq: number): RoomRecord {
  return {
    type: 'message',
    epoch,
    seq,
    from: ANN,
    to: undefined,
    echo: false,
    id: seq,
    origin: 'node',
    originMs: 0,
    body: `{"n":"${epoch}.${seq}"}`,
    inner: '',
  };
}

function apply(replica: RoomReplica, record: RoomRecord): void {
  replica.apply(record, formatRecord(record));
}

test('R6: what the winning state does not have is handed in no more', async () => {
  let state = stateAt(1, 3);
  const rooms = {
    state: async () => ({ ok: true, value: parseState(serializeState(state)) }),
  } as unknown as RoomLog;
  const replica = new RoomReplica(roomId('blue', 'main'), rooms, defaultLogBounds(30_000), new KeptRecords());
  await replica.load();
  for (const seq of [4, 5, 6]) apply(replica, message(1, seq));
  replica.noteOwn(message(1, 7));
  // The others went on from 3, and this node learns it from a snapshot at 9.
  state = stateAt(2, 9);
  await replica.load();
  apply(replica, message(2, 10));
  const { records } = JSON.parse(replica.contribution() ?? '{}');
  expect(records.map(parseRecord).map((each: RoomRecord) => [each.epoch, each.seq])).toEqual([[2, 10]]);
  expect(replica.head).toBe(10);
});

test("D1: the echo of one's own directed message that fell off the tail concerned its author, too", async () => {
  const replica = await replicaWithin({ bytesMax: 100 });
  apply(replica, { ...message(1, 2), to: 'bob' as PeerId, echo: true });
  for (const seq of [3, 4]) apply(replica, { ...message(1, seq), to: 'bob' as PeerId });
  expect(JSON.parse(replica.contribution()).trimmed).toMatchObject({ from: 1, one: [[ANN, 2]] });
});

async function replicaWithin(bounds: Partial<LogBounds>): Promise<RoomReplica> {
  const state = stateAt(1, 1);
  const rooms = {
    state: async () => ({ ok: true, value: parseState(serializeState(state)) }),
  } as unknown as RoomLog;
  const all = { ...defaultLogBounds(30_000), ...bounds };
  const replica = new RoomReplica(roomId('blue', 'main'), rooms, all, new KeptRecords());
  await replica.load();
  return replica;
}

test('what is too old is let go a few at a time, with what is said next', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const replica = await replicaWithin({ ageMs: 1_000 });
  for (let seq = 2; seq < 102; seq++) apply(replica, message(1, seq));
  vi.advanceTimersByTime(1_001);
  apply(replica, message(1, 102));
  const after = replica.tail.records;
  for (let seq = 103; seq < 107; seq++) apply(replica, message(1, seq));
  vi.useRealTimers();
  expect(after).toBe(101 - DROPPED_AT_ONCE);
  expect(replica.tail.records).toBe(5);
});

test('a large record makes its room at once, however many small ones that takes', async () => {
  const replica = await replicaWithin({ bytesMax: 10_000 });
  for (let seq = 2; seq < 302; seq++) apply(replica, message(1, seq));
  const before = replica.tail.records;
  apply(replica, { ...message(1, 302), body: JSON.stringify('x'.repeat(8_000)) });
  expect(before - replica.tail.records).toBeGreaterThan(2 * DROPPED_AT_ONCE);
  expect(replica.tail.bytes).toBeLessThanOrEqual(10_000);
});

test('of a room that was busy and is silent now some is let go in each turn, until nothing is too old', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const replica = await replicaWithin({ ageMs: 1_000 });
  for (let seq = 2; seq < 102; seq++) apply(replica, message(1, seq));
  vi.advanceTimersByTime(1_001);
  replica.letGoOld();
  const left = [replica.tail.records];
  while (left.length < 4) {
    await turnsEnd();
    left.push(replica.tail.records);
  }
  vi.useRealTimers();
  expect(left).toEqual([68, 36, 4, 0]);
});

test('what is older than the log may be is let go, though nothing more is said; whom it concerned is noted', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const replica = await replicaWithin({ ageMs: 1_000 });
  apply(replica, message(1, 2));
  vi.advanceTimersByTime(999);
  replica.letGoOld();
  expect(replica.tail.records).toBe(1);
  vi.advanceTimersByTime(2);
  replica.letGoOld();
  vi.useRealTimers();
  expect(replica.tail).toEqual({ records: 0, bytes: 0, sinceMs: undefined });
  expect(JSON.parse(replica.contribution()).trimmed).toMatchObject({ from: 1, everyone: 2 });
});
