import { describe, expect, test } from 'vitest';
import type { Contribution } from '../../services/signaling/backplane/rebuilds.ts';
import type { RoomId } from '../../services/signaling/domain/room-id.ts';
import { parseState } from '../../services/signaling/domain/room-state.ts';
import { eventually } from '../support/eventually.ts';
import { messageToAll, nodesOf, type SharedBackplane, type TestNode, withAnswersThatCount } from './nodes.ts';

/** What a node that hosts a room must know of it, so that a backplane which lost the room can get it back. */
export function replicaContract(name: string, share: () => Promise<SharedBackplane>): void {
  describe(`replicas on ${name}`, () => {
    const openNodes = nodesOf(share);

    async function openPair() {
      const [beijing, shanghai] = (await openNodes(2)) as [TestNode, TestNode];
      const ann = await beijing.join('blue', 'Ann');
      const bob = await shanghai.join('blue', 'Bob');
      await ann.next('joined');
      return { beijing, shanghai, ann, bob, room: ann.room };
    }

    async function stateOf(node: TestNode, room: RoomId) {
      const state = await node.rooms.state(room);
      if (!state.ok || state.value === undefined) throw new Error('no state');
      return withAnswersThatCount(state.value);
    }

    /** What the node would hand in of its one room. */
    function replicaOf(node: TestNode) {
      const [knowledge] = node.feeds.knowledge();
      const contribution: Contribution = JSON.parse(knowledge?.[1].contribution() ?? '');
      return withAnswersThatCount(parseState(contribution.state));
    }

    async function knowsAll(node: TestNode, room: RoomId): Promise<void> {
      const state = await stateOf(node, room);
      await eventually(() => expect(replicaOf(node)).toEqual(state), { what: 'a replica like the room' });
    }

    test('R2: who is in a room, under which name and generation, every hosting node knows', async () => {
      const { beijing, shanghai, ann, bob, room } = await openPair();
      await shanghai.rooms.update(bob, bob.request(), { name: 'Bobby', metadata: { n: 1 } });
      await beijing.rooms.relay(ann, ann.request(), messageToAll('hello'));
      const carol = await shanghai.join('blue', 'Carol');
      await carol.detach();
      const dan = await shanghai.join('blue', 'Dan');
      await shanghai.rooms.leave(dan, 'left', dan.request());
      for (const node of [beijing, shanghai]) await knowsAll(node, room);
    });

    test('R2: how far back a session may reach is part of what every hosting node knows', async () => {
      const { beijing, shanghai, bob, room } = await openPair();
      await shanghai.resume(bob, { epoch: 1 });
      for (const node of [beijing, shanghai]) await knowsAll(node, room);
    });

    test('R2: who counts the window of a session is part of what every hosting node knows', async () => {
      const { beijing, bob, room } = await openPair();
      await beijing.backplane.leases.hold('dead', [room]);
      await bob.detach('dead');
      const adopted: unknown[] = [];
      const adopter = {
        incarnation: 'survivor',
        prepare: async () => true,
        adopt: (_: unknown, sessions: readonly unknown[]) => void adopted.push(...sessions),
      };
      expect(await beijing.backplane.leases.sweep('dead', adopter)).toMatchObject({ ok: true });
      expect(adopted).toHaveLength(1);
      const state = await stateOf(beijing, room);
      expect(state.members.get(bob.peer)?.incarnation).toBe('survivor');
      await knowsAll(beijing, room);
    });

    test('Q3: a client that leaves ids out makes nobody remember more than 64 answers of its session', async () => {
      const { beijing, shanghai, bob, room } = await openPair();
      for (let n = 1; n <= 200; n++)
        await shanghai.rooms.relay(bob, { id: n * 1_000, previousId: 0 }, messageToAll(n));
      const state = await beijing.rooms.state(room);
      const answers = state.ok ? state.value?.members.get(bob.peer)?.requests.answers : undefined;
      expect(answers?.size).toBeLessThanOrEqual(64);
      for (const node of [beijing, shanghai]) await knowsAll(node, room);
    });
  });
}
