import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PeerId } from '@fenghuo/protocol';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import type { RoomRecord } from '../../services/signaling/domain/room-record.ts';
import { openWebhooks } from '../../services/signaling/webhooks/index.ts';
import { keyFrom } from '../../services/signaling/webhooks/signature.ts';
import { ADMIN_TOKEN, admin } from '../support/admin.ts';
import { type ClusterOptions, startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { joinUntilTaken, nodesOnMemory } from '../support/node-parts.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';
import {
  type Hook,
  startReceiver,
  WEBHOOK_SECRET,
  type WebhookReceiver,
} from '../support/webhook-receiver.ts';

const people: PlainClient[] = [];
let cluster: TestCluster | undefined;
afterEach(async () => {
  for (const each of people.splice(0)) each.close();
  await cluster?.stop();
  cluster = undefined;
});

async function receiver(secret?: string): Promise<WebhookReceiver> {
  const started = await startReceiver(secret);
  onTestFinished(() => started.close());
  return started;
}

async function nodesWith(
  { url }: WebhookReceiver,
  options: ClusterOptions = {},
): Promise<TestCluster['nodes']> {
  const settings = { ADMIN_TOKEN, WEBHOOK_URL: url, WEBHOOK_SECRET, ...options.settings };
  cluster = await startCluster({ ...options, settings });
  return cluster.nodes;
}

async function person(node: { readonly url: string }): Promise<PlainClient> {
  const client = await connect(node.url);
  people.push(client);
  return client;
}

/** Each node posts what it did, in order: all of them together have the order of their seqs. */
async function inOrder({ hooks }: WebhookReceiver, count: number): Promise<Hook[]> {
  await eventually(() => hooks.length === count, { what: `${count} webhooks` });
  return hooks.toSorted((a, b) => a.seq - b.seq);
}

const types = (hooks: readonly Hook[]) => hooks.map((hook) => hook.type);

describe.each([
  ['Redis', { backplane: 'redis' }],
  ['memory', { backplane: 'memory' }],
] as const)('the webhooks of a cluster on %s', (_, options) => {
  test('tell of a room from its start to its end, whoever of the nodes hosts it: each fact once, and in order', async () => {
    const backend = await receiver();
    const [beijing, shanghai] = await nodesWith(backend, options);
    const [ann, bob] = [await person(beijing), await person(shanghai)];
    const { self, epoch } = await ann.join('blue', { name: 'Ann', metadata: { seat: 7 } });
    const bobJoin = await bob.join('blue', { name: 'Bob' });
    await ann.request('message', { topic: 'chat', data: 'not for the backend' });
    await bob.request('leave');
    await ann.request('leave');
    const ended = await backend.next('room_ended');
    expect(await inOrder(backend, 6)).toMatchObject([
      { type: 'room_started', room: 'blue@main', epoch, seq: 1, data: {} },
      { type: 'peer_joined', epoch, seq: 1, data: { peer: self } },
      { type: 'peer_joined', epoch, seq: 2, data: { peer: bobJoin.self } },
      { type: 'peer_left', epoch, data: { peer: bobJoin.self.id, reason: 'left' } },
      { type: 'peer_left', epoch, data: { peer: self.id, reason: 'left' } },
      { type: 'room_ended', epoch, data: { reason: 'empty' } },
    ]);
    expect(new Set(backend.hooks.map((hook) => hook.id)).size).toBe(6);
    expect(Math.abs(Date.parse(ended.at) - Date.now())).toBeLessThan(10_000);
    expect(JSON.stringify(backend.hooks)).not.toContain('not for the backend');
    for (const node of [beijing, shanghai]) {
      const metrics = await (await fetch(`${node.opsUrl}/metrics`)).text();
      expect(metrics).toMatch(/signaling_webhooks_total\{outcome="delivered"\} [1-9]/);
      expect(metrics).toContain('signaling_webhooks_waiting 0');
    }
  });

  test('tell of a session whose window ran out, also by the last of its node in the room', async () => {
    const backend = await receiver();
    const [beijing, shanghai] = await nodesWith(backend, {
      ...options,
      settings: { RESUME_WINDOW_MS: '1500' },
    });
    const [ann, bob] = [await person(beijing), await person(shanghai)];
    await ann.join('blue');
    const { self } = await bob.join('blue');
    bob.socket.io.engine.close();
    expect(await backend.next('peer_left')).toMatchObject({ data: { peer: self.id, reason: 'expired' } });
    ann.socket.io.engine.close();
    await backend.next('room_ended');
    expect(types(await inOrder(backend, 6))).toEqual([
      'room_started',
      'peer_joined',
      'peer_joined',
      'peer_left',
      'peer_left',
      'room_ended',
    ]);
  });

  test('tell once of what an operator does through a node that does not host the room', async () => {
    const backend = await receiver();
    const [beijing, shanghai] = await nodesWith(backend, options);
    const [ann, bob] = [await person(beijing), await person(beijing)];
    await ann.join('blue');
    const { self } = await bob.join('blue');
    const moderate = (order: object) => admin(shanghai, '/rooms/blue/moderate', order);
    expect(await moderate({ action: 'mute', peer: self.id, kinds: ['audio'] })).toMatchObject({ ok: true });
    expect(await backend.next('peer_updated')).toMatchObject({
      data: { peer: { id: self.id, muted: ['audio'] } },
    });
    await moderate({ action: 'lock' });
    expect(await backend.next('room_updated')).toMatchObject({ data: { room: { locked: true } } });
    await moderate({ action: 'kick', peer: self.id });
    expect(await backend.next('peer_left')).toMatchObject({ data: { peer: self.id, reason: 'kicked' } });
    await moderate({ action: 'close' });
    expect(await backend.next('room_ended')).toMatchObject({ data: { reason: 'closed' } });
    expect(types(await inOrder(backend, 7))).toEqual([
      'room_started',
      'peer_joined',
      'peer_joined',
      'peer_updated',
      'room_updated',
      'peer_left',
      'room_ended',
    ]);
  });
});

describe('a doorbell that drops, doubles and delays', () => {
  // Rule H3: zero, one or two copies of a ring, late and out of order.
  const FAULTS = [[0], [2], [0, 3], [], [1, 1], [0], [5]] as const;
  let rung = 0;
  const rings = () => FAULTS[rung++ % FAULTS.length] ?? [0];
  const { openNodes, person } = nodesOnMemory({ WEBHOOK_SECRET, RESUME_WINDOW_MS: '2000' });

  test('makes no webhook of a room that lives be missing, nor come twice', async () => {
    const backend = await receiver();
    const settings = { WEBHOOK_URL: backend.url };
    const { beijing, shanghai } = await openNodes(
      { id: 'beijing-1', rings, settings },
      { id: 'shanghai-1', rings, settings },
    );
    const rooms = ['blue', 'red', 'green'];
    const stay: string[] = [];
    for (const room of rooms) stay.push((await joinUntilTaken(await person(beijing), room, 'stays')).self.id);
    const leave: string[] = [];
    for (let n = 0; n < 18; n++) {
      const client = await person(n % 2 === 0 ? beijing : shanghai);
      leave.push((await joinUntilTaken(client, rooms[n % 3] ?? 'blue', `${n}`)).self.id);
      // Some leave, some are gone and run out.
      if (n % 4 < 2) client.socket.io.engine.close();
      else void client.request('leave');
    }
    const of = (type: string) => backend.hooks.filter((hook) => hook.type === type);
    await eventually(() => of('peer_left').length >= leave.length, {
      timeoutMs: 20_000,
      what: 'that all of them left',
    });
    expect(
      of('peer_joined')
        .map(({ data }) => data.peer.id)
        .toSorted(),
    ).toEqual([...stay, ...leave].toSorted());
    expect(
      of('peer_left')
        .map(({ data }) => data.peer)
        .toSorted(),
    ).toEqual(leave.toSorted());
    expect(
      of('room_started')
        .map(({ room }) => room)
        .toSorted(),
    ).toEqual(['blue@main', 'green@main', 'red@main']);
    expect(of('room_ended')).toEqual([]);
    expect(new Set(backend.hooks.map(({ id }) => id)).size).toBe(backend.hooks.length);
  });
});

describe('a doorbell that is silent when a room ends', () => {
  const { openNodes, person } = nodesOnMemory({ WEBHOOK_SECRET });

  test('makes no webhook of that end be missing', async () => {
    const backend = await receiver();
    const settings = { WEBHOOK_URL: backend.url };
    const rings = (record: string) => (record.startsWith('L') ? [] : [0]);
    const { beijing } = await openNodes(
      { id: 'beijing-1', rings, settings },
      { id: 'shanghai-1', rings, settings },
    );
    const ann = await person(beijing);
    const { self } = await joinUntilTaken(ann, 'blue', 'Ann');
    await ann.request('leave');
    // As soon as heads are compared (rule D2), from the log of the room that has ended.
    const left = { type: 'peer_left', data: { peer: self.id, reason: 'left' } };
    await eventually(() => expect(backend.hooks).toMatchObject([{}, {}, left, { type: 'room_ended' }]), {
      timeoutMs: 10_000,
      what: 'the end of the room',
    });
  });
});

describe('a webhook', () => {
  const timing = { retryAfterMs: [50, 50, 50], answerWithinMs: 300, closeWithinMs: 1_000 };

  /** Webhooks with what became of them: their own, since an outcome may come when its test is over. */
  function hooksTo(url: string, secret = WEBHOOK_SECRET) {
    const done: string[] = [];
    const hooks = openWebhooks({
      url,
      key: keyFrom(secret) as Buffer,
      timing,
      onDone: (outcome, _, problem) => done.push(problem === undefined ? outcome : `${outcome}: ${problem}`),
    });
    onTestFinished(() => hooks.close());
    return { hooks, done };
  }

  /** That a peer joined room `name` at a seq. */
  function joined(name: string, seq: number): Parameters<ReturnType<typeof hooksTo>['hooks']['take']> {
    const record = { type: 'joined', epoch: 1, seq, from: 'ann' as PeerId, body: '{"peer":{}}', inner: '' };
    return [roomId(name, 'main'), record as RoomRecord, seq];
  }

  test('that fails at first is posted again under the same id, and those of its room wait for it', async () => {
    const backend = await receiver();
    const ids: unknown[] = [];
    const fail = (status: number) => (request: IncomingMessage, response: ServerResponse) => {
      ids.push(request.headers['webhook-id']);
      response.writeHead(status).end();
    };
    backend.answerNext(fail(500), fail(429));
    const { hooks } = hooksTo(backend.url);
    for (const seq of [2, 3, 4]) hooks.take(...joined('blue', seq));
    await eventually(() => backend.hooks.length === 3, { what: 'all three' });
    expect(backend.hooks.map((hook) => hook.seq)).toEqual([2, 3, 4]);
    expect(ids).toEqual([backend.hooks[0]?.id, backend.hooks[0]?.id]);
  });

  test('to a receiver that hangs is given up in time and posted again; other rooms do not wait for it', async () => {
    const backend = await receiver();
    backend.answerNext(() => {});
    const { hooks } = hooksTo(backend.url);
    hooks.take(...joined('blue', 2));
    hooks.take(...joined('red', 2));
    await eventually(() => backend.hooks.length === 2, { timeoutMs: 15_000, what: 'both' });
    expect(backend.hooks.map((hook) => hook.room)).toEqual(['red@main', 'blue@main']);
  });

  test('follows no redirect, and is given up after its tries', async () => {
    const elsewhere = await receiver();
    const backend = await receiver();
    backend.answerNext(
      ...[1, 2, 3, 4].map(() => (_: unknown, response: ServerResponse) => {
        response.writeHead(307, { location: elsewhere.url }).end();
      }),
    );
    const { hooks, done } = hooksTo(backend.url);
    hooks.take(...joined('blue', 2));
    hooks.take(...joined('blue', 3));
    await eventually(() => done.length === 2, { timeoutMs: 15_000, what: 'both outcomes' });
    expect(done).toEqual(['failed: status 307', 'delivered']);
    expect(backend.tries).toBe(5);
    expect(elsewhere.tries).toBe(0);
  });

  test('to nobody who listens fails without a word of the address', async () => {
    const { hooks, done } = hooksTo('http://user:secret@127.0.0.1:1/hook?token=secret');
    hooks.take(...joined('blue', 2));
    await eventually(() => done.length === 1, { what: 'the outcome' });
    expect(done[0]).toMatch(/^failed: /);
    expect(done[0]).not.toContain('secret');
  });

  test('is signed with the key that a whsec_ secret holds', async () => {
    const key = 'the key itself, thirty-two characters';
    const backend = await receiver(key);
    const { hooks } = hooksTo(backend.url, `whsec_${Buffer.from(key).toString('base64')}`);
    hooks.take(...joined('blue', 2));
    expect(await backend.next('peer_joined')).toMatchObject({ room: 'blue@main' });
  });

  test('that is still waiting when its node ends is dropped, and counted', async () => {
    const backend = await receiver();
    const { hooks, done } = hooksTo(backend.url);
    backend.answerNext(...Array.from({ length: 50 }, () => () => {}));
    hooks.take(...joined('blue', 2));
    hooks.take(...joined('blue', 3));
    await hooks.close();
    expect(done).toEqual(['dropped', 'dropped']);
    expect(hooks.waiting).toBe(0);
  });
});
