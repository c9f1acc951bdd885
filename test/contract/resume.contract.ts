import { setImmediate as immediate } from 'node:timers/promises';
import type { PeerId } from '@fenghuo/protocol';
import { describe, expect, test } from 'vitest';
import { LOG_PAGE_RECORDS } from '../../services/signaling/backplane/room-log.ts';
import { defaultLogBounds } from '../../services/signaling/domain/log-bounds.ts';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { innerOf, parseRecord } from '../../services/signaling/domain/room-record.ts';
import { eventually } from '../support/eventually.ts';
import {
  type Member,
  messageToAll,
  nodesOf,
  numbers,
  type SharedBackplane,
  signalTo,
  type TestNode,
} from './nodes.ts';

const EXPIRED = { ok: false, code: 'session_expired' };
const REPLACED = { ok: false, code: 'session_replaced' };
const ELSEWHERE = { node: 'elsewhere', region: 'region' };
/** A log that is trimmed soon: it may hold less than what nobody has to wait for. */
const SMALL = { ...defaultLogBounds(30_000), bytesMax: 2_500 };

/** What every backplane must do so that a session outlives its connection. */
export function resumeContract(name: string, share: () => Promise<SharedBackplane>): void {
  describe(`resuming on ${name}`, () => {
    const openNodes = nodesOf(share);

    async function openPair(bounds = defaultLogBounds(30_000)) {
      const [beijing, shanghai] = (await openNodes(2, bounds)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      await ann.next('joined');
      return { beijing, shanghai, ann, bob, room: ann.room };
    }

    async function headOf({ rooms }: TestNode, room = roomId('blue', 'main')): Promise<number> {
      const snapshot = await rooms.snapshot(room);
      if (!snapshot.ok || snapshot.value === undefined) throw new Error('no such room');
      return snapshot.value.seq;
    }

    /** The session as it goes on; fails where it does not. */
    async function resumed(
      node: TestNode,
      former: Member,
      ...given: Parameters<TestNode['resume']> extends [unknown, ...infer Rest] ? Rest : never
    ) {
      const outcome = await node.resume(former, ...given);
      if (!outcome.ok) throw new Error(outcome.code);
      return outcome.value;
    }

    async function send(from: Member, relay: ReturnType<typeof signalTo> | ReturnType<typeof messageToAll>) {
      return from.node.rooms.relay(from, from.request(), relay);
    }

    test('what was held for a session is replayed in order, once, before what comes live', async () => {
      const { beijing, shanghai, ann, bob } = await openPair();
      await send(ann, signalTo(bob.peer, 0));
      await bob.next('signal');
      await bob.detach();
      for (let n = 1; n <= 3; n++)
        expect(await send(ann, signalTo(bob.peer, n))).toMatchObject({ value: { type: 'held' } });
      const again = await resumed(beijing, bob);
      expect(again.resumed).toMatchObject({ lastId: 1, snapshot: undefined });
      expect(await send(ann, signalTo(bob.peer, 4))).toMatchObject({ value: { type: 'sent' } });
      await eventually(() => numbers(again, 'signal').length === 4, { what: 'four signals' });
      expect(numbers(again, 'signal')).toEqual([1, 2, 3, 4]);
      const seqs = again.records.map((record) => record.seq);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      expect(shanghai.feeds.size).toBe(0);
    });

    test('C6: a token is checked without a trace: forged ones, unknown peers and rooms are one refusal', async () => {
      const { beijing, bob, room } = await openPair();
      const { peer, tokenHash } = bob;
      const head = await headOf(beijing);
      expect(await beijing.rooms.verify({ room, peer, tokenHash })).toEqual({ ok: true, value: undefined });
      const wrong = [
        { room, peer, tokenHash: 'forged' },
        { room, peer, tokenHash: '' },
        { room, peer: 'nobody' as PeerId, tokenHash },
        { room: roomId('red', 'main'), peer, tokenHash },
      ];
      for (const each of wrong) {
        expect(await beijing.rooms.verify(each)).toEqual(EXPIRED);
        const { location, ...comeback } = { ...each, location: ELSEWHERE, incarnation: 'thief' };
        const place = { seq: 0, epoch: bob.epoch, attempt: 9, location, holder: 'thief' };
        expect(await beijing.rooms.resume({ ...comeback, ...place })).toEqual(EXPIRED);
      }
      expect(await headOf(beijing)).toBe(head);
      expect(await send(bob, messageToAll('still here'))).toMatchObject({ ok: true });
      expect(await resumed(beijing, bob, { attempt: 1 })).toMatchObject({ generation: 2 });
    });

    test('C3: every detach raises the generation, and what comes late under the old one is session_replaced', async () => {
      const { beijing, shanghai, bob, room } = await openPair();
      const { rooms } = shanghai;
      expect(await bob.detach()).toBe(2);
      const head = await headOf(beijing);
      expect(await rooms.relay(bob, bob.request(), messageToAll('late'))).toEqual(REPLACED);
      expect(await rooms.update(bob, bob.request(), { name: 'Late' })).toEqual(REPLACED);
      expect(await rooms.leave(bob, 'left', bob.request())).toEqual(REPLACED);
      expect(await rooms.leave(bob, 'expired')).toEqual(REPLACED);
      expect(await rooms.detach(bob, 'another process')).toEqual(REPLACED);
      // A repeat gets the same answer: the first one may have been lost.
      expect(await rooms.detach(bob, 'incarnation')).toEqual({ ok: true, value: 2 });
      expect(await headOf(beijing)).toBe(head);
      expect(await rooms.detach({ ...bob.ref, generation: 2 }, 'incarnation')).toEqual({
        ok: true,
        value: 3,
      });
      expect(await beijing.rooms.snapshot(room)).toMatchObject({
        value: { peers: [{ connected: true }, { connected: false }] },
      });
    });

    test('C3: the others see who is away, and who is back', async () => {
      const { beijing, ann, bob } = await openPair();
      await bob.detach();
      expect(JSON.parse((await ann.next('detached')).body).peer).toMatchObject({
        id: bob.peer,
        connected: false,
      });
      await resumed(beijing, bob, { location: ELSEWHERE });
      expect(JSON.parse((await ann.next('resumed')).body).peer).toMatchObject({
        id: bob.peer,
        connected: true,
        node: 'elsewhere',
      });
    });

    test('C4: a fence ends the older connection, which gets nothing that comes after it', async () => {
      const { beijing, shanghai, ann, bob } = await openPair();
      await send(ann, signalTo(bob.peer, 'before'));
      await bob.next('signal');
      const again = await resumed(beijing, bob, { location: ELSEWHERE });
      for (let n = 0; n < 3; n++) await send(ann, signalTo(bob.peer, n));
      await eventually(() => bob.ended === 'replaced', { what: 'the older connection ended' });
      await eventually(() => numbers(again, 'signal').length === 3, { what: 'three signals' });
      expect(numbers(bob, 'signal')).toEqual(['before']);
      expect(numbers(again, 'signal')).toEqual([0, 1, 2]);
      expect(await shanghai.rooms.relay(bob, { id: 2, previousId: 0 }, messageToAll('late'))).toEqual(
        REPLACED,
      );
    });

    test('C4: where nothing changes for the others, the fence is theirs to ignore', async () => {
      const { shanghai, ann, bob } = await openPair();
      const again = await resumed(shanghai, bob);
      await send(again, messageToAll('on'));
      await ann.next('message');
      expect(ann.records.map((record) => record.type)).toEqual(['joined', 'message']);
      await eventually(() => bob.ended === 'replaced', { what: 'the older connection ended' });
      expect(again.ended).toBeUndefined();
    });

    test('C4: of many that take a session at once, the last one alone keeps it', async () => {
      const { beijing, shanghai, ann, bob } = await openPair();
      const all = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          resumed(n % 2 ? beijing : shanghai, bob, {}, n % 3 ? 'late' : 'at once'),
        ),
      );
      const living = all.find((each) => each.generation === 9) as Member;
      await eventually(() => all.every((each) => each === living || each.ended === 'replaced'), {
        what: 'seven of eight ended',
      });
      await send(ann, signalTo(bob.peer, 'to the last'));
      await living.next('signal');
      expect(living.ended).toBeUndefined();
      expect(all.flatMap((each) => each.got('signal'))).toHaveLength(1);
    });

    test('C5: a resume that arrives late does not fence the living one', async () => {
      const { beijing, shanghai, bob } = await openPair();
      const living = await resumed(beijing, bob, { attempt: 3 });
      const head = await headOf(beijing);
      for (const attempt of [1, 2, 3]) expect(await shanghai.resume(bob, { attempt })).toEqual(REPLACED);
      expect(await headOf(beijing)).toBe(head);
      expect(living.ended).toBeUndefined();
      expect(await send(living, messageToAll('alive'))).toMatchObject({ ok: true });
      expect(await resumed(shanghai, living, { attempt: 4 })).toMatchObject({ generation: 3 });
    });

    test('C5: a resume without an attempt passes, and lowers none', async () => {
      const { beijing, bob } = await openPair();
      const second = await resumed(beijing, bob, { attempt: 2 });
      const third = await resumed(beijing, second);
      expect(await beijing.resume(third, { attempt: 2 })).toEqual(REPLACED);
    });

    test('C9: what lands while a session resumes is delivered after its replay, once', async () => {
      const { beijing, shanghai, ann, bob } = await openPair();
      let isSending = true;
      let sent = 0;
      const sending = (async () => {
        while (isSending) {
          await send(ann, signalTo(bob.peer, sent));
          sent += 1;
          await immediate();
        }
      })();
      let current = bob;
      const got: unknown[] = [];
      for (let n = 0; n < 12; n++) {
        const next = await resumed(n % 2 ? beijing : shanghai, current, {}, n % 3 ? 'late' : 'at once');
        await eventually(() => current.ended === 'replaced', { what: 'the older connection ended' });
        expect(next.resumed?.snapshot).toBeUndefined();
        // What the older one got after the client's position is dropped there, and replayed here.
        got.push(
          ...current
            .got('signal')
            .filter((each) => each.seq <= next.snapshot.seq)
            .map((each) => JSON.parse(each.body).n),
        );
        current = next;
      }
      isSending = false;
      await sending;
      await eventually(() => numbers(current, 'signal').at(-1) === sent - 1, { what: 'the last signal' });
      got.push(...numbers(current, 'signal'));
      expect(got).toEqual(Array.from({ length: sent }, (_, n) => n));
    });

    test('D1: a quiet pair in a busy room recovers, though the log was trimmed', async () => {
      const { beijing, shanghai, ann, bob } = await openPair(SMALL);
      const carol = await beijing.join('blue', 'Carol');
      const dan = await shanghai.join('blue', 'Dan');
      await eventually(() => bob.got('joined').length === 2, { what: 'both joins' });
      // A loss that everybody was told of before what follows.
      const before = bob.seq;
      for (let n = 0; n < 60; n++) await send(carol, signalTo(dan.peer, n));
      expect((await beijing.log(ann.room)).first).toBeGreaterThan(before + 1);
      const again = await resumed(beijing, bob, { seq: before });
      expect(again.resumed).toMatchObject({ replayFrom: before, snapshot: undefined });
      expect(again.records).toEqual([]);
      // A doorbell that loses rings may cost a snapshot here, for the log is that short.
      await eventually(async () => {
        await send(ann, signalTo(bob.peer, 'live'));
        return numbers(again, 'signal').includes('live');
      });
    });

    test('D1: one whose signal was trimmed gets a snapshot', async () => {
      const { beijing, ann, bob } = await openPair(SMALL);
      await bob.detach();
      await send(ann, signalTo(bob.peer, 'trimmed'));
      const carol = await beijing.join('blue', 'Carol');
      for (let n = 0; n < 60; n++) await send(ann, signalTo(carol.peer, n));
      const again = await resumed(beijing, bob);
      expect(again.resumed?.replayFrom).toBeUndefined();
      expect(again.resumed?.snapshot).toMatchObject({
        epoch: bob.epoch,
        seq: again.resumed?.head,
        peers: [{ name: 'Ann' }, { name: 'Bob', connected: true }, { name: 'Carol' }],
      });
    });

    test('D1: one who was away when something for everyone was trimmed gets a snapshot, who had it does not', async () => {
      const { beijing, shanghai, ann, bob } = await openPair(SMALL);
      const [carol, dan] = [await beijing.join('blue', 'Carol'), await shanghai.join('blue', 'Dan')];
      await eventually(() => bob.got('joined').length === 2, { what: 'both joins' });
      const before = bob.seq;
      await send(ann, messageToAll('for everyone'));
      await bob.next('message');
      for (let n = 0; n < 60; n++) await send(carol, signalTo(dan.peer, n));
      expect((await resumed(beijing, bob)).resumed?.snapshot).toBeUndefined();
      expect((await resumed(beijing, bob, { seq: before })).resumed?.replayFrom).toBeUndefined();
    });

    test("D1: fences of others that fall off the log are nobody's loss", async () => {
      const { beijing, shanghai, bob } = await openPair(SMALL);
      let carol = await beijing.join('blue', 'Carol');
      await bob.next('joined');
      for (let n = 0; n < 40; n++) carol = await resumed(beijing, carol);
      expect((await shanghai.log(bob.room)).first).toBeGreaterThan(10);
      expect((await resumed(shanghai, bob)).resumed?.snapshot).toBeUndefined();
    });

    test('D1: whose own messages were trimmed has lost nothing', async () => {
      const { beijing, ann, bob } = await openPair(SMALL);
      for (let n = 0; n < 60; n++) await beijing.rooms.relay(ann, ann.request(), messageToAll(n));
      await eventually(() => bob.got('message').length === 60 || bob.resyncs.length > 0);
      const again = await beijing.resume(ann, { seq: 2 });
      expect(again.ok && again.value.resumed).toMatchObject({ replayFrom: 2, snapshot: undefined });
    });

    test("D1: the echo of one's own directed message concerned its author, too", async () => {
      const { beijing, ann, bob } = await openPair(SMALL);
      await ann.detach();
      const back = await beijing.resume(ann);
      if (!back.ok) throw new Error(back.code);
      const before = back.value.seq;
      const echoed = { ...messageToAll('echoed'), to: bob.peer, echo: true };
      await beijing.rooms.relay(back.value, back.value.request(), echoed);
      for (let n = 0; n < 60; n++)
        await beijing.rooms.relay(back.value, back.value.request(), signalTo(bob.peer, n));
      const again = await beijing.resume(back.value, { seq: before });
      expect(again.ok && again.value.resumed?.replayFrom).toBeUndefined();
    });

    test('D5: a long absence is replayed in parts, filtered, in order, each once', async () => {
      const { beijing, shanghai, ann, bob, room } = await openPair();
      const carol = await beijing.join('blue', 'Carol');
      await bob.next('joined');
      await bob.detach();
      for (let n = 0; n < 700; n++) {
        await send(ann, signalTo(carol.peer, n));
        if (n % 2 === 0) await send(ann, signalTo(bob.peer, n));
      }
      const head = await headOf(beijing);
      const got: unknown[] = [];
      let pages = 0;
      for (let at = bob.seq; at < head; pages++) {
        const page = await shanghai.rooms.replay(room, bob.peer, at, head);
        if (!page.ok || page.value === undefined) throw new Error('not to be replayed');
        expect(page.value.records.length).toBeLessThanOrEqual(LOG_PAGE_RECORDS);
        expect(page.value.upTo).toBeGreaterThan(at);
        at = page.value.upTo;
        const records = page.value.records.map((text) => parseRecord(text));
        got.push(
          ...records.filter((each) => each?.type === 'signal').map((each) => JSON.parse(each?.body ?? '').n),
        );
      }
      expect(got).toEqual(Array.from({ length: 350 }, (_, n) => 2 * n));
      expect(pages).toBeGreaterThan(2);
    });

    test('D5: large records are replayed a few at a time', async () => {
      const { beijing, ann, bob, room } = await openPair();
      await bob.detach();
      const large = 'x'.repeat(60_000);
      for (let n = 0; n < 30; n++) await beijing.rooms.relay(ann, ann.request(), signalTo(bob.peer, large));
      const page = await beijing.rooms.replay(room, bob.peer, bob.seq, 33);
      const bytes = page.ok ? page.value?.records.join('').length : undefined;
      expect(bytes).toBeLessThan(1_048_576);
    });

    test('D5: a replay that the log lost while it was read says so', async () => {
      const { beijing, ann, bob, room } = await openPair(SMALL);
      const [from, upTo] = [bob.seq, bob.seq + 3];
      for (let n = 0; n < 60; n++) await send(ann, signalTo(bob.peer, n));
      expect(await beijing.rooms.replay(room, bob.peer, from, upTo)).toEqual({ ok: true, value: undefined });
      expect(await beijing.rooms.replay(roomId('red', 'main'), bob.peer, 0, 9)).toEqual({
        ok: true,
        value: undefined,
      });
    });

    test('D6: a resume reaches back to its own join at most', async () => {
      const { beijing, shanghai, ann } = await openPair();
      await send(ann, messageToAll('before'));
      const carol = await shanghai.join('blue', 'Carol');
      await send(ann, messageToAll('after'));
      const again = await resumed(beijing, carol, { seq: 0 });
      expect(numbers(again, 'message')).toEqual(['after']);
      expect(again.got('joined')).toEqual([]);
    });

    test('D6: a resume reaches back to the join by key at most', async () => {
      const { beijing, ann, bob } = await openPair();
      await beijing.rooms.relay(ann, ann.request(), signalTo(bob.peer, 'before'));
      const again = await beijing.join('blue', 'Bob', null, 'at once', {
        peer: bob.peer,
        tokenHash: 'another',
      });
      const back = await beijing.resume(again, { seq: 0 });
      expect(back.ok && numbers(back.value, 'signal')).toEqual([]);
    });

    test('D6: a snapshot that never arrived is given again, not taken for received', async () => {
      const { beijing, ann, bob } = await openPair(SMALL);
      const before = bob.seq;
      await bob.detach();
      await beijing.rooms.relay(ann, ann.request(), signalTo(bob.peer, 'trimmed'));
      const carol = await beijing.join('blue', 'Carol');
      for (let n = 0; n < 60; n++) await beijing.rooms.relay(ann, ann.request(), signalTo(carol.peer, n));
      const first = await beijing.resume(bob, { seq: before });
      expect(first.ok && first.value.resumed?.snapshot).toBeDefined();
      // Its reply is lost with the connection: the client is where it was.
      const second = await beijing.resume(bob, { seq: before });
      expect(second.ok && second.value.resumed?.snapshot).toBeDefined();
    });

    test('a seq of the future, or of an epoch that never was, gets a snapshot', async () => {
      const { beijing, bob } = await openPair();
      for (const wrong of [
        { seq: 1_000 },
        { epoch: bob.epoch - 1 },
        { epoch: bob.epoch + 1 },
        { epoch: 0, seq: 0 },
      ]) {
        const again = await resumed(beijing, bob, wrong);
        expect(again.resumed).toMatchObject({ replayFrom: undefined, snapshot: { epoch: bob.epoch } });
      }
    });

    test('Q3: answers outlive the connection: a repeat on the next one gets its own first answer', async () => {
      const { beijing, shanghai, ann, bob } = await openPair();
      const sent = [bob.request(), bob.request(), bob.request()] as const;
      const first = await shanghai.rooms.relay(bob, sent[0], signalTo(ann.peer, 1));
      const refused = await shanghai.rooms.relay(bob, sent[1], signalTo('nobody' as PeerId, 2));
      const renamed = await shanghai.rooms.update(bob, sent[2], { name: 'Bobby' });
      await bob.detach();
      const again = await resumed(beijing, bob);
      expect(again.lastId).toBe(4);
      const head = await headOf(beijing);
      expect(await beijing.rooms.relay(again, sent[0], signalTo(ann.peer, 1))).toEqual(first);
      expect(await beijing.rooms.relay(again, sent[1], signalTo('nobody' as PeerId, 2))).toEqual(refused);
      expect(await beijing.rooms.update(again, sent[2], { name: 'Bobby' })).toEqual(renamed);
      expect(await headOf(beijing)).toBe(head);
    });

    test('Q2: a request that never arrived is found missing on the next connection, too', async () => {
      const { beijing, bob } = await openPair();
      const lost = bob.request();
      const again = await resumed(beijing, bob);
      again.lastId = lost.id;
      const next = again.request();
      expect(await beijing.rooms.relay(again, next, messageToAll('b'))).toEqual({
        ok: false,
        code: 'unavailable',
      });
      expect(await beijing.rooms.relay(again, lost, messageToAll('a'))).toMatchObject({ ok: true });
      expect(await beijing.rooms.relay(again, next, messageToAll('b'))).toMatchObject({ ok: true });
    });

    test('Q4: a join by the key of a living session continues it: same peer, other token, other generation', async () => {
      const { beijing, shanghai, ann, bob, room } = await openPair();
      const key = { peer: bob.peer, tokenHash: 'hash of another token' };
      const again = await beijing.join('blue', 'Bob', null, 'at once', key);
      expect(again).toMatchObject({ peer: bob.peer, generation: 2 });
      expect(again.snapshot.peers.map((peer) => peer.name)).toEqual(['Ann', 'Bob']);
      expect(again.snapshot.peers[1]).toMatchObject({ joined_seq: 2, role: 'speaker', connected: true });
      await eventually(() => bob.ended === 'replaced', { what: 'the older connection ended' });
      expect(await shanghai.rooms.verify({ room, ...key, tokenHash: bob.tokenHash })).toEqual(EXPIRED);
      expect(await shanghai.rooms.verify({ room, ...key })).toMatchObject({ ok: true });
      await send(ann, signalTo(bob.peer, 'hello'));
      await again.next('signal');
      expect(ann.got('joined')).toHaveLength(1);
      expect(ann.got('left')).toHaveLength(0);
    });

    test('Q4: a join by key finds a session that is away, and brings it back', async () => {
      const { beijing, ann, bob } = await openPair();
      await bob.detach();
      const again = await beijing.join('blue', 'Bob', null, 'at once', {
        peer: bob.peer,
        tokenHash: 'another',
      });
      expect(again.generation).toBe(3);
      expect(JSON.parse((await ann.next('resumed')).body).peer).toMatchObject({
        id: bob.peer,
        connected: true,
      });
    });

    test('Q4: a join by key begins its ids anew: none is taken for a repeat of the former client', async () => {
      const { beijing, shanghai, ann, bob } = await openPair();
      for (let n = 0; n < 3; n++) await shanghai.rooms.relay(bob, bob.request(), signalTo(ann.peer, n));
      await eventually(() => numbers(ann, 'signal').length === 3);
      const again = await beijing.join('blue', 'Bob', null, 'at once', {
        peer: bob.peer,
        tokenHash: 'another',
      });
      await beijing.rooms.relay(again, again.request(), signalTo(ann.peer, 'anew'));
      await eventually(() => numbers(ann, 'signal').includes('anew'), {
        timeoutMs: 1_500,
        what: 'the new signal',
      });
    });

    test('Q4: a join by key begins its attempts anew', async () => {
      const { beijing, bob } = await openPair();
      expect(await beijing.resume(bob, { attempt: 3 })).toMatchObject({ ok: true });
      const again = await beijing.join('blue', 'Bob', null, 'at once', {
        peer: bob.peer,
        tokenHash: 'another',
      });
      expect(await beijing.resume(again, { attempt: 1 })).toMatchObject({ ok: true });
    });

    test('Q4: a full room takes a join by key, for its seat is there already', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      await node.join('small', 'Ann', null, 'at once', { peersMax: 2 });
      const bob = await node.join('small', 'Bob');
      expect(await node.tryJoin('small', 'Carol')).toEqual({ ok: false, code: 'room_full' });
      expect(await node.tryJoin('small', 'Bob', { peer: bob.peer, tokenHash: 'another' })).toMatchObject({
        ok: true,
      });
    });

    test('Q4: a join that is called off ends what it made, and nothing else', async () => {
      const { beijing, shanghai, ann, bob, room } = await openPair();
      const stranger = { room, peer: bob.peer, tokenHash: 'of a join that never was' };
      expect(await beijing.rooms.callOff(stranger, 'expired')).toEqual({ ok: true, value: undefined });
      expect(await send(bob, messageToAll('still here'))).toMatchObject({ ok: true });
      expect(await shanghai.rooms.callOff(bob, 'expired')).toEqual({ ok: true, value: undefined });
      expect(await ann.next('left')).toMatchObject({ from: bob.peer });
      expect(await send(bob, messageToAll('gone'))).toEqual(EXPIRED);
      // Repeated, as after an answer that was lost.
      expect(await shanghai.rooms.callOff(bob, 'expired')).toEqual({ ok: true, value: undefined });
      expect(await headOf(beijing)).toBe(4);
    });

    test('a resume carries where the session is held, for the one that sweeps', async () => {
      const { beijing, shanghai, bob, room } = await openPair();
      await resumed(beijing, bob, { incarnation: 'elsewhere', attempt: 5 });
      const page = await shanghai.rooms.readAfter(room, 2);
      const fence = page.ok ? parseRecord(page.value?.records[0] ?? '') : undefined;
      expect(fence && innerOf(fence)).toMatchObject({ generation: 2, incarnation: 'elsewhere', attempt: 5 });
      const state = await shanghai.rooms.state(room);
      expect(state.ok && state.value?.members.get(bob.peer)).toMatchObject({
        incarnation: 'elsewhere',
        attempt: 5,
        requests: { generation: 2 },
      });
    });

    test('a session that left or expired cannot be resumed, nor can one of a room that ended', async () => {
      const { beijing, shanghai, ann, bob } = await openPair();
      await shanghai.rooms.leave(bob, 'left', bob.request());
      expect(await beijing.resume(bob)).toEqual(EXPIRED);
      await ann.detach();
      await beijing.rooms.leave({ ...ann.ref, generation: 2 }, 'expired');
      expect(await shanghai.resume(ann)).toEqual(EXPIRED);
    });
  });
}
