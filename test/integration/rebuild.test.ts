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

/** Resends what is `unavailable`, as clients do, and takes no other refusal. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads the wire as it is
async function takenOrUnavailable(ask: () => Promise<any>): Promise<any> {
  return eventually(async () => {
    const reply = await ask();
    if (!reply.ok) expect.soft(reply.error.code).toBe('unavailable');
    return reply.ok && reply;
  });
}

test('R2: a room that its own node has not opened yet is opened by whoever meets it, and is never taken for missing', async () => {
  const { hub, beijing, shanghai } = await openNodes({ id: 'a' }, { id: 'b' });
  const [ann, carol] = [await person(beijing), await person(shanghai)];
  const annJoin = await joinUntilTaken(ann, 'blue', 'Ann');
  await joinUntilTaken(carol, 'red', 'Carol');
  // Beijing hands its room in, and then hangs over what came of it.
  const { rebuilds } = beijing.backplane;
  const remains = rebuilds.remains.bind(rebuilds);
  const { promise: isFree, resolve: letGo } = Promise.withResolvers<void>();
  rebuilds.remains = async (...args) => {
    await isFree;
    return remains(...args);
  };
  hub.lose();
  expect(await carol.next('resync', 9_000)).toMatchObject({ complete: true });
  const zoe = await person(shanghai);
  const joined = await takenOrUnavailable(() => zoe.ask('join', { id: 1, room: 'blue', name: 'Zoe' }));
  expect(joined).toMatchObject({ peers: [{ name: 'Ann' }] });
  expect(joined.epoch).toBe(annJoin.epoch + 1);
  const again = await person(shanghai);
  const resumed = await takenOrUnavailable(() => again.resume(annJoin));
  expect(resumed).toMatchObject({ recovered: true });
  letGo();
  expect(await again.next('resync')).toMatchObject({ complete: true, epoch: annJoin.epoch + 1 });
  await eventually(async () => expect(await names(beijing)).toEqual(['Ann', 'Zoe']), { timeoutMs: 3_000 });
  expect(await names(shanghai)).toEqual(['Ann', 'Zoe']);
});

test('R3: who resumes while the room is being opened again is served, not dropped', async () => {
  const { hub, beijing, shanghai } = await openNodes({ id: 'a' }, { id: 'b' });
  const { ann, bob, bobJoin } = await pair(beijing, shanghai);
  bob.socket.io.engine.close();
  await ann.next('peer_updated');
  // Beijing's feed is the last to learn that the room goes on.
  const { rooms } = beijing.backplane;
  const readAfter = rooms.readAfter.bind(rooms);
  let isSlow = true;
  rooms.readAfter = async (...args) => {
    const page = await readAfter(...args);
    await eventually(() => !isSlow);
    return page;
  };
  hub.lose();
  const again = await person(beijing);
  const reply = await eventually(
    async () => {
      const outcome = await again.resume(bobJoin);
      return outcome.ok && outcome;
    },
    { timeoutMs: 9_000 },
  );
  isSlow = false;
  expect(reply).toMatchObject({ recovered: true });
  const resync = await again.next('resync');
  expect(resync).toMatchObject({ complete: true });
  expect(resync.epoch).toBeGreaterThan(bobJoin.epoch);
  expect(again.socket.connected).toBe(true);
});

test('R4: a leave that was acknowledged stays, though its ring and then everything was lost', async () => {
  let isDeaf = false;
  const rings = () => (isDeaf ? [] : [0]);
  const { hub, beijing, shanghai } = await openNodes({ id: 'a', rings }, { id: 'b', rings });
  const { ann, bob } = await pair(beijing, shanghai);
  isDeaf = true;
  expect(await bob.request('leave')).toMatchObject({ ok: true });
  hub.lose();
  isDeaf = false;
  await ann.next('resync', 9_000);
  await eventually(async () => expect(await names(beijing)).toEqual(['Ann']), {
    timeoutMs: WINDOW_MS + 6_000,
  });
});

test('R4: a new name that was acknowledged stays, though its ring and then everything was lost', async () => {
  let isDeaf = false;
  const rings = () => (isDeaf ? [] : [0]);
  const { hub, beijing, shanghai } = await openNodes({ id: 'a', rings }, { id: 'b', rings });
  const { ann, bob } = await pair(beijing, shanghai);
  isDeaf = true;
  expect(await bob.request('update', { name: 'Bobby' })).toMatchObject({ ok: true });
  hub.lose();
  isDeaf = false;
  expect((await ann.next('resync', 9_000)).peers).toMatchObject([{ name: 'Bobby' }]);
});

test('R5: a room that ended elsewhere is not brought back by a node that still hosted it', async () => {
  const { hub, beijing, shanghai } = await openNodes({ id: 'a' }, { id: 'b' });
  const ann = await person(beijing);
  const annJoin = await joinUntilTaken(ann, 'blue', 'Ann');
  ann.socket.io.engine.close();
  const again = await person(shanghai);
  expect(await again.resume(annJoin)).toMatchObject({ ok: true });
  expect(await again.request('leave')).toMatchObject({ ok: true });
  hub.lose();
  await eventually(async () => expect(await names(beijing)).toBeUndefined(), { timeoutMs: 9_000 });
});

test('R7: what a session sent before it left is restored, though nobody else heard it', async () => {
  let isDeaf = false;
  const rings = () => (isDeaf ? [] : [0]);
  const { hub, beijing, shanghai } = await openNodes({ id: 'a' }, { id: 'b', rings });
  const { ann, bob, annJoin, bobJoin } = await pair(beijing, shanghai);
  isDeaf = true;
  const sent = await ann.request('signal', { to: bobJoin.self.id, candidate: { candidate: 'last words' } });
  expect(sent).toMatchObject({ ok: true });
  expect(await ann.request('leave')).toMatchObject({ ok: true });
  hub.lose();
  isDeaf = false;
  expect.soft(await bob.next('resync', 9_000)).toMatchObject({ peers: [] });
  expect(bob.all('signal')).toMatchObject([{ from: annJoin.self.id }]);
});

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
