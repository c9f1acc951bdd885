import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { Backplane } from '../../services/signaling/backplane/backplane.ts';
import type { LeaseHolder, Order } from '../../services/signaling/backplane/leases.ts';
import type { Adopted, Newcomer } from '../../services/signaling/backplane/room-log.ts';
import { type RoomId, roomId } from '../../services/signaling/domain/room-id.ts';
import { parseRecord } from '../../services/signaling/domain/room-record.ts';
import { newcomer, type SharedBackplane } from './nodes.ts';

/** What every backplane must do so that survivors can end what a dead process held. */
export function leasesContract(name: string, share: () => Promise<SharedBackplane>): void {
  describe(`leases on ${name}`, () => {
    let shared: SharedBackplane;
    let node: Backplane;
    afterEach(async () => {
      await node?.close();
      await shared?.close();
    });

    async function open() {
      shared = await share();
      node = await shared.open();
    }

    const incarnation = () => randomBytes(9).toString('base64url');
    const holder = (incarnation: string, nodeId: string, order?: Order): LeaseHolder => ({
      incarnation,
      nodeId,
      load: { connections: 7, isAdmitting: true },
      order,
    });

    /** A session of a process, in a room that the process has noted before. */
    async function hold(process: string, room: RoomId, name: string) {
      expect(await node.leases.hold(process, [room])).toMatchObject({ ok: true });
      const joining = { ...newcomer(room, { name }), incarnation: process };
      expect(await node.rooms.join(joining)).toMatchObject({ ok: true });
      return joining;
    }

    async function roster(room: RoomId): Promise<string[]> {
      const snapshot = await node.rooms.snapshot(room);
      if (!snapshot.ok) throw new Error(snapshot.code);
      return (snapshot.value?.peers ?? []).map((peer) =>
        peer.connected ? peer.name : `${peer.name} (away)`,
      );
    }

    test("C2: a lease is a counter that rises with each beat, and everybody's are seen", async () => {
      await open();
      const [one, other] = [incarnation(), incarnation()];
      const taken = await node.leases.take(holder(one, 'beijing-1'));
      expect(taken.ok && taken.value.leases.find((lease) => lease.incarnation === one)).toMatchObject({
        nodeId: 'beijing-1',
        count: 1,
      });
      await node.leases.take(holder(other, 'shanghai-1'));
      await node.leases.renew(holder(one, 'beijing-1'));
      const seen = await node.leases.renew(holder(one, 'beijing-1'));
      const byId = new Map(seen.ok ? seen.value.leases.map((lease) => [lease.incarnation, lease]) : []);
      expect(byId.get(one)).toMatchObject({ count: 3 });
      expect(byId.get(other)).toMatchObject({ count: 1, nodeId: 'shanghai-1' });
    });

    test('a lease tells of its process: how many connections it has, and whether it takes more', async () => {
      await open();
      const [one, other] = [incarnation(), incarnation()];
      await node.leases.take(holder(one, 'beijing-1'));
      const load = { connections: 12, isAdmitting: false };
      const taken = await node.leases.take({ ...holder(other, 'shanghai-1'), load });
      const byId = new Map(
        taken.ok ? taken.value.leases.map((lease) => [lease.incarnation, lease.load]) : [],
      );
      expect(byId.get(one)).toEqual({ connections: 7, isAdmitting: true });
      expect(byId.get(other)).toEqual(load);
    });

    test('a lease carries what its process reports to operators, and none where it reports nothing', async () => {
      await open();
      const [one, other] = [incarnation(), incarnation()];
      const report = {
        region: 'beijing',
        publicUrl: 'https://calls.example/?region=beijing',
        version: '1.2.3-rc.1',
        connectionsMax: 10_000,
        peers: 5,
        rooms: 2,
        messagesPerSecond: 12.5,
        eventLoopDelayMs: 0.4,
        isDraining: false,
        uptimeS: 7,
      };
      await node.leases.take({
        ...holder(one, 'beijing-1'),
        load: { connections: 7, isAdmitting: true, report },
      });
      const taken = await node.leases.take(holder(other, 'shanghai-1'));
      const byId = new Map(
        taken.ok ? taken.value.leases.map((lease) => [lease.incarnation, lease.load]) : [],
      );
      expect(byId.get(one)).toEqual({ connections: 7, isAdmitting: true, report });
      expect(byId.get(other)).toEqual({ connections: 7, isAdmitting: true });
    });

    async function orderOf(process: LeaseHolder) {
      const beat = await node.leases.renew(process);
      return beat.ok ? beat.value.order : beat.code;
    }

    test('C8: an order is read at the next beat, and at each that follows, until it is undone', async () => {
      await open();
      const one = holder(incarnation(), 'beijing-1');
      await node.leases.take(one);
      expect(await orderOf(one)).toBeUndefined();
      expect(await node.leases.order('beijing-1', { drain: true, text: '搬家 "now"' })).toMatchObject({
        ok: true,
      });
      for (let n = 0; n < 2; n++) expect(await orderOf(one)).toEqual({ drain: true, text: '搬家 "now"' });
      await node.leases.order('beijing-1', { drain: false });
      expect(await orderOf({ ...one, order: { drain: true } })).toEqual({ drain: false });
    });

    test('C8: an order is for the process that bears the id, not for the one that bears it next', async () => {
      await open();
      const [former, next] = [holder(incarnation(), 'beijing-1'), holder(incarnation(), 'beijing-1')];
      await node.leases.take(former);
      await node.leases.order('beijing-1', { drain: true });
      await node.leases.giveUp(former.incarnation);
      await sweep(former.incarnation);
      await node.leases.take(next);
      expect(await orderOf(next)).toBeUndefined();
    });

    test('C8: a process that was taken for dead brings its order along', async () => {
      await open();
      const former = holder(incarnation(), 'beijing-1');
      await node.leases.take(former);
      await node.leases.order('beijing-1', { drain: true });
      await sweep(former.incarnation);
      const next = holder(incarnation(), 'beijing-1', { drain: true });
      await node.leases.take(next);
      expect(await orderOf(holder(next.incarnation, 'beijing-1'))).toEqual({ drain: true });
    });

    test('an order for a node that is not there, or has given up, is refused', async () => {
      await open();
      const one = holder(incarnation(), 'beijing-1');
      await node.leases.take(one);
      for (const id of ['beijing-2', 'beijing', 'beijing-1 ', ''])
        expect(await node.leases.order(id, { drain: true })).toEqual({ ok: false, code: 'node_not_found' });
      await node.leases.giveUp(one.incarnation);
      expect(await node.leases.order('beijing-1', { drain: true })).toMatchObject({ code: 'node_not_found' });
    });

    /** Sweeps as a survivor does, and keeps what it took over. */
    async function sweep(dead: string, survivor = incarnation()) {
      const adopted: Adopted[] = [];
      const adopter = {
        incarnation: survivor,
        prepare: async (rooms: readonly RoomId[]) => (await node.leases.hold(survivor, rooms)).ok,
        adopt: (_: RoomId, sessions: readonly Adopted[]) => void adopted.push(...sessions),
      };
      return { adopted, swept: await node.leases.sweep(dead, adopter) };
    }

    test('C7: a sweep detaches what the dead process held in each room, and nothing else', async () => {
      await open();
      const [dead, alive] = [incarnation(), incarnation()];
      await node.leases.take(holder(dead, 'dead'));
      await node.leases.take(holder(alive, 'alive'));
      const shared = Array.from({ length: 100 }, (_, n) => roomId(`shared-${n}`, 'main'));
      const own = roomId('own', 'main');
      for (const room of shared) {
        await hold(dead, room, 'gone');
        await hold(alive, room, 'stays');
      }
      await hold(dead, own, 'gone');
      const { swept, adopted } = await sweep(dead);
      expect(swept).toEqual({ ok: true, value: 101 });
      expect(new Set(adopted.map((each) => each.room))).toEqual(new Set([...shared, own]));
      expect(adopted.every((each) => each.generation === 2)).toBe(true);
      for (const room of shared) expect(await roster(room)).toEqual(['gone (away)', 'stays']);
      expect(await roster(own)).toEqual(['gone (away)']);
      const log = await node.rooms.readAfter(shared[0] as RoomId, 2);
      const last = log.ok ? parseRecord(log.value?.records.at(-1) ?? '') : undefined;
      expect(last).toMatchObject({
        type: 'detached',
        seq: 3,
        body: expect.stringContaining('"connected":false'),
      });
      const leases = await node.leases.renew(holder(alive, 'alive'));
      const standing = leases.ok ? leases.value.leases.map((lease) => lease.incarnation) : [];
      expect(standing).toContain(alive);
      expect(standing).not.toContain(dead);
    });

    test('C7: where entries note their room themselves, a sweep finds what was never noted before', async () => {
      await open();
      if (!node.leases.areNotedByEntry) return;
      const processes = Array.from({ length: 4 }, incarnation);
      const [joined, detached, resumed, released] = processes as [string, string, string, string];
      for (const each of processes) await node.leases.take(holder(each, each));
      const room = roomId('unnoted', 'main');
      const join = async (name: string) => {
        const joining = { ...newcomer(room, { name }), incarnation: joined };
        expect(await node.rooms.join(joining)).toMatchObject({ ok: true });
        return joining;
      };
      const resume = async ({ peer, tokenHash, location }: Newcomer) => {
        const at = { seq: 0, epoch: 0, attempt: 1, holder: `try of ${peer}` };
        const comeback = { room, peer, tokenHash, location, incarnation: resumed, ...at };
        expect(await node.rooms.resume(comeback)).toMatchObject({ ok: true });
        return comeback;
      };
      const [ann, bob, carol] = [await join('ann'), await join('bob'), await join('carol')];
      await node.rooms.detach(ann, detached);
      await resume(bob);
      await node.rooms.release(await resume(carol), released);
      const sweptOf = async (dead: string) => (await sweep(dead, incarnation())).swept;
      expect(await sweptOf(joined)).toEqual({ ok: true, value: 0 });
      for (const each of [detached, resumed, released])
        expect(await sweptOf(each)).toEqual({ ok: true, value: 1 });
    });

    test('C7: two sweepers at once, or one after the other, do no harm', async () => {
      await open();
      const dead = incarnation();
      await node.leases.take(holder(dead, 'dead'));
      const room = roomId('blue', 'main');
      await hold(incarnation(), room, 'stays');
      await hold(dead, room, 'gone');
      const sweeps = [...(await Promise.all([sweep(dead), sweep(dead)])), await sweep(dead)];
      expect(sweeps.flatMap((each) => each.adopted)).toHaveLength(1);
      expect(await roster(room)).toEqual(['stays', 'gone (away)']);
      expect(await node.rooms.snapshot(room)).toMatchObject({ value: { seq: 3 } });
    });

    test('C3: a lease that was swept cannot be renewed, only taken anew', async () => {
      await open();
      const [one, next] = [incarnation(), incarnation()];
      await node.leases.take(holder(one, 'beijing-1'));
      await sweep(one);
      expect(await node.leases.renew(holder(one, 'beijing-1'))).toEqual({ ok: false, code: 'swept' });
      expect(await node.leases.take(holder(next, 'beijing-1'))).toMatchObject({ ok: true });
    });

    test('a room that was released is not swept', async () => {
      await open();
      const dead = incarnation();
      await node.leases.take(holder(dead, 'dead'));
      const room = roomId('blue', 'main');
      await hold(dead, room, 'left behind');
      node.leases.release(dead, room);
      expect((await sweep(dead)).swept).toEqual({ ok: true, value: 0 });
    });
  });
}
