import { setTimeout as sleep } from 'node:timers/promises';
import type { JoinReply } from '@fenghuo/protocol';
import { afterEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type ClusterOptions, startCluster, type TestCluster, type TestNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { startNodeProcesses } from '../support/node-processes.ts';
import { connect, type PlainClient, refusedHandshake } from '../support/plain-client.ts';

const TOKEN = 'a-token-of-operators-that-is-hard-to-guess';
const SERVICE_RESTART = 1012;
const people: PlainClient[] = [];
let cluster: TestCluster | undefined;
afterEach(async () => {
  for (const each of people.splice(0)) each.close();
  await cluster?.stop();
  cluster = undefined;
});

async function nodes(options: ClusterOptions = {}): Promise<TestCluster['nodes']> {
  cluster = await startCluster({ ...options, settings: { ADMIN_TOKEN: TOKEN, ...options.settings } });
  return cluster.nodes;
}

async function person(node: { readonly url: string }): Promise<PlainClient> {
  const client = await connect(node.url);
  people.push(client);
  return client;
}

interface Call {
  readonly method?: 'POST' | 'DELETE';
  readonly token?: string;
  readonly body?: string;
  readonly contentType?: string;
}

/** An operator's order, given at one node for the node of that id. */
async function order(at: TestNode, nodeId: string, call: Call = {}) {
  const { method = 'POST', token = TOKEN, body, contentType = 'application/json' } = call;
  const answer = await fetch(`${at.opsUrl}/admin/v1/nodes/${nodeId}/drain`, {
    method,
    headers: {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': contentType }),
    },
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.status, reply: await answer.json() };
}

async function readiness(node: TestNode) {
  const answer = await fetch(`${node.opsUrl}/readyz`);
  return { status: answer.status, ...((await answer.json()) as { checks: Record<string, { ok: boolean }> }) };
}

async function untilDraining(node: TestNode, isDraining = true): Promise<void> {
  await eventually(async () => (await readiness(node)).checks.not_draining?.ok === !isDraining, {
    what: `${node.id} ${isDraining ? 'drains' : 'drains no more'}`,
  });
}

/** The code with which the node closed the connection. */
function closeCode(client: PlainClient): Promise<number> {
  return new Promise((resolve) => {
    client.socket.once('disconnect', (_, details) =>
      resolve((details as { context?: { code?: number } } | undefined)?.context?.code ?? 0),
    );
  });
}

describe.each([
  ['Redis', { backplane: 'redis' }],
  ['memory', { backplane: 'memory' }],
] as const)('a drain by order, on %s', (_, options) => {
  test('C8: given at any node, it makes the one it names unready, refusing, and makes it say go_away; the others serve', async () => {
    const [beijing, shanghai] = await nodes(options);
    const [ann, idle] = [await person(beijing), await person(beijing)];
    const bob = await person(shanghai);
    await ann.join('blue');
    await bob.join('blue');
    const text = 'Wir ziehen um. 稍等。';
    const ordered = await order(shanghai, beijing.id, { body: JSON.stringify({ text }) });
    expect(ordered).toEqual({ status: 202, reply: { ok: true, node: beijing.id, drain: true, text } });

    const told = await ann.next('go_away');
    expect(told).toEqual({
      reason: 'drain',
      text,
      reconnect_after_ms: expect.any(Number),
      deadline_ms: expect.any(Number),
    });
    expect(told.deadline_ms).toBeGreaterThan(23_000);
    expect(told.reconnect_after_ms).toBeLessThanOrEqual(1_000);
    // Who has not joined yet has nothing to resume, but is to go all the same.
    await idle.next('go_away');
    expect((await readiness(beijing)).status).toBe(503);
    expect(await refusedHandshake(beijing.url)).toMatchObject({
      code: 'draining',
      retry_after_ms: expect.any(Number),
    });
    const metrics = await (await fetch(`${beijing.opsUrl}/metrics`)).text();
    expect(metrics).toContain('signaling_draining 1');
    expect(metrics).toContain('signaling_go_aways_total{reason="drain"} 2');

    expect((await readiness(shanghai)).status).toBe(200);
    expect(bob.all('go_away')).toEqual([]);
    expect(await ann.request('message', { topic: 'chat', data: 1 })).toMatchObject({ ok: true });
  });

  test('a client that resumes elsewhere first, and then lets go, loses nothing that is sent to it meanwhile', async () => {
    const [beijing, shanghai] = await nodes(options);
    const [ann, bob] = [await person(shanghai), await person(beijing)];
    await ann.join('blue');
    const bobJoin = await bob.join('blue');
    let sent = 0;
    let isMoving = true;
    const sending = (async () => {
      while (isMoving) {
        const data = sent++;
        expect(await ann.request('message', { to: bobJoin.self.id, topic: 'n', data })).toMatchObject({
          ok: true,
        });
        await sleep(5);
      }
    })();
    await order(shanghai, beijing.id);
    await bob.next('go_away');
    const closed = closeCode(bob);
    const again = await person(shanghai);
    // From here on the old connection's events are no longer taken.
    const seq = bob.received.findLast(({ payload }) => payload.seq !== undefined)?.payload.seq ?? bobJoin.seq;
    const taken = bob.all('message').length;
    expect(await again.resume({ ...bobJoin, seq } as JoinReply)).toMatchObject({ recovered: true });
    await bob.next('removed');
    await closed;
    await sleep(100);
    isMoving = false;
    await sending;
    await eventually(() => taken + again.all('message').length === sent, { what: 'every message' });
    const numbers = [...bob.all('message').slice(0, taken), ...again.all('message')].map((each) => each.data);
    expect(numbers).toEqual(Array.from({ length: sent }, (_, n) => n));
    expect(ann.all('peer_left')).toEqual([]);
  });

  test('undone, the node takes clients again, and closes none of those who stayed', async () => {
    const [beijing, shanghai] = await nodes({ ...options, settings: { DRAIN_MS: '2500' } });
    const ann = await person(beijing);
    await ann.join('blue');
    await order(beijing, beijing.id);
    await ann.next('go_away');
    expect(await order(shanghai, beijing.id, { method: 'DELETE' })).toEqual({
      status: 202,
      reply: { ok: true, node: beijing.id, drain: false },
    });
    await untilDraining(beijing, false);
    expect((await readiness(beijing)).status).toBe(200);
    await (await person(beijing)).join('blue');
    await sleep(2_500);
    expect(ann.socket.connected).toBe(true);
    // Ordered anew, it says so anew.
    await order(beijing, beijing.id);
    await ann.next('go_away');
  });

  test('whoever is still there when the time is over is closed with 1012, and can resume elsewhere', async () => {
    const [beijing, shanghai] = await nodes({ ...options, settings: { DRAIN_MS: '1500' } });
    const stubborn = await person(beijing);
    const joined = await stubborn.join('blue');
    const closed = closeCode(stubborn);
    await order(beijing, beijing.id);
    await stubborn.next('go_away');
    const toldAtMs = performance.now();
    expect(await closed).toBe(SERVICE_RESTART);
    expect(performance.now() - toldAtMs).toBeGreaterThan(1_000);
    expect(await (await person(shanghai)).resume(joined)).toMatchObject({ recovered: true });
  });
});

describe('where there is nobody to go to', () => {
  test('a node that drains alone closes its clients at once, and does not wait', async () => {
    const [only] = await nodes({ backplane: 'memory', nodes: 1 });
    const ann = await person(only);
    await ann.join('blue');
    const closed = closeCode(ann);
    const startedAtMs = performance.now();
    await only.drain();
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    expect(await closed).toBe(SERVICE_RESTART);
    expect(ann.all('go_away')).toMatchObject([{ deadline_ms: 0 }]);
  });

  test('nodes that drain at the same time do not send their clients to one another', async () => {
    const [beijing, shanghai] = await nodes();
    for (const node of [beijing, shanghai]) await (await person(node)).join('blue');
    const startedAtMs = performance.now();
    await Promise.all([beijing.drain(), shanghai.drain()]);
    expect(performance.now() - startedAtMs).toBeLessThan(4_000);
  });
});

test('a client that has fallen silent does not hold the end up', async () => {
  const [beijing] = await nodes({ settings: { DRAIN_MS: '500' } });
  const ann = await person(beijing);
  await ann.join('blue');
  const transport = ann.socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void } } };
  transport.ws._socket.pause();
  const startedAtMs = performance.now();
  await beijing.drain();
  expect(performance.now() - startedAtMs).toBeLessThan(3_000);
});

describe('a process that gets SIGTERM', () => {
  async function processes(settings: Record<string, string> = {}) {
    const started = await startNodeProcesses(inject('redisUrl'), settings);
    onTestFinished(() => started.stop());
    return started.nodes;
  }

  test('ends as soon as its clients have gone elsewhere, long before its time is over', async () => {
    const [beijing, shanghai] = await processes();
    const bob = await person(beijing);
    const joined = await bob.join(`sigterm-${process.pid}`);
    const startedAtMs = performance.now();
    const ended = beijing.drain();
    expect(await bob.next('go_away')).toMatchObject({ reason: 'drain' });
    expect(await (await person(shanghai)).resume(joined)).toMatchObject({ recovered: true });
    expect(await bob.next('removed')).toEqual({ reason: 'replaced' });
    await ended;
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  });

  test('a second time, closes the rest and ends at once', async () => {
    const [beijing] = await processes();
    const bob = await person(beijing);
    await bob.join(`sigterm-${process.pid}`);
    const closed = closeCode(bob);
    const ended = beijing.drain();
    await bob.next('go_away');
    const secondAtMs = performance.now();
    await Promise.all([beijing.drain(), ended]);
    expect(await closed).toBe(SERVICE_RESTART);
    expect(performance.now() - secondAtMs).toBeLessThan(4_000);
  });
});

describe('the admin routes', () => {
  test('are off without ADMIN_TOKEN, and say so', async () => {
    const [node] = await nodes({ backplane: 'memory', settings: { ADMIN_TOKEN: '' } });
    expect(await order(node, node.id)).toEqual({
      status: 403,
      reply: { ok: false, error: { code: 'forbidden', message: expect.stringContaining('ADMIN_TOKEN') } },
    });
  });

  test('let in only the bearer of the token, and change nothing for others', async () => {
    const [node] = await nodes({ backplane: 'memory' });
    for (const token of ['', 'wrong', TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase()]) {
      expect(await order(node, node.id, { token })).toMatchObject({
        status: 401,
        reply: { ok: false, error: { code: 'unauthorized' } },
      });
    }
    await sleep(1_200);
    expect((await readiness(node)).status).toBe(200);
  });

  test('know no node but those that live', async () => {
    const [node] = await nodes({ backplane: 'memory' });
    for (const id of ['beijing-7', 'beijing', '%20']) {
      expect(await order(node, id)).toMatchObject({
        status: 404,
        reply: { error: { code: 'node_not_found' } },
      });
    }
  });

  test.each([
    ['{"text": 7}', 'text'],
    ['{"text": ""}', 'text'],
    [JSON.stringify({ text: '烽'.repeat(501) }), '500'],
    ['{"txt": "typing error"}', 'txt'],
    ['[]', 'object'],
    ['{', 'JSON'],
    [JSON.stringify({ text: 'x'.repeat(2_000_000) }), 'large'],
  ])('refuse the body %.40s and name the fault', async (body, named) => {
    const [node] = await nodes({ backplane: 'memory' });
    const refused = await order(node, node.id, { body });
    expect(refused).toMatchObject({ status: 400, reply: { ok: false, error: { code: 'invalid_request' } } });
    expect(refused.reply.error.message).toContain(named);
  });

  test('take 500 characters, an empty body, and none; not a form', async () => {
    const [node] = await nodes({ backplane: 'memory' });
    for (const body of [JSON.stringify({ text: '烽'.repeat(500) }), '{}', '', undefined])
      expect(await order(node, node.id, body === undefined ? {} : { body })).toMatchObject({ status: 202 });
    const form = await order(node, node.id, {
      body: 'text=hi',
      contentType: 'application/x-www-form-urlencoded',
    });
    expect(form).toMatchObject({
      status: 400,
      reply: { error: { message: expect.stringContaining('Media Type') } },
    });
  });
});
