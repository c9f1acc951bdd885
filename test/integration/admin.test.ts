import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { ADMIN_TOKEN, type AdminCall, admin } from '../support/admin.ts';
import { capabilities } from '../support/capabilities.ts';
import { type ClusterOptions, startCluster, type TestCluster, type TestNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';
import { startLocalRedis } from '../support/redis.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';

const people: PlainClient[] = [];
let cluster: TestCluster | undefined;
afterEach(async () => {
  for (const each of people.splice(0)) each.close();
  await cluster?.stop();
  cluster = undefined;
});

async function nodes(options: ClusterOptions = {}): Promise<TestCluster['nodes']> {
  cluster = await startCluster({ ...options, settings: { ADMIN_TOKEN, ...options.settings } });
  return cluster.nodes;
}

async function person(node: { readonly url: string }): Promise<PlainClient> {
  const client = await connect(node.url);
  people.push(client);
  return client;
}

describe.each([
  ['Redis', { backplane: 'redis' }],
  ['memory', { backplane: 'memory' }],
] as const)('on %s', (_, options) => {
  test('any node tells of every node: where it stands, what runs there, and how it fares', async () => {
    const [beijing, shanghai] = await nodes({ ...options, settings: { CONNECTIONS_MAX: '77' } });
    await (await person(beijing)).join('blue');
    await person(shanghai);
    const listed = await eventually(async () => {
      const reply = await admin(shanghai, '/nodes');
      const counts = reply.nodes.map((each: { connections: number }) => each.connections);
      return counts.join() === '1,1' && reply;
    });
    expect(listed).toMatchObject({ status: 200, ok: true });
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
    expect(listed.nodes.toSorted(byId)).toEqual([
      {
        id: 'beijing-1',
        processes: 1,
        region: 'beijing',
        version: '0.1.0',
        connections: 1,
        connections_max: 77,
        peers: 1,
        rooms: 1,
        messages_per_second: expect.any(Number),
        event_loop_delay_ms: expect.any(Number),
        draining: false,
        admitting: true,
        uptime_s: expect.any(Number),
      },
      expect.objectContaining({ id: 'shanghai-1', region: 'shanghai', peers: 0, rooms: 0 }),
    ]);
  });

  test('a node that drains says so, and one that has stopped is listed no more', async () => {
    const [beijing, shanghai] = await nodes(options);
    const stateOf = async (id: string) =>
      (await admin(beijing, '/nodes')).nodes.find((each: { id: string }) => each.id === id);
    await admin(beijing, `/nodes/${shanghai.id}/drain`, {});
    await eventually(async () => {
      expect(await stateOf(shanghai.id)).toMatchObject({ draining: true, admitting: false });
    });
    await shanghai.stop();
    await eventually(async () => (await stateOf(shanghai.id)) === undefined, { what: 'it is gone' });
  });

  test('any node lists the rooms of all, the largest first, and a room that ended is listed no more', async () => {
    const [beijing, shanghai] = await nodes(options);
    for (const room of ['large', 'large', 'middle']) await (await person(beijing)).join(room);
    for (const room of ['large', 'middle']) await (await person(shanghai)).join(room);
    const alone = await person(shanghai);
    await alone.join('small');
    const sizes = [
      ['large', 3],
      ['middle', 2],
      ['small', 1],
    ];
    for (const node of [beijing, shanghai]) {
      await eventually(async () => {
        const { rooms, total, next_cursor } = await admin(node, '/rooms');
        expect(rooms.map((each: { name: string; peers: number }) => [each.name, each.peers])).toEqual(sizes);
        expect({ total, next_cursor }).toEqual({ total: 3 });
      });
    }
    expect((await admin(beijing, '/rooms?limit=1')).rooms).toEqual([
      {
        id: 'large@main',
        name: 'large',
        home: 'main',
        locked: false,
        peers_max: 100,
        peers: 3,
        connected: 3,
      },
    ]);
    await alone.request('leave');
    await eventually(async () => (await admin(beijing, '/rooms')).total === 2, { what: 'small is gone' });
  });

  test('a room whose last session ran out is listed no more', async () => {
    const [beijing, shanghai] = await nodes({ ...options, settings: { RESUME_WINDOW_MS: '1500' } });
    const ann = await person(beijing);
    await ann.join('blue');
    await eventually(async () => (await admin(shanghai, '/rooms')).total === 1, { what: 'it is listed' });
    ann.socket.io.engine.close();
    await eventually(async () => {
      expect((await admin(shanghai, '/rooms')).rooms).toMatchObject([{ peers: 1, connected: 0 }]);
    });
    await eventually(async () => (await admin(shanghai, '/rooms')).total === 0, {
      what: 'it is gone',
      timeoutMs: 10_000,
    });
  });

  test('a page is followed by the next, of rooms by name or by size, or of those whose name has a part', async () => {
    const [beijing, shanghai] = await nodes(options);
    for (const room of ['b', 'a1', 'a2', 'C']) await (await person(beijing)).join(room);
    await (await person(shanghai)).join('b');
    await eventually(async () => {
      const { rooms, total } = await admin(shanghai, '/rooms?limit=1');
      return total === 4 && rooms[0].peers === 2;
    });
    const readAll = async (query: string) => {
      const names: string[] = [];
      for (let cursor = ''; ; ) {
        const { rooms, next_cursor } = await admin(shanghai, `/rooms?${query}${cursor}`);
        names.push(...rooms.map((each: { name: string }) => each.name));
        if (next_cursor === undefined) return names;
        cursor = `&cursor=${encodeURIComponent(next_cursor)}`;
      }
    };
    expect(await readAll('limit=3')).toEqual(['b', 'C', 'a1', 'a2']);
    expect(await readAll('limit=2&sort=name')).toEqual(['C', 'a1', 'a2', 'b']);
    expect(await readAll('limit=1&sort=name&filter=A')).toEqual(['a1', 'a2']);
  });

  test('a room tells of its peers, wherever they are, under any name that rooms may have', async () => {
    const [beijing, shanghai] = await nodes(options);
    const name = '火锅 & 50%/你?#'.repeat(10).slice(0, 128);
    const { self, epoch } = await (await person(beijing)).join(name, { metadata: { seat: 1 } });
    const bob = await (await person(shanghai)).join(name);
    for (const address of [name, `${name}@main`]) {
      expect(await admin(shanghai, `/rooms/${encodeURIComponent(address)}`)).toEqual({
        status: 200,
        ok: true,
        room: {
          id: `${name}@main`,
          name,
          home: 'main',
          locked: false,
          peers_max: 100,
          peers: 2,
          connected: 2,
        },
        peers: [self, bob.self],
        seq: bob.seq,
        epoch,
      });
    }
  });

  test('kick, mute and close reach peers on any node, from any node', async () => {
    const all = await nodes({ ...options, nodes: 3 });
    for (const [at, from] of all.entries()) {
      const to = all[(at + 1) % all.length] as TestNode;
      const room = `room-${at}`;
      const [ann, bob, carol] = [await person(to), await person(to), await person(from)];
      await ann.join(room);
      const { self } = await bob.join(room);
      await carol.join(room);
      const moderate = (order: object) => admin(from, `/rooms/${room}/moderate`, order);
      const muted = await moderate({ action: 'mute', peer: self.id, kinds: ['audio'] });
      expect(muted).toEqual({ status: 200, ok: true, seq: expect.any(Number) });
      expect(await ann.next('peer_updated')).toMatchObject({ seq: muted.seq, peer: { muted: ['audio'] } });
      await moderate({ action: 'kick', peer: self.id });
      expect(await bob.next('removed')).toEqual({ reason: 'kicked' });
      expect(await carol.next('peer_left')).toMatchObject({ peer: self.id, reason: 'kicked' });
      await moderate({ action: 'close' });
      for (const each of [ann, carol]) expect(await each.next('removed')).toEqual({ reason: 'closed' });
      expect(await admin(to, `/rooms/${room}`)).toMatchObject({ status: 404 });
    }
  });

  test('every room that can be joined can be asked for, and acted on, by its name in the query', async () => {
    const [beijing, shanghai] = await nodes(options);
    const names = ['.', '..', '%2e', 'a/b?c#d&e=f', '👨‍👩‍👧', `${'🔥'.repeat(128)}`];
    for (const name of names) {
      const ann = await person(beijing);
      await ann.join(name);
      const query = new URLSearchParams({ room: name });
      expect(await admin(shanghai, `/room?${query}`)).toMatchObject({
        status: 200,
        room: { name, peers: 1 },
      });
      const message = { topic: 'bill', data: name };
      expect(await admin(shanghai, `/room/messages?${query}`, message)).toMatchObject({ ok: true });
      expect(await ann.next('message')).toMatchObject({ from: 'server', data: name });
      await admin(shanghai, `/room/moderate?${query}`, { action: 'close' });
      expect(await ann.next('removed')).toEqual({ reason: 'closed' });
    }
  });

  test('a message from the server comes to all of a room, or to one peer, in the order of its log', async () => {
    const [beijing, shanghai] = await nodes(options);
    const [ann, bob] = [await person(beijing), await person(shanghai)];
    await ann.join('blue');
    const { self } = await bob.join('blue');
    const data = { price: 12, 名: '火锅' };
    const first = await admin(shanghai, '/rooms/blue/messages', { topic: 'order.paid', data });
    const second = await admin(beijing, '/rooms/blue/messages', { to: self.id, topic: 'bill', data: null });
    expect([first, second]).toMatchObject([{ ok: true }, { ok: true, seq: first.seq + 1 }]);
    const message = { from: 'server', topic: 'order.paid', data, seq: first.seq };
    for (const each of [ann, bob]) expect(await each.next('message')).toEqual(message);
    expect(await bob.next('message')).toEqual({
      from: 'server',
      to: self.id,
      topic: 'bill',
      data: null,
      seq: second.seq,
    });
    expect(ann.all('message')).toHaveLength(1);
  });

  test('what operators did, and what became of nodes, can be read at any node, without what was said', async () => {
    const [beijing, shanghai] = await nodes(options);
    const ann = await person(beijing);
    const { self } = await ann.join('blue');
    const { last_id } = await admin(shanghai, '/events');
    await admin(beijing, '/rooms/blue/moderate', {
      action: 'kick',
      peer: self.id,
      reason: 'a secret reason',
    });
    await admin(beijing, '/rooms/red/moderate', { action: 'close' });
    await admin(beijing, '/rooms/blue/messages', { topic: 'chat', data: 'a secret message' });
    await admin(beijing, '/announcements', { level: 'info', text: 'a secret text' });
    await admin(beijing, `/nodes/${beijing.id}/drain`, { text: 'a secret text' });
    const written = await eventually(async () => {
      const { events } = await admin(shanghai, `/events?after=${last_id}`);
      return events.some((each: { event: string }) => each.event === 'drain_began') && events;
    });
    const who = {
      id: expect.any(String),
      at: expect.any(String),
      node: beijing.id,
      event: 'audit',
      address: '127.0.0.1',
      token: expect.stringMatching(/^[0-9a-f]{8}$/),
    };
    expect(written.slice(0, 5)).toEqual([
      { ...who, action: 'room_moderate', target: 'blue@main', order: 'kick', peer: self.id, outcome: 'ok' },
      { ...who, action: 'room_moderate', target: 'red@main', order: 'close', outcome: 'room_not_found' },
      {
        ...who,
        action: 'room_message',
        target: 'blue@main',
        topic: 'chat',
        bytes: expect.any(Number),
        outcome: 'room_not_found',
      },
      expect.objectContaining({
        ...who,
        action: 'announcement',
        level: 'info',
        text_chars: 13,
        outcome: 'ok',
      }),
      { ...who, action: 'node_drain', target: beijing.id, text_chars: 13, outcome: 'ok' },
    ]);
    expect(written.at(-1)).toMatchObject({ event: 'drain_began', node: beijing.id });
    expect(JSON.stringify(written)).not.toMatch(/secret|operators-that/);
    const everything = (await admin(shanghai, '/events?after=0-0')).events;
    for (const { id } of [beijing, shanghai])
      expect(everything).toContainEqual(expect.objectContaining({ event: 'node_started', node: id }));
  });
});

describe('the OpenAPI document', () => {
  interface Documented {
    readonly [member: string]: unknown;
  }

  /** Every route by its method and path, with the schema of each of its replies. */
  async function documented(node: TestNode) {
    const answer = await fetch(`${node.opsUrl}/admin/v1/openapi.json`);
    expect(answer.status).toBe(200);
    // biome-ignore lint/suspicious/noExplicitAny: a test reads the document as it is
    const document = (await answer.json()) as any;
    const resolved = (schema: unknown): unknown => {
      if (Array.isArray(schema)) return schema.map(resolved);
      if (typeof schema !== 'object' || schema === null) return schema;
      const { $ref } = schema as { $ref?: string };
      if ($ref !== undefined) return resolved(document.components.schemas[$ref.split('/').at(-1) ?? '']);
      return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, resolved(value)]));
    };
    const routes = new Map<string, Map<number, z.ZodType>>();
    for (const [path, methods] of Object.entries<Documented>(document.paths)) {
      // biome-ignore lint/suspicious/noExplicitAny: a test reads the document as it is
      for (const [method, { responses }] of Object.entries<any>(methods)) {
        const replies = Object.entries<Documented>(responses).map(([status, { content }]) => {
          // biome-ignore lint/suspicious/noExplicitAny: a test reads the document as it is
          const { schema } = (content as any)['application/json'];
          // biome-ignore lint/suspicious/noExplicitAny: a test reads the document as it is
          return [Number(status), z.fromJSONSchema(resolved(schema) as any)] as const;
        });
        routes.set(`${method.toUpperCase()} ${path.replace('/admin/v1', '')}`, new Map(replies));
      }
    }
    return routes;
  }

  const ROUTES = [
    'GET /nodes',
    'POST /nodes/{id}/drain',
    'DELETE /nodes/{id}/drain',
    'GET /rooms',
    'GET /rooms/{room}',
    'POST /rooms/{room}/moderate',
    'POST /rooms/{room}/messages',
    'GET /room',
    'POST /room/moderate',
    'POST /room/messages',
    'POST /announcements',
    'GET /events',
  ];

  test('has every route, and every reply is as it says, whatever comes of the request', async () => {
    const [node] = await nodes({ backplane: 'memory' });
    const ann = await person(node);
    const { self } = await ann.join('blue', { metadata: { deep: [{ er: null }] } });
    await eventually(async () => (await admin(node, '/rooms')).total === 1);
    const routes = await documented(node);
    expect([...routes.keys()].toSorted()).toEqual(ROUTES.toSorted());

    const say = { level: 'info', text: 'hello' };
    const calls: [route: string, status: number, path: string, body?: unknown, call?: AdminCall][] = [
      ['GET /nodes', 200, '/nodes'],
      ['POST /nodes/{id}/drain', 404, '/nodes/none/drain', {}],
      ['POST /nodes/{id}/drain', 400, `/nodes/${node.id}/drain`, { text: '' }],
      ['DELETE /nodes/{id}/drain', 202, `/nodes/${node.id}/drain`, undefined, { method: 'DELETE' }],
      ['GET /rooms', 200, '/rooms?sort=name&limit=1'],
      ['GET /rooms', 400, '/rooms?limit=0'],
      ['GET /rooms', 400, '/rooms?limit=201'],
      ['GET /rooms', 400, '/rooms?sort=age'],
      ['GET /rooms', 400, '/rooms?cursor=bm9uc2Vuc2U'],
      ['GET /rooms/{room}', 200, '/rooms/blue'],
      ['GET /rooms/{room}', 404, '/rooms/red'],
      ['GET /rooms/{room}', 400, '/rooms/a%7Bb'],
      ['GET /rooms/{room}', 400, `/rooms/${'x'.repeat(129)}`],
      ['GET /rooms/{room}', 400, '/rooms/blue@mars'],
      ['GET /room', 200, '/room?room=blue'],
      ['GET /room', 404, '/room?room=red'],
      ['GET /room', 400, '/room'],
      ['POST /room/moderate', 200, '/room/moderate?room=blue', { action: 'unlock' }],
      ['POST /room/messages', 404, '/room/messages?room=red', { topic: 'chat', data: 1 }],
      ['POST /rooms/{room}/moderate', 200, '/rooms/blue/moderate', { action: 'lock' }],
      ['POST /rooms/{room}/moderate', 404, '/rooms/red/moderate', { action: 'lock' }],
      ['POST /rooms/{room}/moderate', 404, '/rooms/blue/moderate', { action: 'kick', peer: 'nobody' }],
      ['POST /rooms/{room}/moderate', 400, '/rooms/blue/moderate', { action: 'promote', peer: self.id }],
      ['POST /rooms/{room}/moderate', 400, '/rooms/blue/moderate', {}],
      ['POST /rooms/{room}/messages', 200, '/rooms/blue/messages', { topic: 't', data: 0 }],
      ['POST /rooms/{room}/messages', 404, '/rooms/blue/messages', { to: 'nobody', topic: 't', data: 0 }],
      ['POST /rooms/{room}/messages', 404, '/rooms/red/messages', { topic: 't', data: 0 }],
      ['POST /rooms/{room}/messages', 400, '/rooms/blue/messages', { topic: 'a b', data: 0 }],
      ['POST /rooms/{room}/messages', 400, '/rooms/blue/messages', { topic: 't' }],
      ['POST /rooms/{room}/messages', 400, '/rooms/blue/messages', { topic: 't', data: 'x'.repeat(70_000) }],
      ['POST /announcements', 200, '/announcements', say],
      ['POST /announcements', 404, '/announcements', { ...say, to: { node: 'none' } }],
      ['POST /announcements', 400, '/announcements', { ...say, to: 'everyone' }],
      ['GET /events', 200, '/events'],
      ['GET /events', 400, '/events?after=yesterday'],
      ...ROUTES.map((route): (typeof calls)[number] => {
        const [method, path = ''] = route.split(' ');
        const at = path.replaceAll(/[{}]/g, '');
        return [route, 401, at, method === 'POST' ? {} : undefined, { method, token: 'wrong' } as AdminCall];
      }),
    ];
    for (const [route, status, path, body, call] of calls) {
      const { status: got, ...reply } = await admin(node, path, body, call);
      expect(`${route} ${got} ${JSON.stringify(reply)}`).toContain(`${route} ${status} `);
      const checked = routes.get(route)?.get(status)?.safeParse(reply);
      expect(checked?.error ?? checked?.success, `${route} ${JSON.stringify(reply)}`).toBe(true);
    }
  });

  test('needs no token, and is there where the routes are off', async () => {
    const [node] = await nodes({ backplane: 'memory', nodes: 1, settings: { ADMIN_TOKEN: '' } });
    expect((await documented(node)).size).toBe(ROUTES.length);
    expect(await admin(node, '/nodes')).toMatchObject({ status: 403, error: { code: 'forbidden' } });
  });
});

test('JSON that is nested too deep, or large, is refused like any other fault', async () => {
  const [node] = await nodes({ backplane: 'memory', nodes: 1 });
  await (await person(node)).join('blue');
  const post = async (body: string) => {
    const answer = await fetch(`${node.opsUrl}/admin/v1/rooms/blue/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body,
    });
    return { status: answer.status, reply: await answer.json() };
  };
  const deep = `{"topic":"t","data":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
  for (const body of [deep, `{"topic":"t","data":"${'x'.repeat(2_000_000)}"}`, '{', 'null', '7'])
    expect(await post(body)).toMatchObject({ status: 400, reply: { error: { code: 'invalid_request' } } });
});

describe.skipIf(!capabilities.redisServer)('on a Redis of its own', () => {
  async function ownRedis() {
    const redis = await startLocalRedis();
    onTestFinished(() => redis.stop());
    return redis;
  }

  test('while it does not answer, what needs it is unavailable, and nothing hangs', async () => {
    const redis = await ownRedis();
    const [node] = await nodes({ redisUrl: redis.url, nodes: 1 });
    redis.pause();
    const unavailable = { status: 503, error: { code: 'unavailable' } };
    const startedAtMs = performance.now();
    for (const path of ['/rooms', '/rooms/blue', '/events'])
      expect(await admin(node, path)).toMatchObject(unavailable);
    const order = { action: 'kick', peer: 'somebody' };
    expect(await admin(node, '/rooms/blue/moderate', order)).toMatchObject(unavailable);
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
    await eventually(async () => (await admin(node, '/nodes')).status === 503, { what: 'nodes are unknown' });
    redis.resume();
    await eventually(async () => (await admin(node, '/nodes')).status === 200, { timeoutMs: 15_000 });
  });

  test('once it has lost its data, the rooms that live are listed again, and the events go on', async () => {
    const redis = await ownRedis();
    const [beijing, shanghai] = await nodes({ redisUrl: redis.url });
    for (const room of ['blue', 'red']) await (await person(beijing)).join(room);
    await eventually(async () => (await admin(shanghai, '/rooms')).total === 2, { what: 'both are listed' });
    const { last_id } = await admin(shanghai, '/events');
    await redis.flush();
    await eventually(
      async () => {
        const { rooms } = await admin(shanghai, '/rooms?sort=name');
        expect(rooms?.map((each: { name: string }) => each.name)).toEqual(['blue', 'red']);
      },
      { timeoutMs: 20_000, what: 'both are listed again' },
    );
    const { events } = await admin(shanghai, `/events?after=${last_id}`);
    expect(events.map((each: { event: string }) => each.event)).toContain('home_sealed');
  });
});

describe.skipIf(!capabilities.redisServer)('on a Redis Cluster', () => {
  test('rooms on all its masters are listed, told and closed from any node', async () => {
    const masters = await startRedisCluster();
    onTestFinished(() => masters.stop());
    const [beijing, shanghai] = await nodes({ redisUrl: masters.url });
    const names = Array.from({ length: 9 }, (_, n) => `room-${n}`);
    const clients = new Map<string, PlainClient>();
    for (const name of names) {
      const client = await person(beijing);
      await client.join(name);
      clients.set(name, client);
    }
    await eventually(async () => {
      const { rooms } = await admin(shanghai, '/rooms?sort=name');
      expect(rooms.map((each: { name: string }) => each.name)).toEqual(names);
    });
    await eventually(async () => (await admin(shanghai, '/nodes')).nodes.length === 2);
    expect(await admin(shanghai, '/announcements', { level: 'info', text: 'hello' })).toMatchObject({
      connections: 9,
      silent: [],
    });
    for (const [name, client] of clients) {
      expect(await client.next('announcement')).toMatchObject({ text: 'hello' });
      await admin(shanghai, `/rooms/${name}/moderate`, { action: 'close' });
      expect(await client.next('removed')).toEqual({ reason: 'closed' });
    }
    await eventually(async () => (await admin(beijing, '/rooms')).total === 0, { what: 'none is listed' });
  });
});
