import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { MeshCall, type PeerId } from '../../../services/client/index.ts';
import { joined, passMs, peer, snapshot } from './fake-cluster.ts';
import { asConnection, FakeConnection } from './fake-connection.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Wei's call with Ana, and every RTCPeerConnection that was made for it. */
async function inCall() {
  const scene = await joined();
  const made: FakeConnection[] = [];
  const call = new MeshCall(scene.session, {
    createConnection: () => {
      const connection = new FakeConnection(`connection ${made.length + 1}`);
      made.push(connection);
      return asConnection(connection);
    },
  });
  await passMs(1);
  scene.connection.hear('signal', {
    seq: 8,
    from: 'ana' as PeerId,
    description: { type: 'answer', sdp: 'v=0' },
  });
  await passMs(1);
  const gone: PeerId[] = [];
  call.on('gone', ({ peer }) => gone.push(peer));
  return { ...scene, call, made, gone };
}

test('while the connection is lost the call goes on, and its signals wait for the resume', async () => {
  const { cluster, connection, call, made, gone } = await inCall();
  cluster.down.add('http://one');
  connection.lose();
  await passMs(5_000);
  call.restartIce();
  await passMs(5_000);
  expect([made[0]?.isClosed, made[0]?.signalingState, gone]).toEqual([false, 'have-local-offer', []]);

  cluster.down.clear();
  const next = await cluster.opened(2);
  next.resume();
  expect(next.sent('signal').at(-1)?.payload).toMatchObject({ to: 'ana', description: { type: 'offer' } });
  await passMs(1);
  expect([made.length, made[0]?.restarts, gone]).toEqual([1, 1, []]);
});

test('a peer that is detached, and back, keeps its connection', async () => {
  const { connection, made, gone } = await inCall();
  connection.hear('peer_updated', { seq: 9, peer: { ...peer('ana', 3), connected: false } });
  connection.hear('peer_updated', { seq: 10, peer: peer('ana', 3) });
  await passMs(1);
  expect([made.length, made[0]?.isClosed, gone]).toEqual([1, false, []]);
});

test('a resume that recovers everything restarts nothing', async () => {
  const { cluster, connection, made } = await inCall();
  connection.lose();
  (await cluster.opened(2)).resume(0);
  await passMs(1);
  expect(made.map(({ restarts }) => restarts)).toEqual([0]);
});

test('after one that does not, ICE is restarted with those who stayed, and the roster is followed', async () => {
  const { cluster, connection, made, gone, call } = await inCall();
  connection.hear('peer_joined', { seq: 9, peer: peer('max', 9) });
  await passMs(1);
  connection.lose();
  const next = await cluster.opened(2);
  next.resumeAnew('wei', 40, [peer('ana', 3), peer('lin', 30)]);
  await passMs(1);
  const [ana, max, lin] = made;
  expect([ana?.isClosed, ana?.restarts, max?.isClosed, lin?.isClosed]).toEqual([false, 1, true, false]);
  expect(gone).toEqual(['max']);
  expect(call.stateOf('lin' as PeerId)).toBeDefined();
});

test('a resync replaces the roster, and restarts ICE unless it is complete', async () => {
  const { connection, made, gone } = await inCall();
  connection.hear('resync', { complete: true, ...snapshot('wei', 2, [peer('ana', 1)], 2) });
  await passMs(1);
  expect([made.length, made[0]?.restarts]).toEqual([1, 0]);
  connection.hear('resync', { complete: false, ...snapshot('wei', 2, [peer('ana', 1)], 3) });
  await passMs(1);
  expect([made.length, made[0]?.restarts, gone]).toEqual([1, 1, []]);
});

test('a session joined anew knows nobody: everyone is called anew', async () => {
  const { cluster, connection, made, gone } = await inCall();
  connection.lose();
  const next = await cluster.opened(2);
  next.refuse('resume', 'session_expired');
  expect(gone).toEqual([]);
  next.admit('wei-2', 20, [peer('ana', 3)]);
  await passMs(1);
  expect([gone, made.map(({ isClosed }) => isClosed)]).toEqual([['ana'], [true, false]]);
});
