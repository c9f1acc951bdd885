import { ERRORS } from '@fenghuo/protocol';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisKeys } from '../../services/signaling/backplane/redis/keys.ts';
import type { RoomId } from '../../services/signaling/domain/room-id.ts';
import { everyoneIn } from '../../services/signaling/sockets/socket-connection.ts';
import {
  ADAPTER_MESSAGES,
  filled,
  HOME_SPOILINGS,
  type Places,
  RINGS,
  ROOM_SPOILINGS,
  type Spoiling,
  type Text,
} from '../corpus/redis.ts';
import { ADMIN_TOKEN, admin } from '../support/admin.ts';
import { capabilities } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { seriesIn } from '../support/exposition.ts';
import { type ProcessCluster, type ProcessNode, startNodeProcesses } from '../support/node-processes.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';
import { type LocalRedis, startLocalRedis } from '../support/redis.ts';

const keys = redisKeys('fenghuo');

/** In their order: each goes on with the nodes that lived through those before. */
describe.skipIf(!capabilities.redisServer)(
  'whatever somebody writes into Redis',
  { timeout: 120_000 },
  () => {
    let redis: LocalRedis;
    let writer: Redis;
    let cluster: ProcessCluster;
    let ann: PlainClient;
    let bob: PlainClient;
    const ends: string[] = [];

    beforeAll(async () => {
      redis = await startLocalRedis();
      writer = new Redis(redis.url);
      cluster = await startNodeProcesses(redis.url, { ADMIN_TOKEN });
      for (const node of cluster.nodes) void node.ended.then((how) => ends.push(`${node.id}: ${how}`));
      [ann, bob] = [await connect(cluster.nodes[0].url), await connect(cluster.nodes[1].url)];
      await ann.join('calm', { name: 'Ann' });
      await bob.join('calm', { name: 'Bob' });
    });

    afterAll(async () => {
      for (const each of [ann, bob]) each?.close();
      await cluster?.stop();
      writer?.disconnect();
      await redis?.stop();
    });

    /** Ann's words reach Bob and his reach her, in the room of which nothing was spoilt. */
    async function callGoesOn(what: string): Promise<void> {
      for (const [from, to] of [
        [ann, bob],
        [bob, ann],
      ] as const) {
        await said(from, `${what}, said`);
        await eventually(() => to.all('message').some(({ data }) => data === `${what}, said`), {
          timeoutMs: 10_000,
          what: `the message after ${what}`,
        });
      }
      expect(ends).toEqual([]);
    }

    async function becomesReady(what: string): Promise<void> {
      for (const node of cluster.nodes)
        await eventually(async () => expect(await failing(node)).toEqual([]), {
          timeoutMs: 20_000,
          what: `${node.id}, ready after ${what}`,
        });
    }

    test('on the channels of the adapter and of nodes ends no node, and reaches no client', async () => {
      const room = await spoilable('heard');
      const channels = (await writer.call('PUBSUB', 'SHARDCHANNELS', 'fenghuo:*')) as string[];
      const answers = channels.filter((channel) => /:io#\/#[0-9a-f]{16}#$/.test(channel));
      const nodes = channels.filter((channel) => channel.startsWith('fenghuo:node:'));
      expect([answers.length, nodes.length]).toEqual([2, 2]);
      const publish = (channel: string, message: Text) =>
        writer.spublish(channel, filled(message, room.places));
      for (const message of ADAPTER_MESSAGES)
        for (const channel of [room.places.all, room.places.roomChannel, ...answers])
          await publish(channel, message);
      for (const ring of RINGS) for (const channel of nodes) await publish(channel, ring);
      await callGoesOn('garbage on channels');
      await becomesReady('garbage on channels');
      const counted = await total(cluster.nodes[0], 'signaling_backplane_malformed_total');
      expect(counted).toBeGreaterThan(ADAPTER_MESSAGES.length);
      for (const each of room.members) {
        // A message of the right shape, from whomever: all else was dropped.
        expect(each.received.filter(({ name }) => !KNOWN_EVENTS.has(name))).toEqual([]);
        each.close();
      }
    });

    test.each(HOME_SPOILINGS)(
      '$what: every call goes on, and the nodes are ready',
      async ({ what, commands }) => {
        const places = placesOf('calm', '-', await incarnationOf('beijing-1'));
        await spoil(commands, places);
        await metByBeats(2);
        await callGoesOn(what);
        await becomesReady(what);
        await operatorsSee(what);
        const newcomer = await connect(cluster.nodes[0].url);
        await eventually(() => newcomer.join(`new-${places.incarnation}`), {
          timeoutMs: 10_000,
          what: 'a new room',
        });
        newcomer.close();
      },
    );

    test('into the keys of rooms costs those rooms alone', async () => {
      const rooms = await Promise.all(
        ROOM_SPOILINGS.map(async ({ commands }, n) => ({ commands, ...(await spoilable(`spoilt-${n}`)) })),
      );
      for (const { commands, places } of rooms) await spoil(commands, places);
      const asked = rooms.flatMap(({ members: [eve, dan], places }) => [
        eve.ask('message', { id: 2, topic: 't', data: 1 }),
        dan.ask('message', { id: 3, topic: 't', data: 2 }),
        eve.ask('update', { id: 3, name: 'Eva' }),
        dan.ask('update', { id: 4, metadata: { x: 1 } }),
        eve.ask('moderate', { id: 4, action: 'mute', peer: '*', kinds: ['audio'] }),
        dan.ask('signal', { id: 5, to: places.peer, candidate: null }),
      ]);
      const replies = await Promise.allSettled(asked);
      // Who lost the thread is told so by a connection that ends; all others have an answer.
      const told = replies.flatMap((each) =>
        each.status === 'fulfilled' && !each.value.ok ? each.value.error.code : [],
      );
      for (const code of told) expect(Object.keys(ERRORS)).toContain(code);
      // And every node has compared what it delivered with what is there (rule D2).
      await metByBeats(6);
      await callGoesOn('garbage in rooms');
      await Promise.allSettled(
        rooms.flatMap(({ members }) => members.map((each) => each.ask('leave', { id: 9 }))),
      );
      for (const { members } of rooms) for (const each of members) each.close();
      await callGoesOn('leaving those rooms');
      await becomesReady('garbage in rooms');
    });

    test('makes nothing throw that a node does by itself', async () => {
      for (const node of cluster.nodes) expect(await total(node, 'signaling_tasks_failed_total')).toBe(0);
    });

    test('keeps no node from ending in order', async () => {
      const [beijing, shanghai] = cluster.nodes;
      const places = placesOf('calm', '-', await incarnationOf('beijing-1'));
      await writer.hset(places.orders, places.incarnation, '{');
      await writer.hset(places.leases, 'somebody', 'x');
      for (const each of [ann, bob]) each.close();
      expect(await Promise.all([beijing.drain(), shanghai.drain()])).toEqual(['exit code 0', 'exit code 0']);
    });

    async function operatorsSee(what: string): Promise<void> {
      const [node] = cluster.nodes;
      for (const path of ['/nodes', '/events', '/rooms?sort=size', '/rooms?sort=name'])
        await eventually(async () => expect(await admin(node, path)).toMatchObject({ status: 200 }), {
          what: `${path} after ${what}`,
        });
      const both = expect.arrayContaining(['beijing-1', 'shanghai-1']);
      await eventually(
        async () => {
          const { nodes } = await admin(node, '/nodes');
          expect(nodes.map(({ id }: { id: string }) => id)).toEqual(both);
        },
        { what: `both nodes after ${what}` },
      );
    }

    /** In one step, so that no beat finds less than what is left there. */
    async function spoil(commands: Spoiling['commands'], places: Places): Promise<void> {
      const step = writer.multi();
      for (const [name = '', ...args] of commands)
        step.call(String(name), ...args.map((each) => filled(each, places)));
      const replies = await step.exec();
      expect(replies?.map(([error]) => error)).toEqual(commands.map(() => null));
    }

    /** A room with two members, on a node each. */
    async function spoilable(name: string) {
      const [eve, dan] = [await connect(cluster.nodes[0].url), await connect(cluster.nodes[1].url)];
      const join = await eventually(() => eve.join(name, { name: 'Eve' }), { timeoutMs: 10_000 });
      await eventually(() => dan.join(name, { name: 'Dan' }), { timeoutMs: 10_000 });
      await said(dan, 'before');
      return { places: placesOf(name, join.self.id, '-'), members: [eve, dan] as const };
    }

    async function incarnationOf(nodeId: string): Promise<string> {
      return eventually(async () => {
        const leases = await writer.hgetall(keys.leases);
        return Object.entries(leases).find(([, lease]) => lease.split(' ')[1] === nodeId)?.[0] ?? false;
      }) as Promise<string>;
    }

    /** Each node has beaten so often since: by then it has met whatever was left for it. */
    async function metByBeats(times: number): Promise<void> {
      let before = await beats();
      await eventually(
        async () => {
          const now = await beats();
          // One that was spoilt is counted from 1 again.
          before = before.map((count, at) => Math.min(count, now[at] ?? 0));
          return now.every((count, at) => count >= (before[at] ?? 0) + times);
        },
        { timeoutMs: 30_000, what: `${times} beats of every node` },
      );
    }

    async function beats(): Promise<number[]> {
      const leases = Object.values(await writer.hgetall(keys.leases).catch(() => ({})));
      return cluster.nodes.map(({ id }) => {
        const lease = leases.find((each) => each.split(' ')[1] === id);
        return Number(lease?.split(' ')[0] ?? 0);
      });
    }
  },
);

/** Resends what is `unavailable`, as clients do. */
async function said(client: PlainClient, data: string): Promise<void> {
  const id = (saidBy.get(client) ?? 1) + 1;
  saidBy.set(client, id);
  await eventually(
    async () => {
      const reply = await client.ask('message', { id, topic: 't', data });
      if (!reply.ok) throw new Error(reply.error.code);
    },
    { timeoutMs: 15_000, everyMs: 200, what: `"${data}", taken` },
  );
}

/** The id of each client's last request. */
const saidBy = new WeakMap<PlainClient, number>();

function placesOf(name: string, peer: string, incarnation: string): Places {
  const room = `${name}@main` as RoomId;
  const socketRoom = everyoneIn(room);
  return {
    all: `${keys.adapterPrefix}#/#`,
    roomChannel: `${keys.adapterPrefix}#/#${socketRoom}#`,
    node: '-',
    room,
    socketRoom,
    state: keys.state(room),
    log: keys.log(room),
    closed: keys.closed(room),
    restore: keys.restore(room),
    peer,
    incarnation,
    held: keys.held(incarnation),
    deadHeld: keys.held('nobody'),
    leases: keys.leases,
    orders: keys.orders,
    marker: keys.marker,
    bySize: keys.roomsBySize,
    byName: keys.roomsByName,
    journal: keys.journal,
  };
}

const KNOWN_EVENTS = new Set(['welcome', 'peer_joined', 'peer_updated', 'message', 'resync']);

async function failing(node: ProcessNode): Promise<string[]> {
  const { checks } = (await (await fetch(`${node.opsUrl}/readyz`)).json()) as {
    checks: Record<string, { ok: boolean }>;
  };
  return Object.entries(checks).flatMap(([name, { ok }]) => (ok ? [] : name));
}

async function total(node: ProcessNode, name: string): Promise<number> {
  const series = seriesIn(await (await fetch(`${node.opsUrl}/metrics`)).text());
  return series.filter((each) => each.name === name).reduce((sum, { value }) => sum + value, 0);
}
