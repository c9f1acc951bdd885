import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { capabilities } from '../support/capabilities.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { connect, type PlainClient, SAMPLE_CANDIDATE, SAMPLE_SDP } from '../support/plain-client.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';

const BACKPLANES = ['Redis', 'memory', ...(capabilities.redisServer ? ['a Redis Cluster'] : [])];

describe.each(BACKPLANES)('two nodes on %s', (backplane) => {
  let cluster: TestCluster;
  let redisCluster: RedisCluster | undefined;
  let rooms = 0;
  const clients: PlainClient[] = [];
  beforeAll(async () => {
    if (backplane === 'a Redis Cluster') redisCluster = await startRedisCluster();
    cluster = await startCluster({
      backplane: backplane === 'memory' ? 'memory' : 'redis',
      ...(redisCluster === undefined ? {} : { redisUrl: redisCluster.url }),
      settings: { STUN_URLS: 'stun:stun.example.org' },
    });
  });
  afterAll(async () => {
    await cluster?.stop();
    await redisCluster?.stop();
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  async function person(node: 0 | 1): Promise<PlainClient> {
    const client = await connect(cluster.nodes[node].url);
    clients.push(client);
    return client;
  }

  /** Ann on Beijing's node and Bob on Shanghai's, in a room of their own. */
  async function pair() {
    const room = `room-${++rooms}`;
    const ann = await person(0);
    const bob = await person(1);
    const annJoined = await ann.join(room, { name: 'Ann', metadata: { tags: [] } });
    const bobJoined = await bob.join(room, { name: 'Bob' });
    await ann.next('peer_joined');
    return { room, ann, bob, annId: annJoined.self.id, bobId: bobJoined.self.id, annJoined, bobJoined };
  }

  test('a node says who it is before anything is asked', async () => {
    const client = await person(1);
    expect(await client.next('welcome')).toEqual({ node: 'shanghai-1', region: 'shanghai', protocol: 1 });
  });

  test('a join tells who was there, and tells the others who came', async () => {
    const ann = await person(0);
    const bob = await person(1);
    const first = await ann.join('烽火 台', { name: 'Ann', metadata: { tags: [] } });
    expect(first).toMatchObject({
      ok: true,
      self: {
        name: 'Ann',
        role: 'host',
        muted: [],
        connected: true,
        metadata: { tags: [] },
        node: 'beijing-1',
        region: 'beijing',
      },
      room: { name: '烽火 台', home: 'main', locked: false, peers_max: 100 },
      peers: [],
      seq: 1,
      resume_window_ms: 30_000,
      ice_servers: [{ urls: ['stun:stun.example.org'] }],
    });
    expect(first.resume_token.length).toBeGreaterThan(40);
    const second = await bob.join('烽火 台@main', { name: 'Bob' });
    expect(second).toMatchObject({
      self: { role: 'speaker', metadata: null },
      peers: [first.self],
      epoch: first.epoch,
      seq: 2,
    });
    expect(await ann.next('peer_joined')).toEqual({ seq: 2, peer: second.self });
    expect(second.self.joined_seq).toBeGreaterThan(first.self.joined_seq);
    expect(bob.all('peer_joined')).toEqual([]);
  });

  test('offer, answer and candidates cross the nodes as they were sent', async () => {
    const { ann, bob, annId, bobId } = await pair();
    const offer = { type: 'offer', sdp: SAMPLE_SDP };
    expect(await ann.request('signal', { to: bobId, description: offer })).toEqual({
      ok: true,
      seq: 3,
      delivery: 'sent',
    });
    expect(await bob.next('signal')).toEqual({ seq: 3, from: annId, description: offer });
    await bob.request('signal', { to: annId, description: { type: 'answer', sdp: SAMPLE_SDP } });
    expect(await ann.next('signal')).toMatchObject({ from: bobId, description: { type: 'answer' } });
    await ann.request('signal', { to: bobId, description: { ...offer, number: 7 } });
    expect(await bob.next('signal')).toMatchObject({ description: { ...offer, number: 7 } });
    const answer = { type: 'answer', sdp: SAMPLE_SDP, number: 7 };
    await bob.request('signal', { to: annId, description: answer });
    expect((await ann.next('signal')).description).toEqual(answer);
    await bob.request('signal', { to: annId, candidate: SAMPLE_CANDIDATE });
    expect(await ann.next('signal')).toMatchObject({ candidate: SAMPLE_CANDIDATE });
    await bob.request('signal', { to: annId, candidate: null });
    expect(await ann.next('signal')).toMatchObject({ candidate: null });
    await bob.request('signal', { to: annId, description: { type: 'rollback', sdp: '' } });
    expect((await ann.next('signal')).description).toEqual({ type: 'rollback' });
  });

  test('members that the protocol does not know are ignored and not passed on', async () => {
    const { ann, bob, bobId } = await pair();
    const description = { type: 'offer', sdp: 'v=0', extra: 1 };
    await ann.request('signal', { to: bobId, description, more: { than: 'that' } });
    expect(await bob.next('signal')).toMatchObject({ description: { type: 'offer', sdp: 'v=0' } });
  });

  test('a request without an acknowledgement is processed the same', async () => {
    const { ann, bob, bobId } = await pair();
    ann.socket.emit('signal', { id: 2, to: bobId, candidate: null });
    expect(await bob.next('signal')).toMatchObject({ candidate: null });
  });

  test('Q3: a repeated request changes nothing and gets its first answer', async () => {
    const { ann, bob, bobId } = await pair();
    const offer = { id: 2, to: bobId, description: { type: 'offer', sdp: 'v=0' } };
    const answers = await Promise.all([
      ann.ask('signal', offer),
      ann.ask('signal', offer),
      ann.ask('signal', offer),
    ]);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    await ann.ask('message', { id: 3, topic: 'end', data: null });
    await bob.next('message');
    expect(bob.all('signal')).toHaveLength(1);
  });

  test('a message reaches the others, with echo its sender too, and to one peer that peer alone', async () => {
    const { room, ann, bob, annId, bobId } = await pair();
    const carol = await person(1);
    await carol.join(room, { name: 'Carol' });
    expect(await ann.request('message', { topic: 'chat', data: { text: 'hi', list: [] } })).toEqual({
      ok: true,
      seq: 4,
    });
    for (const other of [bob, carol]) {
      expect(await other.next('message')).toEqual({
        seq: 4,
        from: annId,
        topic: 'chat',
        data: { text: 'hi', list: [] },
      });
    }
    await ann.request('message', { to: bobId, topic: 'chat', data: 'psst', echo: true });
    expect(await bob.next('message')).toEqual({
      seq: 5,
      from: annId,
      to: bobId,
      topic: 'chat',
      data: 'psst',
    });
    expect(await ann.next('message')).toMatchObject({ seq: 5, data: 'psst' });
    await ann.request('message', { topic: 'end', data: null });
    expect(await carol.next('message')).toMatchObject({ topic: 'end' });
    expect(carol.all('message')).toHaveLength(2);
  });

  test('an ephemeral message has no seq and reaches the others across nodes, or one of them', async () => {
    const { ann, bob, annId, bobId } = await pair();
    const typing = { topic: 'typing', data: true, ephemeral: true };
    // Its subscription is not confirmed: what is ephemeral may be lost, so it is sent until one arrives.
    const untilSeen = async (to?: string) => {
      const before = bob.all('message').length;
      while (bob.all('message').length === before) {
        expect(await ann.ask('message', { ...typing, ...(to === undefined ? {} : { to }) })).toEqual({
          ok: true,
        });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return bob.all('message').at(-1);
    };
    expect(await untilSeen()).toEqual({ from: annId, topic: 'typing', data: true });
    expect(await untilSeen(bobId)).toEqual({ from: annId, to: bobId, topic: 'typing', data: true });
    expect(ann.all('message')).toEqual([]);
  });

  test('an update is answered with the peer and told to all, its author included', async () => {
    const { ann, bob } = await pair();
    const reply = await ann.request('update', { name: 'Anna', metadata: { hand: true } });
    expect(reply).toMatchObject({ ok: true, peer: { name: 'Anna', metadata: { hand: true }, role: 'host' } });
    for (const each of [ann, bob])
      expect(await each.next('peer_updated')).toEqual({ seq: 3, peer: reply.ok && reply.peer });
    const cleared = await ann.request('update', { metadata: null });
    expect(cleared).toMatchObject({ peer: { name: 'Anna', metadata: null } });
  });

  test('who leaves is gone for the others, and may join again from id 1', async () => {
    const { room, ann, bob, bobId } = await pair();
    expect(await bob.request('leave')).toEqual({ ok: true });
    expect(await ann.next('peer_left')).toEqual({ seq: 3, peer: bobId, reason: 'left' });
    expect(await bob.ask('leave', { id: 2 })).toEqual({ ok: true });
    const again = await bob.join(room, { name: 'Bob' });
    expect(again.self.id).not.toBe(bobId);
    expect(again.peers).toHaveLength(1);
    expect(await ann.next('peer_joined')).toMatchObject({ peer: { id: again.self.id } });
  });

  test('a lost connection is told to the others; its peer stays', async () => {
    const { ann, bob, bobId } = await pair();
    bob.socket.io.engine.close();
    expect(await ann.next('peer_updated')).toMatchObject({ seq: 3, peer: { id: bobId, connected: false } });
  });

  test('Q4: a connection that closes before its join is answered leaves no ghost', async () => {
    const { room, ann } = await pair();
    for (let n = 0; n < 20; n++) {
      const hasty = await connect(cluster.nodes[1].url);
      hasty.socket.emit('join', { id: 1, room });
      await new Promise((resolve) => setImmediate(resolve));
      hasty.close();
    }
    const witness = await person(0);
    await witness.join(room);
    await expect.poll(() => ann.all('peer_joined').length - 2 - ann.all('peer_left').length).toBe(0);
  });

  test('rooms are apart: nothing of one is heard in another', async () => {
    const one = await pair();
    const other = await pair();
    expect(await one.ann.request('signal', { to: other.bobId, candidate: null })).toMatchObject({
      error: { code: 'peer_not_found' },
    });
    await one.ann.request('message', { topic: 'chat', data: 1 });
    await one.ann.ask('message', { to: other.bobId, topic: 'chat', data: 1, ephemeral: true });
    await other.ann.request('message', { topic: 'end', data: 2 });
    await other.bob.next('message');
    expect(other.bob.all('message')).toMatchObject([{ topic: 'end' }]);
  });
});

test('a room takes as many peers as ROOM_PEERS_MAX', async () => {
  const cluster = await startCluster({ backplane: 'memory', nodes: 1, settings: { ROOM_PEERS_MAX: '2' } });
  const people = await Promise.all([1, 2, 3].map(() => connect(cluster.nodes[0].url)));
  await people[0]?.join('small');
  await people[1]?.join('small');
  expect(await people[2]?.ask('join', { id: 1, room: 'small' })).toMatchObject({
    ok: false,
    error: { code: 'room_full' },
  });
  for (const each of people) each.close();
  await cluster.stop();
});
