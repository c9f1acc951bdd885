import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { join, type Kind, MeshCall, type PeerId } from '../../../services/client/index.ts';
import { FakeCluster, joined, passMs, peer, snapshot } from './fake-cluster.ts';
import { asConnection, FakeConnection, fakeTrack } from './fake-connection.ts';

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

test('a connection that cannot be made is a fault of that link alone', async () => {
  const cluster = new FakeCluster();
  const session = join('http://one', { room: 'blue', connect: cluster.connect });
  const made: FakeConnection[] = [];
  let tries = 0;
  const call = new MeshCall(session, {
    createConnection: () => {
      if (++tries === 1) throw new DOMException('no such address', 'SyntaxError');
      made.push(new FakeConnection('wei'));
      return asConnection(made.at(-1) as FakeConnection);
    },
  });
  const faults: unknown[] = [];
  call.on('fault', (fault) => faults.push(fault));
  const connection = await cluster.opened(1);
  connection.admit('wei', 7, [peer('ana', 3), peer('max', 4)]);
  await passMs(1);
  expect(faults).toMatchObject([
    { peer: 'ana', step: 'connection', error: { name: 'SyntaxError' }, isHealing: false },
  ]);
  expect(made).toHaveLength(1);
  expect(call.stateOf('ana' as PeerId)?.phase).toBe('failed');
  await passMs(6_000);
  expect(call.stateOf('ana' as PeerId)?.phase).toBe('calling');
});

test('a track that one connection does not take is sent by the others, and by that one after all', async () => {
  const { connection, call, made } = await inCall();
  connection.hear('peer_joined', { seq: 9, peer: peer('max', 9) });
  await passMs(2_100);
  const faults: unknown[] = [];
  call.on('fault', (fault) => faults.push(fault));
  const [first] = made as [FakeConnection];
  first.addTransceiver = () => {
    throw new DOMException('no', 'InvalidAccessError');
  };
  const track = fakeTrack('video');
  call.addTrack(track, { id: 'wei' } as MediaStream);
  expect(faults).toMatchObject([{ peer: 'ana', step: 'offer', isHealing: true }]);
  expect(made[1]?.senders.map((sender) => sender.track)).toEqual([track]);
  await passMs(5_000);
  expect(made.at(-1)?.senders.map((sender) => sender.track)).toEqual([track]);
});

test('after 500 who came and left nothing is left of them', async () => {
  const { connection, call, made, gone } = await inCall();
  const timers = vi.getTimerCount();
  for (let turn = 0; turn < 500; turn++) {
    const seq = 10 + 2 * turn;
    connection.hear('peer_joined', { seq, peer: peer(`guest ${turn}`, seq) });
    await passMs(turn % 7);
    connection.hear('peer_left', { seq: seq + 1, peer: `guest ${turn}` as PeerId, reason: 'left' });
  }
  await passMs(10);
  expect([made.length, made.slice(1).every(({ isClosed }) => isClosed), gone.length]).toEqual([
    501,
    true,
    500,
  ]);
  expect(vi.getTimerCount()).toBe(timers);
  expect(call.stateOf('ana' as PeerId)?.phase).toBe('connected');
});

describe('what is off', () => {
  const stream = { id: 'wei' } as MediaStream;
  const off = (kind: string) => Object.assign(fakeTrack(kind), { enabled: false });

  test('stays off for tracks of its kind that are put in the place of others, or added', async () => {
    const { call } = await inCall();
    const [first, second, third, picture] = ['audio', 'audio', 'audio', 'video'].map(fakeTrack) as [
      MediaStreamTrack,
      MediaStreamTrack,
      MediaStreamTrack,
      MediaStreamTrack,
    ];
    call.addTrack(first, stream);
    call.setEnabled('audio', false);
    await call.replaceTrack(first, second);
    call.addTrack(third, stream);
    call.addTrack(picture, stream);
    expect([first, second, third, picture].map(({ enabled }) => enabled)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    call.setEnabled('audio', true);
    expect([second, third].map(({ enabled }) => enabled)).toEqual([true, true]);
  });

  test('before there is any track of its kind, too', async () => {
    const { call } = await inCall();
    call.setEnabled('audio', false);
    const track = fakeTrack('audio');
    call.addTrack(track, stream);
    expect(track.enabled).toBe(false);
  });

  test('by a track that its owner turned off is off in the next one, before that one is sent', async () => {
    const { call, made } = await inCall();
    const [track, next] = [off('audio'), fakeTrack('audio')];
    call.addTrack(track, stream);
    const replaced = call.replaceTrack(track, next);
    expect(next.enabled).toBe(false);
    await replaced;
    expect(made[0]?.senders.map((sender) => sender.track)).toContain(next);
  });
});

test.each([[[]], [['video']]] as [Kind[]][])(
  'a track that is replaced by one of another kind is sent no more, and the other one is unless muted: %j',
  async (muted) => {
    const { connection, call, made } = await inCall();
    const [sound, picture] = [fakeTrack('audio'), fakeTrack('video')];
    call.addTrack(sound, { id: 'wei' } as MediaStream);
    connection.hear('peer_updated', { seq: 9, peer: { ...peer('wei', 1), muted } });
    await call.replaceTrack(sound, picture);
    await passMs(1);
    expect(made[0]?.senders.map(({ track }) => track)).toEqual(muted.length === 0 ? [picture] : []);
  },
);

describe('mutes', () => {
  const speaks = (seq: number, id: string, muted: Kind[]) => ({ seq, peer: { ...peer(id, seq), muted } });

  /** Wei in a call with Ana, each sending sound and a picture. */
  async function talking() {
    const scene = await inCall();
    for (const kind of ['audio', 'video']) scene.call.addTrack(fakeTrack(kind), { id: 'wei' } as MediaStream);
    await passMs(1);
    const sdp = 'v=0\nm=audio sendrecv ana\nm=video sendrecv ana';
    scene.connection.hear('signal', { seq: 9, from: 'ana' as PeerId, description: { type: 'answer', sdp } });
    await passMs(1);
    const heard = () =>
      scene.call
        .streamsOf('ana' as PeerId)
        .flatMap((stream) => stream.getTracks().map(({ kind }) => kind))
        .sort();
    return { ...scene, heard, sending: () => scene.made.map(({ sending }) => [...sending].sort()) };
  }

  test("of one's own end the sending to everyone, and to whoever comes later, and so do unmutes begin it again", async () => {
    const { connection, sending, made } = await talking();
    connection.hear('peer_updated', speaks(10, 'wei', ['audio']));
    expect(sending()).toEqual([['video']]);
    connection.hear('peer_joined', { seq: 11, peer: peer('max', 11) });
    await passMs(2_001);
    expect(made[1]?.localDescription?.sdp.match(/^m=\w+ \w+/gm)).toEqual([
      'm=video sendrecv',
      'm=audio recvonly',
    ]);
    connection.hear('peer_updated', speaks(12, 'wei', []));
    await passMs(1);
    expect(sending()[0]).toEqual(['audio', 'video']);
  });

  test("of others' take that kind out of what they send here, whatever they do", async () => {
    const { connection, heard, call } = await talking();
    const media: number[] = [];
    call.on('media', ({ streams }) => media.push(streams.length));
    connection.hear('peer_updated', speaks(10, 'ana', ['audio', 'message']));
    expect(heard()).toEqual(['video']);
    connection.hear('peer_updated', speaks(11, 'ana', ['audio', 'video', 'message']));
    expect(heard()).toEqual([]);
    connection.hear('peer_updated', speaks(12, 'ana', []));
    expect(heard()).toEqual(['audio', 'video']);
    expect(media).toEqual([1, 0, 1]);
  });

  test.each(['resync', 'resume'] as const)('are taken from the snapshot of a %s', async (way) => {
    const { cluster, connection, heard, sending } = await talking();
    const ana = { ...peer('ana', 3), muted: ['video' as const] };
    const self = { ...peer('wei', 7), muted: ['audio' as const] };
    const picture = { ...snapshot('wei', 40, [ana]), self };
    if (way === 'resync') connection.hear('resync', { complete: true, ...picture });
    else {
      connection.lose();
      const next = await cluster.opened(2);
      const reply = { recovered: false, last_id: 1, ...picture } as const;
      next.last('resume').answer({ ok: true, reply });
    }
    expect([heard(), sending()]).toEqual([['audio'], [['video']]]);
  });

  test('that are there when one joins hold from the first offer on', async () => {
    const cluster = new FakeCluster();
    const session = join('http://one', { room: 'blue', connect: cluster.connect });
    const made: FakeConnection[] = [];
    const call = new MeshCall(session, {
      createConnection: () => {
        made.push(new FakeConnection('wei'));
        return asConnection(made.at(-1) as FakeConnection);
      },
    });
    for (const kind of ['audio', 'video']) call.addTrack(fakeTrack(kind), { id: 'wei' } as MediaStream);
    const connection = await cluster.opened(1);
    const self = {
      ...peer('wei', 7),
      role: 'listener' as const,
      muted: ['audio', 'video', 'message'] as Kind[],
    };
    const resume = { resume_token: 't', resume_window_ms: 30_000 };
    connection
      .last('join')
      .answer({ ok: true, reply: { ...snapshot('wei', 7, [peer('ana', 3)]), self, ...resume } });
    await passMs(1);
    expect(made[0]?.localDescription?.sdp.match(/^m=.*$/gm)).toEqual([
      'm=audio recvonly ',
      'm=video recvonly ',
    ]);
  });
});
