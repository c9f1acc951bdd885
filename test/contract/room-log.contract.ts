import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { type PeerId, ROOM_METADATA_BYTES_MAX } from '@fenghuo/protocol';
import { describe, expect, test } from 'vitest';
import type { RoomSnapshot, SessionRef } from '../../services/signaling/backplane/room-log.ts';
import { DROPPED_AT_ONCE, defaultLogBounds } from '../../services/signaling/domain/log-bounds.ts';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { parseRecord, type RoomRecord } from '../../services/signaling/domain/room-record.ts';
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

/** What every backplane must do, whatever it is made of. */
export function roomLogContract(name: string, share: () => Promise<SharedBackplane>): void {
  describe(`the room log on ${name}`, () => {
    const openNodes = nodesOf(share);

    test('the first to join is host, the others are speakers, and each sees who was there before', async () => {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      expect(ann.snapshot.peers).toMatchObject([{ name: 'Ann', role: 'host', joined_seq: 1 }]);
      expect(bob.snapshot.peers).toMatchObject([
        { name: 'Ann', role: 'host' },
        { name: 'Bob', role: 'speaker', joined_seq: 2 },
      ]);
      expect(bob.snapshot.epoch).toBe(ann.snapshot.epoch);
      expect(await ann.next('joined')).toMatchObject({ seq: 2, from: bob.peer });
    });

    test('metadata comes back as it was: empty lists, nulls, deep and large numbers', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const metadata = {
        list: [],
        object: {},
        none: null,
        deep: { a: [[[1.5]]] },
        big: 9_007_199_254_740_991,
        text: '"},\u0000\u{1F525}烽火',
      };
      const ann = await node.join('blue', 'An"n,"metadata":', metadata);
      expect(ann.snapshot.peers[0]).toMatchObject({ name: 'An"n,"metadata":', metadata });
      const updated = await node.rooms.update(ann, ann.request(), { name: 'Anna' });
      expect(updated).toMatchObject({ ok: true, value: { peer: { name: 'Anna', metadata } } });
    });

    test('50 concurrent joins on a room for 10: exactly 10 get in', async () => {
      const nodes = await openNodes(2);
      const joins = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          nodes[index % 2]?.tryJoin('small', `p${index}`, { peersMax: 10 }),
        ),
      );
      expect(joins.filter((outcome) => outcome?.ok)).toHaveLength(10);
      expect(joins.filter((outcome) => outcome?.ok === false && outcome.code === 'room_full')).toHaveLength(
        40,
      );
      const snapshot = await nodes[0]?.rooms.snapshot(roomId('small', 'main'));
      expect(snapshot?.ok && snapshot.value?.peers).toHaveLength(10);
    });

    test('500 rooms joined on one node and published to at once from another: none lost', async () => {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      // Otherwise a comparison of heads would mend what an unconfirmed subscription lost.
      if (!beijing.losesRings) beijing.stopAttesting();
      const rooms = Array.from({ length: 500 }, (_, index) => `room-${index}`);
      const joinAndSignal = async (room: string) => {
        const bob = await shanghai.join(room, 'Bob');
        const ann = await beijing.join(room, 'Ann');
        // At once: nothing is awaited between the join's answer and the first signal.
        const sent = await shanghai.rooms.relay(bob, bob.request(), signalTo(ann.peer, room));
        return { ann, room, sent };
      };
      for (let wave = 0; wave < rooms.length; wave += 50) {
        const pairs = await Promise.all(rooms.slice(wave, wave + 50).map(joinAndSignal));
        for (const { ann, room, sent } of pairs) {
          expect(sent).toMatchObject({ ok: true, value: { type: 'sent' } });
          expect(JSON.parse((await ann.next('signal')).body)).toMatchObject({ n: room });
        }
      }
    });

    test('two senders on two nodes: every receiver sees one order', async () => {
      const nodes = (await openNodes(4)) as [TestNode, TestNode, TestNode, TestNode];
      const [ann, bob, carol, dan] = (await Promise.all(
        nodes.map((node, index) => node.join('blue', `p${index}`)),
      )) as [Member, Member, Member, Member];
      const count = 200;
      await Promise.all(
        [ann, bob].map(async (sender) => {
          for (let n = 0; n < count; n++) {
            await sender.node.rooms.relay(sender, sender.request(), { ...messageToAll(n), echo: true });
          }
        }),
      );
      const orders = await Promise.all(
        [ann, bob, carol, dan].map(async (member) => {
          await eventually(() => member.got('message').length === 2 * count, {
            what: `${2 * count} messages`,
          });
          return member.got('message').map((record) => record.seq);
        }),
      );
      for (const order of orders) expect(order).toEqual(orders[0]);
      expect(orders[0]).toEqual([...(orders[0] ?? [])].sort((a, b) => a - b));
      for (const sender of [ann, bob]) {
        const sent = carol.got('message').filter((record) => record.from === sender.peer);
        expect(sent.map((record) => JSON.parse(record.body).n)).toEqual(
          Array.from({ length: count }, (_, n) => n),
        );
      }
    });

    test('Q3: a duplicated request id changes nothing and gets its own first answer', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const bob = await node.join('blue', 'Bob');
      const request = ann.request();
      const first = await node.rooms.relay(ann, request, signalTo(bob.peer, 'once'));
      await node.rooms.relay(ann, ann.request(), signalTo(bob.peer, 'later'));
      const again = await node.rooms.relay(ann, request, signalTo(bob.peer, 'once'));
      expect(again).toEqual(first);
      await bob.next('signal');
      await bob.next('signal');
      expect(bob.got('signal').map((record) => JSON.parse(record.body).n)).toEqual(['once', 'later']);
    });

    test('Q3: an answer older than the last 64 is invalid_request, never a made-up ok', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const first = ann.request();
      await node.rooms.relay(ann, first, messageToAll(0));
      for (let n = 0; n < 63; n++) await node.rooms.relay(ann, ann.request(), messageToAll(n));
      expect(await node.rooms.relay(ann, first, messageToAll(0))).toMatchObject({ ok: true });
      await node.rooms.relay(ann, ann.request(), messageToAll(64));
      expect(await node.rooms.relay(ann, first, messageToAll(0))).toEqual({
        ok: false,
        code: 'invalid_request',
      });
    });

    test('Q3: a repeated update gets the peer that the first one made', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const request = ann.request();
      const first = await node.rooms.update(ann, request, { name: 'Anna', metadata: { n: 1 } });
      await node.rooms.update(ann, ann.request(), { name: 'Annabel' });
      expect(await node.rooms.update(ann, request, { name: 'Anna' })).toEqual(first);
      expect(first).toMatchObject({ value: { peer: { name: 'Anna', metadata: { n: 1 } } } });
    });

    test('Q3: an id that was another kind of request is refused, whatever asks for it', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const bob = await node.join('blue', 'Bob');
      const { rooms } = node;
      const invalid = { ok: false, code: 'invalid_request' };
      const sent = bob.request();
      await rooms.relay(bob, sent, signalTo(ann.peer, 1));
      const updated = bob.request();
      await rooms.update(bob, updated, { name: 'Bobby' });
      expect.soft(await rooms.update(bob, sent, { name: 'Robert' })).toEqual(invalid);
      expect.soft(await rooms.relay(bob, updated, signalTo(ann.peer, 2))).toEqual(invalid);
      expect.soft(await rooms.leave(bob, 'left', sent)).toEqual(invalid);
      expect.soft(await rooms.relay(bob, sent, messageToAll(3))).toEqual(invalid);
    });

    test('Q3: a repeat of an update that the log has no more is refused, never answered with a later one', async () => {
      const [node] = (await openNodes(1, { ...defaultLogBounds(30_000), bytesMax: 1_500 })) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const bob = await node.join('blue', 'Bob');
      const { rooms } = node;
      const request = bob.request();
      await rooms.update(bob, request, { name: 'Bobby' });
      for (let n = 0; n < 30; n++) await rooms.relay(bob, bob.request(), signalTo(ann.peer, n));
      await rooms.update(bob, bob.request(), { name: 'Robert' });
      expect(await rooms.update(bob, request, { name: 'Bobby' })).toEqual({
        ok: false,
        code: 'invalid_request',
      });
    });

    test('Q2: a request whose predecessor never arrived is unavailable, and both are applied in order after it', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const lost = ann.request();
      const next = ann.request();
      expect(await node.rooms.relay(ann, next, messageToAll('b'))).toEqual({
        ok: false,
        code: 'unavailable',
      });
      expect(await node.rooms.relay(ann, lost, messageToAll('a'))).toMatchObject({ ok: true });
      expect(await node.rooms.relay(ann, next, messageToAll('b'))).toMatchObject({ ok: true });
    });

    test('Q2: a final refusal consumes its id', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const request = ann.request();
      const refusal = { ok: true, value: { type: 'refused', code: 'peer_not_found' } };
      expect(await node.rooms.relay(ann, request, signalTo('nobody' as PeerId, 1))).toEqual(refusal);
      expect(await node.rooms.relay(ann, ann.request(), messageToAll(2))).toMatchObject({
        value: { type: 'logged' },
      });
      expect(await node.rooms.relay(ann, request, signalTo('nobody' as PeerId, 1))).toEqual(refusal);
    });

    test('Q1: a session that is not there, or is continued elsewhere, changes nothing', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const stranger: SessionRef = { ...ann.ref, peer: 'stranger' as PeerId };
      const older: SessionRef = { ...ann.ref, generation: 0 };
      expect(await node.rooms.relay(stranger, { id: 2, previousId: 1 }, messageToAll(1))).toEqual({
        ok: false,
        code: 'session_expired',
      });
      expect(await node.rooms.relay(older, { id: 2, previousId: 1 }, messageToAll(1))).toEqual({
        ok: false,
        code: 'session_replaced',
      });
      expect(await node.rooms.leave(older, 'left', { id: 2, previousId: 1 })).toEqual({
        ok: false,
        code: 'session_replaced',
      });
      const snapshot = await node.rooms.snapshot(ann.room);
      expect(snapshot).toMatchObject({ value: { seq: 1 } });
    });

    test('a signal to oneself finds no peer', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      expect(await node.rooms.relay(ann, ann.request(), signalTo(ann.peer, 1))).toMatchObject({
        value: { code: 'peer_not_found' },
      });
    });

    test('only its target gets a signal; all but the sender get a message, with echo the sender too', async () => {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      const carol = await shanghai.join('blue', 'Carol');
      await beijing.rooms.relay(ann, ann.request(), signalTo(bob.peer, 1));
      await beijing.rooms.relay(ann, ann.request(), messageToAll(2));
      await beijing.rooms.relay(ann, ann.request(), { ...messageToAll(3), to: carol.peer, echo: true });
      await beijing.rooms.relay(ann, ann.request(), { ...messageToAll(4), echo: true });
      const seen = (member: Member) =>
        member.records
          .filter((each) => each.type === 'signal' || each.type === 'message')
          .map((each) => JSON.parse(each.body).n);
      await eventually(() => [ann, bob, carol].every((member) => seen(member).includes(4)), {
        what: 'the last message everywhere',
      });
      expect([seen(ann), seen(bob), seen(carol)]).toEqual([
        [3, 4],
        [1, 2, 4],
        [2, 3, 4],
      ]);
    });

    test('D7: a room ends with its last session, and its name begins a new epoch', async () => {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      await beijing.rooms.leave(ann, 'left', ann.request());
      ann.leaveSeat();
      expect(await bob.next('left')).toMatchObject({
        from: ann.peer,
        body: `{"peer":"${ann.peer}","reason":"left"}`,
      });
      await shanghai.rooms.leave(bob, 'expired');
      bob.leaveSeat();
      expect(await beijing.rooms.snapshot(ann.room)).toEqual({ ok: true, value: undefined });
      // Whoever has not heard of the end yet can still read it.
      const { epoch } = ann.snapshot;
      expect(await beijing.rooms.readAfter(ann.room, 4)).toMatchObject({
        ok: true,
        value: { epoch, head: 5, records: [expect.stringContaining('"reason":"expired"')] },
      });
      const carol = await beijing.join('blue', 'Carol');
      expect(carol.snapshot).toMatchObject({ seq: 1, peers: [{ role: 'host' }] });
      expect(carol.snapshot.epoch).toBeGreaterThan(ann.snapshot.epoch);
    });

    test('Q4: a join that was called off before it arrived does not make a ghost', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const ghost = { room: roomId('blue', 'main'), peer: 'ghost' as PeerId, tokenHash: 'hash of Ghost' };
      expect(await node.rooms.callOff(ghost, 'expired')).toEqual({ ok: true, value: undefined });
      expect(await node.tryJoin('blue', 'Ghost', { peer: ghost.peer })).toEqual({
        ok: false,
        code: 'unavailable',
      });
      expect(await node.rooms.snapshot(ghost.room)).toEqual({ ok: true, value: undefined });
    });

    test('a join repeated under the same peer id returns the room and changes nothing', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const again = await node.tryJoin('blue', 'Ann', { peer: ann.peer });
      expect(again).toEqual({ ok: true, value: { generation: 1, record: '', snapshot: ann.snapshot } });
    });

    /** So that a few kilobytes are what 48 MiB are else. */
    const NARROW = { ...defaultLogBounds(30_000), writtenBytesMax: 48_000, bytesMax: 128_000 };
    const LARGE = 'x'.repeat(900);
    const full = { ok: false, code: 'rate_limited', retryAfterMs: expect.any(Number) };

    /** Writes until he is told to wait; returns how many bytes that were, about, and the request that was refused. */
    async function flood(member: Member, limit = 1_000) {
      for (let n = 0; n < limit; n++) {
        const request = member.request();
        const outcome = await member.node.rooms.relay(member, request, messageToAll(LARGE));
        if (!outcome.ok) return { bytes: n * 1_000, request, outcome };
      }
      throw new Error('nobody stops him');
    }

    test('D5: nothing that is young falls off the log for what a member writes who leaves and joins again and again', async () => {
      const [beijing, shanghai] = (await openNodes(2, NARROW)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      await bob.detach();
      for (let n = 0; n < 5; n++) await beijing.rooms.relay(ann, ann.request(), messageToAll(n));
      // On two connections at once, each time another session, and again under the same one.
      const outcomes = await Promise.all(
        [beijing, shanghai].map(async (node, at) => {
          for (let round = 0; ; round++) {
            const mallory = await node.join('blue', `Mallory ${at} ${round}`);
            const { outcome } = await flood(mallory);
            await mallory.detach();
            const back = await node.resume(mallory);
            if (back.ok) await node.rooms.leave(back.value, 'left', back.value.request());
            if (round === 7) return outcome;
          }
        }),
      );
      expect(outcomes).toEqual([full, full]);
      const log = await beijing.log(ann.room);
      expect(log.first).toBe(1);
      const again = await shanghai.resume(bob);
      expect(again.ok && numbers(again.value, 'message').slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
    });

    test('D5: who floods a room takes nobody his part: each may write as much beside him', async () => {
      const [node] = (await openNodes(1, NARROW)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const [bob, carol] = [await node.join('blue', 'Bob'), await node.join('blue', 'Carol')];
      expect((await flood(ann)).bytes).toBeGreaterThan(30_000);
      for (const each of [bob, carol]) {
        const { bytes, outcome } = await flood(each);
        expect(bytes).toBeGreaterThanOrEqual(6_000);
        expect(bytes).toBeLessThanOrEqual(9_000);
        expect(outcome).toEqual(full);
      }
    });

    test('D5: who comes while a room is flooded comes in, and has a part with the next period', async () => {
      const ageMs = 300;
      const [node] = (await openNodes(1, { ...NARROW, ageMs })) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      await flood(ann);
      const bob = await node.join('blue', 'Bob');
      const request = bob.request();
      expect(await node.rooms.relay(bob, request, messageToAll(LARGE))).toEqual(full);
      await eventually(async () => (await node.rooms.relay(bob, request, messageToAll(LARGE))).ok, {
        what: 'a message of who came',
      });
    });

    test('D5, Q2: who is told to wait may send the same again after that time, and what came after it as well', async () => {
      const ageMs = 400;
      const [node] = (await openNodes(1, { ...NARROW, ageMs })) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const { request, outcome } = await flood(ann);
      const { retryAfterMs = 0 } = outcome as { retryAfterMs?: number };
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(ageMs);
      const next = ann.request();
      expect(await node.rooms.relay(ann, next, messageToAll('next'))).toEqual({
        ok: false,
        code: 'unavailable',
      });
      await sleep(retryAfterMs + 5);
      for (const each of [request, next])
        expect(await node.rooms.relay(ann, each, messageToAll(LARGE))).toMatchObject({ ok: true });
    });

    test('D5: an update is told to wait, too, and what has to be told in any case is not', async () => {
      const [node] = (await openNodes(1, NARROW)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const bob = await node.join('blue', 'Bob');
      await flood(bob);
      const before = bob.lastId - 1;
      const update = { id: bob.lastId, previousId: before };
      expect(await node.rooms.update(bob, update, { metadata: LARGE + LARGE })).toEqual(full);
      const { rooms } = node;
      expect(
        await rooms.moderate(ann, ann.request(), { action: 'mute', peer: bob.peer, kinds: ['audio'] }),
      ).toMatchObject({
        ok: true,
      });
      expect(await rooms.send(ann.room, { to: undefined, body: '{}' })).toMatchObject({ ok: true });
      await bob.detach();
      const back = await node.resume(bob);
      expect(back).toMatchObject({ ok: true });
      if (back.ok)
        expect(await rooms.leave(back.value, 'left', { id: bob.lastId, previousId: before })).toMatchObject({
          ok: true,
        });
    });

    test('D5: where a log is full of what has to be told, who would join is told to wait', async () => {
      const ageMs = 1_000;
      const [node] = (await openNodes(1, { ...NARROW, ageMs, bytesMax: 40_000 })) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      const { rooms } = node;
      while ((await node.log(ann.room)).bytes <= 35_000)
        await rooms.send(ann.room, { to: undefined, body: JSON.stringify({ LARGE }) });
      expect(await node.tryJoin('blue', 'Bob')).toEqual(full);
      await eventually(async () => (await node.tryJoin('blue', 'Bob')).ok, { what: 'a newcomer' });
    });

    const metadataOf = (bytes: number) => 'x'.repeat(bytes - 2);
    const QUARTER = ROOM_METADATA_BYTES_MAX / 4;
    const tooLarge = { ok: false, code: 'too_large' };

    test('a room takes members as long as their metadata is 256 KiB together, and not a byte more', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const join = (name: string, bytes: number) =>
        node.tryJoin('blue', name, { metadata: metadataOf(bytes) });
      for (const name of ['Ann', 'Bob', 'Carol'])
        expect(await join(name, QUARTER)).toMatchObject({ ok: true });
      expect(await join('Dan', QUARTER + 1)).toEqual(tooLarge);
      const dan = await node.join('blue', 'Dan', metadataOf(QUARTER));
      expect(await join('Eve', 2)).toEqual(tooLarge);
      await node.rooms.leave(dan, 'left', dan.request());
      expect(await join('Eve', QUARTER)).toMatchObject({ ok: true });
    });

    test('an update takes what is left of that, too: one byte more is refused for good, and less always is taken', async () => {
      const [node] = (await openNodes(1)) as [TestNode];
      const { rooms } = node;
      const ann = await node.join('blue', 'Ann', metadataOf(3 * QUARTER));
      const bob = await node.join('blue', 'Bob');
      const request = bob.request();
      const larger = { metadata: metadataOf(QUARTER + 1) };
      expect(await rooms.update(bob, request, larger)).toEqual(tooLarge);
      expect(await rooms.update(bob, request, larger)).toEqual(tooLarge);
      expect(await rooms.update(bob, bob.request(), { metadata: metadataOf(QUARTER) })).toMatchObject({
        ok: true,
      });
      expect(await rooms.update(bob, bob.request(), { name: 'Bobby' })).toMatchObject({ ok: true });
      expect(await rooms.update(ann, ann.request(), { metadata: metadataOf(2 * QUARTER) })).toMatchObject({
        ok: true,
      });
      expect(await rooms.update(bob, bob.request(), { metadata: metadataOf(2 * QUARTER) })).toMatchObject({
        ok: true,
      });
    });

    test('D5: a log that is full of what has to be told lets the oldest of it go', async () => {
      const bounds = { ...defaultLogBounds(30_000), bytesMax: 10_000 };
      const [node] = (await openNodes(1, bounds)) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      for (let n = 0; n < 30; n++) await node.rooms.relay(ann, ann.request(), messageToAll(LARGE));
      const log = await node.log(ann.room);
      expect(log.count).toBeGreaterThanOrEqual(9);
      expect(log.count).toBeLessThanOrEqual(11);
      expect(log.first).toBe(log.head - log.count + 1);
    });

    test('D5: a log is bounded by age', async () => {
      const ageMs = 60;
      const [node] = (await openNodes(1, { ...defaultLogBounds(30_000), ageMs })) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      for (let n = 0; n < 20; n++) await node.rooms.relay(ann, ann.request(), messageToAll(n));
      await eventually(
        async () => {
          await node.rooms.relay(ann, ann.request(), messageToAll('later'));
          return (await node.log(ann.room)).first > 20;
        },
        { everyMs: ageMs, what: 'a log without its first twenty events' },
      );
    });

    test('D5: what is too old goes a few at a time, so that no room waits for what another one said', async () => {
      const ageMs = 30;
      const [node] = (await openNodes(1, { ...defaultLogBounds(30_000), ageMs })) as [TestNode];
      node.stopAttesting();
      const ann = await node.join('blue', 'Ann');
      for (let n = 0; n < 150; n++) await node.rooms.relay(ann, ann.request(), messageToAll(n));
      const firsts = [(await node.log(ann.room)).first];
      await eventually(
        async () => {
          await node.rooms.relay(ann, ann.request(), messageToAll('later'));
          return firsts.push((await node.log(ann.room)).first) > 2 && (firsts.at(-1) as number) > 150;
        },
        { everyMs: ageMs, what: 'a log without its first events' },
      );
      const steps = firsts.slice(1).map((first, n) => first - (firsts[n] as number));
      expect(Math.max(...steps)).toBeLessThanOrEqual(DROPPED_AT_ONCE);
    });

    test('D5: a large record drops as many small ones as it takes', async () => {
      const [node] = (await openNodes(1, { ...defaultLogBounds(30_000), bytesMax: 10_000 })) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      for (let n = 0; n < 150; n++) await node.rooms.relay(ann, ann.request(), messageToAll(n));
      const { count } = await node.log(ann.room);
      await node.rooms.relay(ann, ann.request(), messageToAll('x'.repeat(8_000)));
      const after = await node.log(ann.room);
      expect(count - after.count).toBeGreaterThan(2 * DROPPED_AT_ONCE);
      expect(after.bytes).toBeLessThanOrEqual(10_000);
      expect(after.bytes).toBeGreaterThan(9_500);
    });

    test('D5: what is too old goes, too, where nothing more is said', async () => {
      const [node] = (await openNodes(1, { ...defaultLogBounds(30_000), ageMs: 60 })) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      for (let n = 0; n < 500; n++) await node.rooms.relay(ann, ann.request(), messageToAll(n));
      await eventually(
        async () => {
          const page = await node.rooms.readAfter(ann.room, 0);
          return page.ok && page.value?.records.length === 0;
        },
        { what: 'an empty log' },
      );
      await node.rooms.relay(ann, ann.request(), messageToAll('later'));
      expect((await node.log(ann.room)).head).toBe(502);
    });

    test('D3: a node that the log no longer reaches gives its sessions a snapshot', async () => {
      const [beijing, shanghai] = (await openNodes(2, {
        ...defaultLogBounds(30_000),
        bytesMax: 1_500,
      })) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      await ann.next('joined');
      // Else a comparison of heads would mend the gap while it is made.
      if (!beijing.losesRings) beijing.stopAttesting();
      beijing.drops = ({ body }) => !body.includes('"n":"');
      for (let n = 0; n < 30; n++) await shanghai.rooms.relay(bob, bob.request(), messageToAll(n));
      await shanghai.rooms.relay(bob, bob.request(), messageToAll('last'));
      await eventually(() => ann.resyncs.length > 0, { what: 'a resync' });
      const snapshot = ann.resyncs.at(-1) as RoomSnapshot;
      expect(snapshot).toMatchObject({
        epoch: ann.snapshot.epoch,
        peers: [{ name: 'Ann' }, { name: 'Bob' }],
      });
      expect(snapshot.seq).toBeGreaterThan(7);
      await shanghai.rooms.relay(bob, bob.request(), messageToAll('after'));
      await eventually(() => ann.got('message').some((record) => record.body.includes('after')), {
        what: 'the message after the resync',
      });
    });

    test('a gap is read back from the log, in order and once', async () => {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      await ann.next('joined');
      beijing.stopAttesting();
      let rings = 0;
      beijing.drops = () => rings++ % 3 !== 2;
      for (let n = 0; n < 300; n++) await shanghai.rooms.relay(bob, bob.request(), messageToAll(n));
      await eventually(() => ann.got('message').length >= 300, { what: '300 messages' });
      expect(ann.got('message').map((record) => JSON.parse(record.body).n)).toEqual(
        Array.from({ length: 300 }, (_, n) => n),
      );
      expect(beijing.repaired).toBeGreaterThan(0);
    });

    test('D2: a lost last doorbell is found by comparing heads', async () => {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      await ann.next('joined');
      beijing.drops = () => true;
      await shanghai.rooms.relay(bob, bob.request(), signalTo(ann.peer, 'unheard'));
      await beijing.feeds.attest(1);
      expect(await ann.next('signal')).toMatchObject({ from: bob.peer });
    });

    test('D2: after the subscription was lost, what was missed is read from the log', async () => {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      await ann.next('joined');
      beijing.backplane.doorbell.unsubscribe(ann.room);
      for (let n = 0; n < 10; n++) await shanghai.rooms.relay(bob, bob.request(), signalTo(ann.peer, n));
      beijing.backplane.doorbell.onReset();
      await shanghai.rooms.relay(bob, bob.request(), signalTo(ann.peer, 10));
      await eventually(() => ann.got('signal').length === 11, { what: 'eleven signals' });
      expect(ann.got('signal').map((record) => JSON.parse(record.body).n)).toEqual(
        Array.from({ length: 11 }, (_, n) => n),
      );
    });

    test('a ring whose record no log has, as after a failover that lost it, ends in a snapshot and not in a loop', async () => {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      await ann.next('joined');
      const { epoch } = ann.snapshot;
      let reads = 0;
      const readAfter = beijing.rooms.readAfter.bind(beijing.rooms);
      beijing.rooms.readAfter = (room, seq) => {
        reads += 1;
        return readAfter(room, seq);
      };
      const text = `M ${epoch} 99 ${bob.peer} * 0 9 node 1\n{"n":"lost"}`;
      beijing.backplane.doorbell.onRing(ann.room, parseRecord(text) as RoomRecord, text);
      await eventually(() => ann.resyncs.length > 0, { what: 'a resync' });
      await shanghai.rooms.relay(bob, bob.request(), messageToAll('after'));
      await eventually(() => ann.got('message').some((record) => record.body.includes('after')), {
        what: 'what was sent after it',
      });
      expect(ann.got('message')).toHaveLength(1);
      expect(reads).toBeLessThan(5);
    });

    test('D4: what is for one alone rings at every node of the room, so that none takes it for a gap', async () => {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const [bob, carol] = [await shanghai.join('blue', 'Bob'), await shanghai.join('blue', 'Carol')];
      await eventually(() => ann.got('joined').length === 2, { what: 'both joins' });
      if (!beijing.losesRings) beijing.stopAttesting();
      for (let n = 0; n < 20; n++) await shanghai.rooms.relay(bob, bob.request(), signalTo(carol.peer, n));
      await shanghai.rooms.relay(bob, bob.request(), signalTo(ann.peer, 'last'));
      await ann.next('signal');
      expect(ann.records.map((record) => record.seq)).toEqual([2, 3, 24]);
      if (!beijing.losesRings) expect(beijing.repaired).toBe(0);
    });

    test('C9: what lands between a join and its answer is delivered after it, once', async () => {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      const bob = await shanghai.join('blue', 'Bob');
      let isSending = true;
      let sent = 0;
      const sending = (async () => {
        while (isSending) {
          await shanghai.rooms.relay(bob, bob.request(), messageToAll(bob.lastId));
          sent = bob.lastId;
          await immediate();
        }
      })();
      const joined: Member[] = [];
      for (let n = 0; n < 20; n++) joined.push(await beijing.join('blue', `p${n}`, null, 'late'));
      isSending = false;
      await sending;
      for (const member of joined) {
        await eventually(() => member.got('message').at(-1)?.body.includes(`"n":${sent}}`), {
          what: 'the last message',
        });
        const seqs = member.records.map((record) => record.seq);
        const everyone = new Set([...member.seqsOfOwn, ...seqs]);
        expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
        expect(new Set(seqs).size).toBe(seqs.length);
        for (let seq = member.snapshot.seq + 1; seq <= Math.max(...seqs); seq++)
          expect(everyone).toContain(seq);
      }
    });
  });
}
