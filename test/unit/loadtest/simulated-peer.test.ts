import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import type { SimulatedPeer } from '../../../services/loadtest/simulated-peer.ts';
import { eventually } from '../../support/eventually.ts';
import {
  type FakeConnection,
  FakeNodes,
  fakePeer,
  joinReply,
  notes,
  refusal,
  snapshot,
} from './fake-nodes.ts';

let nodes: FakeNodes;
let told: string[];
let peer: SimulatedPeer;
beforeEach(() => {
  nodes = new FakeNodes();
  const taken = notes();
  told = taken.told;
  peer = fakePeer(nodes, taken.observer);
  onTestFinished(() => peer.stop());
});

async function joined(seq = 10): Promise<FakeConnection> {
  void peer.start();
  await eventually(() => nodes.connections.length === 1 && nodes.newest.asked.length === 1);
  nodes.newest.last('join').answer(joinReply(seq));
  return nodes.newest;
}

/** The next connection, once it has asked for a resume. */
async function resuming(former: FakeConnection): Promise<FakeConnection> {
  await eventually(
    () => nodes.newest !== former && nodes.newest.asked.some(({ name }) => name === 'resume'),
    {
      what: 'a resume on another connection',
    },
  );
  return nodes.newest;
}

function send(n: number, outcomes: string[] = []): void {
  peer.request('signal', { to: 'bob', candidate: { candidate: String(n) } }, ({ kind }) =>
    outcomes.push(`${n} ${kind}`),
  );
}

const idsOf = (connection: FakeConnection) =>
  connection.asked.filter(({ name }) => name === 'signal').map(({ payload }) => payload.id);

describe('a lost connection', () => {
  test('is answered by a resume on another node, from the highest seq received in an event', async () => {
    const first = await joined(10);
    send(1);
    // The seq of a reply is no position (rule 1).
    first.last('signal').answer({ ok: true, seq: 99, delivery: 'sent' });
    first.send('signal', { seq: 12, from: 'bob', candidate: null });
    first.lose();
    const second = await resuming(first);
    expect(second.endpoint).toBe('http://b');
    expect(second.last('resume').payload).toEqual({ resume_token: 'token', seq: 12, epoch: 1, attempt: 1 });
  });

  test('what has no final answer goes out again with its id, in ascending order, before what is new', async () => {
    const first = await joined();
    const outcomes: string[] = [];
    send(1, outcomes);
    send(2, outcomes);
    first.lose();
    send(3, outcomes);
    const second = await resuming(first);
    expect(idsOf(second)).toEqual([]);
    second.last('resume').answer({ ok: true, recovered: true, missed: 0, last_id: 1 });
    expect(idsOf(second)).toEqual([2, 3, 4]);
    for (const asked of second.asked.slice(1)) asked.answer({ ok: true, seq: 20, delivery: 'sent' });
    expect(outcomes).toEqual(['1 ok', '2 ok', '3 ok']);
  });

  test('every try carries a higher attempt, wherever it is made', async () => {
    const first = await joined();
    first.lose();
    const second = await resuming(first);
    second.last('resume').answer(refusal('unavailable'));
    await eventually(() => second.asked.length === 2);
    expect(second.last('resume').payload.attempt).toBe(2);
    second.lose();
    const third = await resuming(second);
    expect(third.last('resume').payload.attempt).toBe(3);
  });

  test('events count against what the resume promised', async () => {
    const first = await joined(10);
    first.lose();
    const second = await resuming(first);
    second.last('resume').answer({ ok: true, recovered: true, missed: 2, last_id: 1 });
    second.send('signal', { seq: 11, from: 'bob', candidate: null });
    expect(peer.owed).toBe(1);
    second.send('signal', { seq: 14, from: 'bob', candidate: null });
    expect(peer.owed).toBe(0);
    expect(told.filter((line) => line.startsWith('signal'))).toEqual(['signal 11', 'signal 14']);
  });

  test('a session that is over is followed by a new join, with another key, on the same connection', async () => {
    const first = await joined();
    const outcomes: string[] = [];
    send(1, outcomes);
    first.lose();
    const second = await resuming(first);
    second.last('resume').answer(refusal('session_expired'));
    await eventually(() => second.asked.some(({ name }) => name === 'join'));
    expect(second.last('join').payload.key).not.toBe(first.last('join').payload.key);
    expect(outcomes).toEqual(['1 abandoned']);
    expect(told).toContain('ended: session_expired');
  });

  test('a node that cannot be reached is passed over', async () => {
    const first = await joined();
    nodes.dead.add('http://b');
    first.lose();
    const second = await resuming(first);
    expect(second.endpoint).toBe('http://a');
  });
});

describe('a lost join reply', () => {
  test('is asked for again under the same key', async () => {
    void peer.start();
    await eventually(() => nodes.connections.length === 1 && nodes.newest.asked.length === 1);
    const [first] = nodes.connections;
    first?.lose();
    await eventually(() => nodes.connections.length === 2 && nodes.newest.asked.length === 1);
    expect(nodes.newest.last('join').payload).toEqual(first?.last('join').payload);
  });
});

describe('make before break', () => {
  test('the old connection stays until the ok, and says nothing from the resume on', async () => {
    const first = await joined(10);
    first.send('go_away', { reason: 'drain', reconnect_after_ms: 1, deadline_ms: 1_000 });
    first.send('signal', { seq: 11, from: 'bob', candidate: null });
    const second = await resuming(first);
    expect(second.last('resume').payload.seq).toBe(11);
    first.send('signal', { seq: 12, from: 'bob', candidate: null });
    first.send('removed', { reason: 'replaced' });
    expect(first.isOpen).toBe(true);
    second.last('resume').answer({ ok: true, recovered: true, missed: 1, last_id: 1 });
    second.send('signal', { seq: 12, from: 'bob', candidate: null });
    await eventually(() => !first.isOpen);
    expect(told).toEqual(['joined ann', 'signal 11', 'resumed, missed 1', 'signal 12']);
  });

  test('the old connection is kept while the resume is unavailable', async () => {
    const first = await joined();
    first.send('go_away', { reason: 'drain', reconnect_after_ms: 1, deadline_ms: 1_000 });
    const second = await resuming(first);
    second.last('resume').answer(refusal('unavailable'));
    await eventually(() => second.asked.length === 2);
    expect(first.isOpen).toBe(true);
  });

  test('a request without an answer is taken for a dead connection, and another is opened', async () => {
    const first = await joined();
    send(1);
    const second = await resuming(first);
    expect(first.isOpen).toBe(true);
    expect(told).toContain('cut off http://a');
    second.last('resume').answer({ ok: true, recovered: true, missed: 0, last_id: 1 });
    expect(idsOf(second)).toEqual([2]);
  });
});

describe('an answer that is not final', () => {
  test('makes everything unanswered go out again in order, and new requests wait', async () => {
    const first = await joined();
    send(1);
    send(2);
    first.asked[1]?.answer(refusal('unavailable'));
    send(3);
    expect(idsOf(first)).toEqual([2, 3]);
    await eventually(() => idsOf(first).length === 5);
    expect(idsOf(first)).toEqual([2, 3, 2, 3, 4]);
  });

  test('at most 64 requests are unanswered', async () => {
    const first = await joined();
    for (let n = 1; n <= 70; n++) send(n);
    expect(idsOf(first)).toHaveLength(64);
    first.asked[1]?.answer({ ok: true, seq: 11, delivery: 'sent' });
    expect(idsOf(first)).toHaveLength(65);
  });
});

describe('snapshots', () => {
  test('recovered: false replaces roster, seq and epoch, and keeps the ids', async () => {
    const first = await joined(10);
    send(1);
    first.lose();
    const second = await resuming(first);
    second.last('resume').answer({ ok: true, recovered: false, last_id: 1, ...snapshot(3, ['carol'], 2) });
    expect(peer.session).toMatchObject({ seq: 3, epoch: 2 });
    expect([...(peer.session?.roster.keys() ?? [])]).toEqual(['carol']);
    expect(idsOf(second)).toEqual([2]);
    expect(told).toContain('recovered_false');
  });

  test('a complete resync is told as such', async () => {
    const first = await joined(10);
    first.send('resync', { complete: true, ...snapshot(50, ['bob'], 2) });
    first.send('peer_left', { seq: 51, peer: 'bob', reason: 'left' });
    expect(told).toEqual(['joined ann', 'resync complete', 'peer_left 51']);
    expect(peer.session?.roster.size).toBe(0);
  });
});

describe('what a node must not do', () => {
  test('deliver an event again: it is told before it is dropped', async () => {
    const first = await joined(10);
    first.send('peer_left', { seq: 11, peer: 'bob', reason: 'left' });
    first.send('peer_joined', { seq: 11, peer: { id: 'bob' } });
    expect(told).toEqual(['joined ann', 'peer_left 11', 'peer_joined 11 again']);
    expect(peer.session?.roster.size).toBe(0);
  });

  test('send an event before the reply to resume', async () => {
    const first = await joined();
    first.lose();
    const second = await resuming(first);
    second.send('signal', { seq: 11, from: 'bob', candidate: null });
    expect(told.at(-1)).toBe('odd: signal before the reply that it belongs behind');
  });

  test('replace a session that resumed nowhere else', async () => {
    const first = await joined();
    first.send('removed', { reason: 'replaced' });
    expect(told.slice(1)).toEqual(['odd: removed: replaced', 'ended: removed_replaced']);
  });
});
