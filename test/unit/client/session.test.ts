import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type {
  Answer,
  Events,
  Peer,
  PeerId,
  ServerEvent,
  SignalingConnection,
} from '../../../services/client/index.ts';
import { join, SignalingError } from '../../../services/client/index.ts';

type Options = Parameters<NonNullable<Parameters<typeof join>[1]['connect']>>[1];

/** A cluster of one fake connection after the other; the test is the node. */
function fakeCluster() {
  const connections: FakeConnection[] = [];
  const refusals: SignalingError[] = [];
  async function connect(_: string, options: Options): Promise<SignalingConnection> {
    const refusal = refusals.shift();
    if (refusal !== undefined) throw refusal;
    const connection = new FakeConnection(options);
    connections.push(connection);
    return connection as unknown as SignalingConnection;
  }
  return { connect, connections, refusals };
}

class FakeConnection {
  readonly requests: { name: string; payload: Record<string, unknown>; answer: (answer: Answer) => void }[] =
    [];
  readonly options: Options;
  isClosed = false;

  constructor(options: Options) {
    this.options = options;
  }

  send(name: string, payload: Record<string, unknown>, answer: (answer: Answer) => void): void {
    this.requests.push({ name, payload, answer });
  }

  close(): void {
    this.isClosed = true;
  }

  /** Answers the join, with these others in the room. */
  admit(id: string, seq: number, others: Peer[] = []): void {
    const room = { name: 'blue', home: 'main', locked: false, peers_max: 100 };
    const resume = { resume_token: 't', resume_window_ms: 30_000 };
    const reply = { self: peer(id, seq), room, peers: others, seq, epoch: 1, ice_servers: [], ...resume };
    this.requests.find(({ name }) => name === 'join')?.answer({ ok: true, reply });
  }

  hear<Name extends ServerEvent['name']>(name: Name, data: Events[Name]): void {
    this.options.onEvent({ name, data } as ServerEvent);
  }
}

function peer(id: string, joinedSeq: number): Peer {
  const where = { node: 'beijing-1', region: 'beijing', joined_seq: joinedSeq };
  return {
    id: id as PeerId,
    name: id,
    role: 'speaker',
    muted: [],
    connected: true,
    metadata: null,
    ...where,
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function joined() {
  const cluster = fakeCluster();
  const session = join('http://node', {
    room: 'blue',
    name: 'Wei',
    connect: cluster.connect,
    random: () => 0.5,
  });
  await vi.advanceTimersByTimeAsync(0);
  const [connection] = cluster.connections;
  if (connection === undefined) throw new Error('no connection was opened');
  connection.admit('wei', 7, [peer('ana', 3)]);
  await session.joined;
  return { cluster, session, connection };
}

test('the join carries id 1 and a key of 128 bits, another one each time', async () => {
  const [one, two] = [await joined(), await joined()];
  const payloads = [one, two].map(({ connection }) => connection.requests[0]?.payload);
  expect(payloads[0]).toMatchObject({
    id: 1,
    room: 'blue',
    name: 'Wei',
    key: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(payloads[0]?.key).not.toBe(payloads[1]?.key);
});

test('an event at or below the newest seq is dropped: each is heard once', async () => {
  const { session, connection } = await joined();
  const heard: unknown[] = [];
  session.on('message', ({ data }) => heard.push(data));
  const from = 'ana' as PeerId;
  connection.hear('message', { seq: 7, from, topic: 'x', data: 'before the join' });
  connection.hear('message', { seq: 9, from, topic: 'x', data: 'first' });
  connection.hear('message', { seq: 9, from, topic: 'x', data: 'again' });
  connection.hear('message', { from, topic: 'x', data: 'ephemeral' });
  connection.hear('message', { seq: 12, from, topic: 'x', data: 'after a gap' });
  expect(heard).toEqual(['first', 'ephemeral', 'after a gap']);
  expect(session.seq).toBe(12);
});

test('the roster follows who comes, changes and goes', async () => {
  const { session, connection } = await joined();
  connection.hear('peer_joined', { seq: 8, peer: peer('max', 8) });
  connection.hear('peer_updated', { seq: 9, peer: { ...peer('ana', 3), name: 'Anna' } });
  connection.hear('peer_updated', { seq: 10, peer: { ...peer('wei', 7), name: 'Wei Li' } });
  expect([...session.peers.values()].map(({ name }) => name)).toEqual(['Anna', 'max']);
  expect(session.self?.name).toBe('Wei Li');
  connection.hear('peer_left', { seq: 11, peer: 'ana' as PeerId, reason: 'left' });
  expect([...session.peers.keys()]).toEqual(['max']);
});

test('a resync replaces roster, seq and epoch, even by a lower seq', async () => {
  const { session, connection } = await joined();
  const room = { name: 'blue', home: 'main', locked: false, peers_max: 100 };
  const snapshot = { self: peer('wei', 2), room, peers: [peer('max', 1)], seq: 4, epoch: 2, ice_servers: [] };
  connection.hear('resync', { complete: true, ...snapshot });
  expect([...session.peers.keys(), session.seq, session.epoch]).toEqual(['max', 4, 2]);
});

test('a lost connection ends the requests under way, and the room is joined anew as another peer', async () => {
  const { cluster, session, connection } = await joined();
  const phases: string[] = [];
  session.on('state', ({ phase }) => phases.push(phase));
  const rejoins: boolean[] = [];
  session.on('joined', ({ isRejoin }) => rejoins.push(isRejoin));
  void session.update({ metadata: { camera: false } }).catch(() => {});
  const lost = session.message('x', 1);
  connection.options.onLost('transport close');
  await expect(lost).rejects.toMatchObject({ code: 'unavailable' });
  await expect(session.message('x', 2)).rejects.toMatchObject({ code: 'not_joined' });

  await vi.advanceTimersByTimeAsync(10_000);
  const again = cluster.connections[1];
  expect(again?.requests[0]?.payload).toMatchObject({ id: 1, metadata: { camera: false } });
  again?.admit('wei-2', 20);
  expect([session.self?.id, session.seq, session.peers.size]).toEqual(['wei-2', 20, 0]);
  expect(rejoins).toEqual([true]);
  expect(phases).toEqual(['reconnecting', 'connected']);
});

test('a node that refuses for now is asked again after the time it named, and one that refuses for good is not', async () => {
  const cluster = fakeCluster();
  cluster.refusals.push(new SignalingError('node_full', undefined, 2_000));
  const session = join('http://node', { room: 'blue', connect: cluster.connect, random: () => 0 });
  await vi.advanceTimersByTimeAsync(1_999);
  expect([session.state.phase, cluster.connections.length]).toEqual(['connecting', 0]);
  await vi.advanceTimersByTimeAsync(1);
  expect(cluster.connections).toHaveLength(1);

  const strict = fakeCluster();
  strict.refusals.push(new SignalingError('origin_forbidden'));
  const refused = join('http://node', { room: 'blue', connect: strict.connect });
  await expect(refused.joined).rejects.toMatchObject({ code: 'origin_forbidden' });
  expect(refused.state).toMatchObject({ phase: 'closed', reason: 'origin_forbidden' });
});

test('a join that is refused for good closes the session and its connection', async () => {
  const cluster = fakeCluster();
  const session = join('http://node', { room: 'blue', connect: cluster.connect });
  await vi.advanceTimersByTimeAsync(0);
  cluster.connections[0]?.requests[0]?.answer({ ok: false, error: new SignalingError('room_full') });
  await expect(session.joined).rejects.toMatchObject({ code: 'room_full' });
  expect(cluster.connections[0]?.isClosed).toBe(true);
});

test('leaving tells the node, and nothing is tried again afterwards', async () => {
  const { cluster, session, connection } = await joined();
  const left = session.leave();
  expect(connection.requests.at(-1)).toMatchObject({ name: 'leave', payload: { id: 2 } });
  connection.requests.at(-1)?.answer({ ok: true, reply: {} });
  await left;
  expect([session.state.phase, connection.isClosed]).toEqual(['closed', true]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(cluster.connections).toHaveLength(1);
});
