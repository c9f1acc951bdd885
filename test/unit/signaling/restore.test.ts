import type { Peer, PeerId } from '@fenghuo/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { detachedOf, type Known, restore } from '../../../services/signaling/domain/restore.ts';
import {
  bodies,
  concerns,
  formatInner,
  type RecordType,
  type RoomRecord,
} from '../../../services/signaling/domain/room-record.ts';
import {
  applyRecord,
  emptyRoom,
  parseState,
  type RoomState,
  serializeState,
} from '../../../services/signaling/domain/room-state.ts';

const EPOCH = 5;
const PROCESSES = ['beijing', 'shanghai', 'gone'];
const CONTRIBUTORS = new Set(['beijing', 'shanghai']);
const ADOPTER = 'shanghai';

interface Step {
  readonly type: RecordType;
  readonly who: number;
  readonly whom: number;
  readonly echo: boolean;
  readonly process: string;
}

const step: fc.Arbitrary<Step> = fc.record({
  type: fc.constantFrom<RecordType>(
    ...(['joined', 'joined', 'left', 'updated', 'detached', 'resumed', 'fenced'] as const),
    ...(['signal', 'signal', 'message', 'message'] as const),
  ),
  who: fc.nat(4),
  whom: fc.nat(4),
  echo: fc.boolean(),
  process: fc.constantFrom(...PROCESSES),
});

/** A room's log, as the steps make it: what makes no sense where it stands is left out. The last member stays. */
function historyOf(steps: readonly Step[]): RoomRecord[] {
  const records: RoomRecord[] = [];
  const state = emptyRoom(EPOCH, 100, false);
  const append = (record: RoomRecord) => {
    records.push(record);
    applyRecord(state, record);
  };
  append(recordOf(state, { type: 'joined', who: 0, whom: 0, echo: false, process: 'beijing' }));
  for (const each of steps) {
    const isMember = state.members.has(idOf(each.who));
    if (isMember === (each.type === 'joined')) continue;
    if (each.type === 'left' && state.members.size === 1) continue;
    append(recordOf(state, each));
  }
  return records;
}

function recordOf(state: RoomState, { type, who, whom, echo, process }: Step): RoomRecord {
  const from = idOf(who);
  const member = state.members.get(from);
  const seq = state.seq + 1;
  const generation = (member?.requests.generation ?? 0) + 1;
  const isRelay = type === 'signal' || type === 'message';
  const isRoster = ['joined', 'detached', 'resumed', 'fenced'].includes(type);
  const peer: Peer = {
    ...(member?.peer ?? newPeer(from, seq)),
    connected: type === 'detached' ? false : type === 'updated' ? (member?.peer.connected ?? true) : true,
    metadata: seq,
  };
  const tokenHash = type === 'joined' ? { tokenHash: `hash ${seq}` } : {};
  return {
    type,
    epoch: EPOCH,
    seq,
    from,
    to: isRelay && whom !== who && (type === 'signal' || whom > 2) ? idOf(whom) : undefined,
    echo: type === 'updated' || (type === 'message' && echo),
    id: isRelay || type === 'updated' ? (member?.requests.lastId ?? 0) + 1 : 0,
    origin: process,
    originMs: 0,
    body: isRelay ? `{"n":${seq}}` : type === 'left' ? bodies.left(from, 'left') : bodies.peer(peer),
    inner: isRoster ? formatInner({ generation, incarnation: process, ...tokenHash }) : '',
  };
}

function newPeer(id: PeerId, joined_seq: number): Peer {
  const where = { node: 'node', region: 'region' };
  return { id, name: id, role: 'speaker', muted: [], connected: true, metadata: null, joined_seq, ...where };
}

function idOf(who: number): PeerId {
  return `peer-${who}` as PeerId;
}

function stateAt(history: readonly RoomRecord[], seq: number): RoomState {
  const state = emptyRoom(EPOCH, 100, false);
  for (const record of history.slice(0, seq)) applyRecord(state, record);
  return state;
}

/** A source's state, where its tail begins, and from where on it knows what it dropped: shares of what there is. */
interface Share {
  readonly at: number;
  readonly tail: number;
  readonly from: number;
}

const share: fc.Arbitrary<Share> = fc.record({ at: fc.nat(99), tail: fc.nat(99), from: fc.nat(99) });

/** What a node knows that has seen the log from `from` to its state, and kept the newest part of it. */
function sourceOf(history: readonly RoomRecord[], { at, tail, from }: Share): Known {
  const seq = 1 + Math.floor((at / 100) * history.length);
  const first = 1 + Math.floor((tail / 100) * seq);
  const since = Math.floor((from / 100) * first);
  const trimmed = { from: since, everyone: 0, one: new Map<PeerId, number>() };
  for (const record of history.slice(since, first - 1)) {
    if (record.type === 'fenced') continue;
    if (record.to === undefined) trimmed.everyone = record.seq;
    else
      for (const peer of record.echo ? [record.to, record.from] : [record.to])
        trimmed.one.set(peer, record.seq);
  }
  return { state: stateAt(history, seq), records: history.slice(first - 1, seq), trimmed };
}

/** Sources of which each record after the greatest state has one, and often several, of its own sessions' making. */
const scene = fc
  .record({
    steps: fc.array(step, { maxLength: 60 }),
    shares: fc.array(share, { minLength: 1, maxLength: 4 }),
    holders: fc.array(fc.nat(14), { minLength: 60, maxLength: 61 }),
  })
  .map(({ steps, shares, holders }) => {
    const history = historyOf(steps);
    const sources = shares.map((each) => sourceOf(history, each));
    const known = Math.max(...sources.map(({ state }) => state.seq));
    for (const record of history.slice(known)) {
      const holder = holders[record.seq % holders.length] ?? 0;
      sources.forEach((source, index) => {
        const isHolder = index === holder % sources.length || (holder >> index) % 2 === 1;
        if (isHolder) (source.records as RoomRecord[]).push(record);
      });
    }
    return { history, sources, known };
  });

function without({ state, records, trimmed }: Known, seq: number): Known {
  return { state, trimmed, records: records.filter((record) => record.seq !== seq) };
}

/** Of their own: restoring changes the state that wins. */
function copies(sources: readonly Known[]): Known[] {
  return sources.map((source) => ({ ...source, state: parseState(serializeState(source.state)) }));
}

function restored(sources: readonly Known[], contributors: ReadonlySet<string> = new Set(PROCESSES)) {
  const room = restore(copies(sources), contributors, ADOPTER);
  if (room === undefined) throw new Error('nothing was restored');
  return room;
}

test('R3: of sources that together know every record the room is what its whole history made it', () => {
  fc.assert(
    fc.property(scene, ({ history, sources }) => {
      const { state, former, records } = restored(sources);
      expect(state).toEqual({ ...stateAt(history, history.length), epoch: EPOCH + 1 });
      expect(former).toMatchObject({ epoch: EPOCH, head: history.length });
      expect(records).toEqual(history.slice(history.length - records.length));
    }),
  );
});

test('R3: what is known of an epoch that is over counts for nothing', () => {
  fc.assert(
    fc.property(scene, scene, ({ sources }, { sources: older }) => {
      const outdated = copies(older);
      for (const { state } of outdated) state.epoch = EPOCH - 1;
      expect(restored([...outdated, ...sources])).toEqual(restored(sources));
    }),
  );
});

test('R4: where a record is missing, nothing is said to be whole from before it', () => {
  fc.assert(
    fc.property(scene, fc.nat(), ({ history, sources, known }, pick) => {
      fc.pre(history.length - known >= 2);
      const missing = known + 1 + (pick % (history.length - known - 1));
      const { former, records } = restored(sources.map((source) => without(source, missing)));
      expect(former).toMatchObject({ completeFrom: missing, head: history.length });
      expect(records.map((record) => record.seq)).toEqual(
        Array.from({ length: history.length - missing }, (_, n) => missing + 1 + n),
      );
    }),
  );
});

test('D1: whoever is served from the restored log misses nothing that concerned him', () => {
  fc.assert(
    fc.property(scene, ({ history, sources }) => {
      const { state, former, trimmed, records } = restored(sources);
      const isKept = new Set(records.map((record) => record.seq));
      for (const [peer, { since }] of state.members) {
        const missing = Math.max(trimmed.everyone, trimmed.one.get(peer) ?? 0);
        const lost = history.filter(
          (record) => !isKept.has(record.seq) && record.seq > since && concerns(record, peer),
        );
        for (const { seq } of lost) expect(seq).toBeLessThanOrEqual(Math.max(missing, former.completeFrom));
      }
    }),
  );
});

test('D1: what a source knew of those records that it dropped survives: a quiet pair goes on without a snapshot', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), share, (steps, { tail, from }) => {
      const history = historyOf(steps);
      const source = sourceOf(history, { at: 99, tail, from });
      const first = source.records[0]?.seq ?? 0;
      fc.pre(source.state.seq === history.length && source.trimmed.from < first - 1);
      const { former, trimmed } = restored([source]);
      expect(former.completeFrom).toBe(source.trimmed.from);
      expect(trimmed).toEqual({ everyone: source.trimmed.everyone, one: source.trimmed.one });
    }),
  );
});

test('R3: who was connected to a process that took no part is detached under a higher generation, and has a keeper', () => {
  fc.assert(
    fc.property(scene, ({ history, sources }) => {
      const { state } = restored(sources, CONTRIBUTORS);
      const before = stateAt(history, history.length);
      for (const [id, member] of state.members) {
        const former = before.members.get(id);
        const hasGone = former?.incarnation === 'gone';
        const wasCutOff = hasGone && former.peer.connected;
        expect(member.incarnation).toBe(hasGone ? ADOPTER : former?.incarnation);
        expect(member.peer.connected).toBe(former?.peer.connected === true && !hasGone);
        expect(member.requests.generation).toBe((former?.requests.generation ?? 0) + (wasCutOff ? 1 : 0));
      }
      const away = [...state.members.values()].filter(
        ({ peer, incarnation }) => !peer.connected && incarnation === ADOPTER,
      );
      expect(detachedOf(state, ADOPTER).map(({ peer }) => peer)).toEqual(away.map(({ peer }) => peer.id));
    }),
  );
});

test('R3: an open room whose last known host has left has another one, whose own record was lost', () => {
  const joined = (who: number) =>
    ({ type: 'joined', who, whom: 0, echo: false, process: 'beijing' }) as const;
  const state = { ...emptyRoom(EPOCH, 100, true) };
  const records = [joined(0), joined(1), joined(2), { ...joined(0), type: 'left' as const }].map((each) => {
    const record = recordOf(state, each);
    applyRecord(state, record);
    return record;
  });
  const trimmed = { from: 0, everyone: 0, one: new Map() };
  const { members } = restored([{ state, records, trimmed }]).state;
  expect([...members.values()].map(({ peer }) => peer.role)).toEqual(['host', 'speaker']);
});

test('of nothing nothing is restored', () => {
  expect(restore([], CONTRIBUTORS, ADOPTER)).toBeUndefined();
});
