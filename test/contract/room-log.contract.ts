import { setImmediate as immediate } from 'node:timers/promises';
import type { PeerId } from '@fenghuo/protocol';
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
      const [node] = (await openNodes(1, { ...defaultLogBounds(30_000), eventsPerMember: 5 })) as [TestNode];
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

    test('D5: a log at its bound keeps that many events for each member, exactly', async () => {
      const [node] = (await openNodes(1, { ...defaultLogBounds(30_000), eventsPerMember: 10 })) as [TestNode];
      const ann = await node.join('blue', 'Ann');
      for (let n = 0; n < 30; n++) await node.rooms.relay(ann, ann.request(), messageToAll(n));
      expect(await node.log(ann.room)).toMatchObject({ head: 31, first: 22, count: 10 });
      await node.join('blue', 'Bob');
      for (let n = 0; n < 30; n++) await node.rooms.relay(ann, ann.request(), messageToAll(n));
      expect(await node.log(ann.room)).toMatchObject({ head: 62, first: 43, count: 20 });
    });

    test('D5: a log is bounded by bytes', async () => {
      const [node] = (await openNodes(1, { ...defaultLogBounds(30_000), bytesPerMember: 10_000 })) as [
        TestNode,
      ];
      const ann = await node.join('blue', 'Ann');
      for (let n = 0; n < 30; n++) await node.rooms.relay(ann, ann.request(), messageToAll('x'.repeat(900)));
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
      expect(Math.max(...steps)).toBe(DROPPED_AT_ONCE);
    });

    test('D5: what was the share of a member who left goes a few at a time', async () => {
      const [node] = (await openNodes(1, { ...defaultLogBounds(30_000), eventsPerMember: 100 })) as [
        TestNode,
      ];
      const ann = await node.join('blue', 'Ann');
      const bob = await node.join('blue', 'Bob');
      for (let n = 0; n < 198; n++) await node.rooms.relay(ann, ann.request(), messageToAll(n));
      const counts = [];
      for (let n = 0; n < 5; n++) {
        if (n === 0) await node.rooms.leave(bob, 'left', bob.request());
        else await node.rooms.relay(ann, ann.request(), messageToAll(n));
        const { head, first } = await node.log(ann.room);
        counts.push(head - first + 1);
      }
      const step = DROPPED_AT_ONCE - 1;
      expect(counts).toEqual([200 - step, 200 - 2 * step, 200 - 3 * step, 100, 100]);
    });

    test('D5: a large record drops as many small ones as it takes', async () => {
      const [node] = (await openNodes(1, { ...defaultLogBounds(30_000), bytesPerMember: 10_000 })) as [
        TestNode,
      ];
      const ann = await node.join('blue', 'Ann');
      for (let n = 0; n < 150; n++) await node.rooms.relay(ann, ann.request(), messageToAll(n));
      const { count } = await node.log(ann.room);
      await node.rooms.relay(ann, ann.request(), messageToAll('x'.repeat(8_000)));
      const after = await node.log(ann.room);
      expect(count - after.count).toBeGreaterThan(2 * DROPPED_AT_ONCE);
      expect(after.bytes).toBeLessThanOrEqual(10_000);
      expect(after.bytes).toBeGreaterThan(9_500);
    });

    test('D3: a node that the log no longer reaches gives its sessions a snapshot', async () => {
      const [beijing, shanghai] = (await openNodes(2, {
        ...defaultLogBounds(30_000),
        eventsPerMember: 5,
      })) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      await ann.next('joined');
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
