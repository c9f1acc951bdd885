import { expect, test } from 'vitest';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { eventually } from '../support/eventually.ts';
import { joinUntilTaken, type NodeOnMemory, nodesOnMemory } from '../support/node-parts.ts';

const WINDOW_MS = 1_000;
const { openNodes, pair, person } = nodesOnMemory({ RESUME_WINDOW_MS: String(WINDOW_MS) });

async function names(node: NodeOnMemory, room = 'blue') {
  const snapshot = await node.backplane.rooms.snapshot(roomId(room, 'main'));
  if (!snapshot.ok) throw new Error(snapshot.code);
  return snapshot.value?.peers.map((peer) => (peer.connected ? peer.name : `${peer.name} (away)`));
}

/** Two nodes whose doorbells can be made deaf. */
async function openDeafNodes() {
  const deaf = { is: false };
  const rings = () => (deaf.is ? [] : [0]);
  return { deaf, ...(await openNodes({ id: 'a', rings }, { id: 'b', rings })) };
}

test('R4: a join that was acknowledged stays, though its ring and then everything was lost', async () => {
  const { deaf, hub, beijing, shanghai } = await openDeafNodes();
  const { ann } = await pair(beijing, shanghai);
  const carol = await person(beijing);
  deaf.is = true;
  await joinUntilTaken(carol, 'blue', 'Carol');
  hub.lose();
  deaf.is = false;
  expect((await ann.next('resync', 9_000)).peers).toMatchObject([{ name: 'Bob' }, { name: 'Carol' }]);
  expect(await names(beijing)).toEqual(['Ann', 'Bob', 'Carol']);
  expect(carol.socket.connected).toBe(true);
});

test('R4: a resume that was acknowledged stays, though its ring and then everything was lost', async () => {
  const { deaf, hub, beijing, shanghai } = await openDeafNodes();
  const { ann, bob, bobJoin } = await pair(beijing, shanghai);
  bob.socket.io.engine.close();
  await ann.next('peer_updated');
  deaf.is = true;
  const again = await person(beijing);
  expect(await again.resume(bobJoin)).toMatchObject({ ok: true });
  hub.lose();
  deaf.is = false;
  expect((await ann.next('resync', 9_000)).peers).toMatchObject([{ name: 'Bob', connected: true }]);
  expect(await again.next('resync')).toMatchObject({ complete: true });
});

test('R4: a connection whose session was restored without its resume is told, and does not wait for ever', async () => {
  const { deaf, hub, beijing, shanghai } = await openDeafNodes();
  const { ann, bob, bobJoin } = await pair(beijing, shanghai);
  bob.socket.io.engine.close();
  await ann.next('peer_updated');
  deaf.is = true;
  const again = await person(beijing);
  expect(await again.resume(bobJoin)).toMatchObject({ ok: true });
  hub.lose();
  deaf.is = false;
  await ann.next('resync', 9_000);
  // Served under the new epoch, or closed so that the client comes back.
  await eventually(() => again.all('resync').length > 0 || !again.socket.connected, {
    timeoutMs: WINDOW_MS + 6_000,
    what: 'a resync or a closed connection',
  });
});
