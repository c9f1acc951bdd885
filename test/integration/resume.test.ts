import type { JoinReply } from '@fenghuo/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';

const WINDOW_MS = 1_500;

describe.each([
  ['Redis', { backplane: 'redis' }],
  ['memory', { backplane: 'memory' }],
] as const)('sessions on %s', (_, options) => {
  let cluster: TestCluster;
  let people: PlainClient[] = [];
  let rooms = 0;

  beforeAll(async () => {
    cluster = await startCluster({ ...options, settings: { RESUME_WINDOW_MS: String(WINDOW_MS) } });
  });
  afterEach(() => {
    for (const each of people) each.close();
    people = [];
  });
  afterAll(() => cluster?.stop());

  async function person(node: 0 | 1): Promise<PlainClient> {
    const client = await connect(cluster.nodes[node].url);
    people.push(client);
    return client;
  }

  /** Ann on the first node and Bob on the second, in a room of their own. */
  async function pair() {
    const room = `room-${rooms++}`;
    const [ann, bob] = [await person(0), await person(1)];
    const annJoin = await ann.join(room, { name: 'Ann' });
    const bobJoin = await bob.join(room, { name: 'Bob' });
    await ann.next('peer_joined');
    return { room, ann, bob, annJoin, bobJoin, bobId: bobJoin.self.id, annId: annJoin.self.id };
  }

  function loseConnection(client: PlainClient): void {
    client.socket.io.engine.close();
  }

  async function signalsTo(sender: PlainClient, to: string, from: number, count: number) {
    const replies = [];
    for (let n = from; n < from + count; n++)
      replies.push(await sender.request('signal', { to, candidate: { candidate: `${n}` } }));
    return replies;
  }

  const candidates = (client: PlainClient) => client.all('signal').map((event) => event.candidate.candidate);

  test('a session goes on elsewhere: what was held is replayed in order, once, and then live', async () => {
    const { ann, bob, bobJoin, bobId } = await pair();
    await signalsTo(ann, bobId, 0, 2);
    await eventually(() => bob.all('signal').length === 2);
    const seq = bob.all('signal').at(-1).seq;
    loseConnection(bob);
    expect(await ann.next('peer_updated')).toMatchObject({ peer: { id: bobId, connected: false } });
    const held = await signalsTo(ann, bobId, 2, 3);
    expect(held.map((reply) => reply.ok && reply.delivery)).toEqual(['held', 'held', 'held']);

    const again = await person(0);
    const reply = await again.resume(bobJoin, { seq });
    expect(reply).toMatchObject({ ok: true, recovered: true, last_id: 1 });
    expect(await ann.next('peer_updated')).toMatchObject({
      peer: { id: bobId, connected: true, node: cluster.nodes[0].id },
    });
    await signalsTo(ann, bobId, 5, 1);
    await eventually(() => candidates(again).length === 4);
    expect(candidates(again)).toEqual(['2', '3', '4', '5']);
    expect(again.received.filter((event) => event.name !== 'welcome').length).toBe(reply.missed + 1);
    expect(await again.request('message', { topic: 'chat', data: 1 })).toMatchObject({ ok: true });
  });

  test('C4: a client that comes back before its node noticed takes its session away from there', async () => {
    const { ann, bob, bobJoin, bobId } = await pair();
    const again = await person(1);
    expect(await again.resume(bobJoin)).toMatchObject({ recovered: true, missed: 0 });
    expect(await bob.next('removed')).toEqual({ reason: 'replaced' });
    await eventually(() => bob.socket.disconnected);
    await signalsTo(ann, bobId, 0, 3);
    await eventually(() => candidates(again).length === 3);
    expect(candidates(bob)).toEqual([]);
    expect(ann.all('peer_updated')).toEqual([]);
    expect(ann.all('peer_left')).toEqual([]);
  });

  test('C4: the same across nodes, where the others see it move', async () => {
    const { ann, bob, bobJoin, bobId } = await pair();
    const again = await person(0);
    expect(await again.resume(bobJoin)).toMatchObject({ recovered: true });
    expect(await bob.next('removed')).toEqual({ reason: 'replaced' });
    expect(await ann.next('peer_updated')).toMatchObject({
      peer: { id: bobId, connected: true, node: cluster.nodes[0].id },
    });
  });

  test('Q3: ids go on where they were, and a repeat on the new connection gets its first answer', async () => {
    const { ann, annId, bob, bobJoin, bobId } = await pair();
    const [first] = await signalsTo(bob, annId, 0, 1);
    loseConnection(bob);
    const again = await person(0);
    expect(await again.resume(bobJoin)).toMatchObject({ last_id: 2 });
    const repeat = await again.ask('signal', { id: 2, to: annId, candidate: { candidate: '0' } });
    expect(repeat).toEqual(first);
    expect(await again.ask('signal', { id: 3, to: annId, candidate: null })).toMatchObject({ ok: true });
    await eventually(() => ann.all('signal').length === 2);
    expect(ann.all('signal').map((event) => event.from)).toEqual([bobId, bobId]);
  });

  test('a session whose client stays away expires after its window, and not before', async () => {
    const { ann, bob, bobJoin, bobId } = await pair();
    loseConnection(bob);
    await ann.next('peer_updated');
    const lostAtMs = performance.now();
    expect(await ann.next('peer_left', 10_000)).toMatchObject({ peer: bobId, reason: 'expired' });
    expect(performance.now() - lostAtMs).toBeGreaterThan(WINDOW_MS - 100);
    const late = await person(1);
    expect(await late.resume(bobJoin)).toMatchObject({ error: { code: 'session_expired' } });
  });

  test('a window begins anew with each loss', async () => {
    const { ann, bob, bobJoin, bobId } = await pair();
    loseConnection(bob);
    await ann.next('peer_updated');
    const again = await person(1);
    expect(await again.resume(bobJoin)).toMatchObject({ recovered: true });
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS + 2_500));
    expect(ann.all('peer_left')).toEqual([]);
    loseConnection(again);
    expect(await ann.next('peer_left', 10_000)).toMatchObject({ peer: bobId });
  });

  test('a seq of the future, or of another epoch, gets a snapshot', async () => {
    const { bob, bobJoin } = await pair();
    loseConnection(bob);
    for (const wrong of [{ seq: 1_000 }, { epoch: bobJoin.epoch - 1 }, { epoch: 0, seq: 0 }]) {
      const again = await person(0);
      const reply = await again.resume(bobJoin, wrong);
      expect(reply).toMatchObject({
        recovered: false,
        last_id: 1,
        self: { name: 'Bob', connected: true },
        peers: [{ name: 'Ann' }],
        epoch: bobJoin.epoch,
      });
      loseConnection(again);
    }
  });

  test('D6: a resume reaches back to its own join at most', async () => {
    const { ann, annId, room } = await pair();
    await ann.request('message', { topic: 'chat', data: 'before' });
    const carol = await person(1);
    const joined = await carol.join(room, { name: 'Carol' });
    loseConnection(carol);
    const again = await person(0);
    const reply = await again.resume(joined, { seq: 0 });
    expect(reply.recovered).toBe(true);
    await signalsTo(again, annId, 0, 1);
    await ann.next('signal');
    expect(again.all('message')).toEqual([]);
    expect(again.all('peer_joined')).toEqual([]);
  });

  test('C5: a resume that comes later than a newer one does not take the session away', async () => {
    const { bob, bobJoin } = await pair();
    loseConnection(bob);
    const [newer, older, same] = [await person(0), await person(1), await person(1)];
    expect(await newer.resume(bobJoin, { attempt: 2 })).toMatchObject({ recovered: true });
    expect(await older.resume(bobJoin, { attempt: 1 })).toMatchObject({
      error: { code: 'session_replaced' },
    });
    expect(await same.resume(bobJoin, { attempt: 2 })).toMatchObject({ error: { code: 'session_replaced' } });
    expect(await newer.request('message', { topic: 'chat', data: 1 })).toMatchObject({ ok: true });
  });

  test('two resumes at once from two nodes: one has the session, and the other learns it', async () => {
    for (let n = 0; n < 10; n++) {
      const { ann, bob, bobJoin, bobId } = await pair();
      loseConnection(bob);
      const both = [await person(0), await person(1)] as const;
      const replies = await Promise.all(
        both.map((each, index) => each.resume(bobJoin, { attempt: index + 1 })),
      );
      expect(replies.some((reply) => reply.ok)).toBe(true);
      const learnt = (index: 0 | 1) =>
        both[index].all('removed').length === 1 || replies[index].error?.code === 'session_replaced';
      await eventually(() => learnt(0) !== learnt(1), { what: 'one of them told' });
      await signalsTo(ann, bobId, 0, 1);
      await eventually(() => both.some((each) => each.all('signal').length === 1));
      expect(both.flatMap((each) => each.all('signal'))).toHaveLength(1);
    }
  });

  test('Q4: the join of a client that never got its answer is found by its key', async () => {
    const { room, ann } = await pair();
    const key = 'k'.repeat(32);
    const first = await person(1);
    const lost = await first.join(room, { name: 'Carol', key });
    const again = await person(0);
    const found = await again.join(room, { name: 'Carol', key });
    expect(found.self.id).toBe(lost.self.id);
    expect(found.resume_token).not.toBe(lost.resume_token);
    expect(await first.next('removed')).toEqual({ reason: 'replaced' });
    expect((await ann.next('peer_joined')).peer.id).toBe(lost.self.id);
    expect(ann.all('peer_joined')).toHaveLength(2);
    expect(await again.request('message', { topic: 'chat', data: 1 })).toMatchObject({ ok: true });
    const other = await person(0);
    expect((await other.join(room, { key: 'another key of this room' })).self.id).not.toBe(lost.self.id);
  });

  test('a resume in a room that closed meanwhile is session_expired', async () => {
    const only = await person(0);
    const joined = await only.join(`room-${rooms++}`);
    await only.request('leave');
    expect(await (await person(1)).resume(joined)).toMatchObject({ error: { code: 'session_expired' } });
  });

  test('a connection that holds a session takes no other', async () => {
    const { ann, bobJoin } = await pair();
    expect(await ann.resume(bobJoin)).toMatchObject({ error: { code: 'already_joined' } });
  });

  test('before its resume a connection is in no room', async () => {
    const { bob, bobJoin } = await pair();
    loseConnection(bob);
    const again = await person(0);
    expect(await again.ask('message', { id: 2, topic: 'chat', data: 1 })).toMatchObject({
      error: { code: 'not_joined' },
    });
    expect(await again.resume(bobJoin)).toMatchObject({ recovered: true });
  });

  describe('an attacker', () => {
    const forged: [string, (token: string) => string][] = [
      ['a secret of his own', (token) => token.replace(/\.[^.]+\./, `.${'A'.repeat(43)}.`)],
      ['a truncated one', (token) => token.slice(0, -2)],
      ['a token without a room', (token) => token.split('.').slice(0, 2).join('.')],
      ['another room', (token) => `${token.split('.').slice(0, 2).join('.')}.${btoa('red@main')}`],
      ['a home that is none', (token) => `${token.split('.').slice(0, 2).join('.')}.${btoa('red@mars')}`],
      [
        "a room's name that breaks keys",
        (token) => `${token.split('.').slice(0, 2).join('.')}.${btoa('a}b{c@main')}`,
      ],
      ['garbage', () => '%%%'],
    ];
    test.each(forged)('learns nothing from %s, and changes nothing', async (_, forge) => {
      const { bob, bobJoin, ann, bobId } = await pair();
      const attacker = await person(0);
      const reply = await attacker.resume({
        ...bobJoin,
        resume_token: forge(bobJoin.resume_token),
      } as JoinReply);
      expect(reply).toEqual({
        ok: false,
        error: { code: 'session_expired', message: expect.any(String) },
      });
      await signalsTo(ann, bobId, 0, 1);
      await bob.next('signal');
      expect(bob.all('removed')).toEqual([]);
    });

    test.each([
      { seq: -1 },
      { seq: 1.5 },
      { seq: '1' },
      { epoch: null },
      { attempt: 0 },
      { resume_token: '' },
    ])('and a client with %j hear that the request is wrong', async (wrong) => {
      const { bobJoin } = await pair();
      expect(await (await person(0)).resume(bobJoin, wrong)).toMatchObject({
        error: { code: 'invalid_request' },
      });
    });

    test('is slowed from try to try, while right tokens are not', async () => {
      const attacker = await person(0);
      const tries: number[] = [];
      for (let n = 0; n < 4; n++) {
        const startMs = performance.now();
        await attacker.ask('resume', { resume_token: 'ann.secret.cmVkQG1haW4', seq: 0, epoch: 0 });
        tries.push(performance.now() - startMs);
      }
      expect(tries.at(-1)).toBeGreaterThan(700);
      const { bob, bobJoin } = await pair();
      loseConnection(bob);
      const startMs = performance.now();
      expect(await (await person(0)).resume(bobJoin)).toMatchObject({ recovered: true });
      expect(performance.now() - startMs).toBeLessThan(tries.at(-1) ?? 0);
    });
  });
});
