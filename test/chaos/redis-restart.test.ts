import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import type { Adopted } from '../../services/signaling/backplane/room-log.ts';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { newcomer } from '../contract/nodes.ts';
import { capabilities } from '../support/capabilities.ts';
import { type ClusterOptions, startCluster, type TestNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { seriesIn } from '../support/exposition.ts';
import { connect } from '../support/plain-client.ts';
import { type LocalRedis, startLocalRedis } from '../support/redis.ts';
import { shareRedis } from '../support/redis-backplane.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';

describe.skipIf(!capabilities.redisServer)(
  'a Redis that restarts with its data, is flushed or pauses',
  () => {
    const cleanups: (() => unknown)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    });

    async function redis(options: Parameters<typeof startLocalRedis>[0] = {}): Promise<LocalRedis> {
      const local = await startLocalRedis(options);
      cleanups.push(() => local.stop());
      return local;
    }

    async function nodes(options: ClusterOptions) {
      const cluster = await startCluster(options);
      cleanups.push(() => cluster.stop());
      return cluster;
    }

    async function person(url: string) {
      const client = await connect(url);
      cleanups.push(() => client.close());
      return client;
    }

    test('P2: a room that no node hosts any more goes on after a Redis restarted with its data', async () => {
      const server = await redis({ aof: true });
      const first = await nodes({ nodes: 1, redisUrl: server.url });
      const ann = await person(first.nodes[0].url);
      const annJoin = await ann.join('blue', { name: 'Ann' });
      await first.stop();
      await server.restart();
      const second = await nodes({ nodes: 1, redisUrl: server.url, keyPrefix: first.keyPrefix });
      const again = await person(second.nodes[0].url);
      const reply = await eventually(
        async () => {
          const outcome = await again.resume(annJoin);
          if (!outcome.ok) throw new Error(outcome.error.code);
          return outcome;
        },
        { timeoutMs: 15_000 },
      );
      expect(reply).toMatchObject({ recovered: true });
    });

    test('P2: the sessions of a node that died with a Redis that restarted with its data expire, and their room is free', async () => {
      const server = await redis({ aof: true });
      const shared = await shareRedis(server.url);
      const dead = await shared.open();
      const room = roomId('blue', 'main');
      const load = { connections: 0, isAdmitting: true };
      await dead.leases.take({ incarnation: 'dead', nodeId: 'dead', load, order: undefined });
      await dead.leases.hold('dead', [room]);
      expect(
        await dead.rooms.join({ ...newcomer(room, { name: 'Ann' }), incarnation: 'dead' }),
      ).toMatchObject({
        ok: true,
      });
      await dead.close();
      await server.restart();
      const cluster = await nodes({
        nodes: 1,
        redisUrl: server.url,
        keyPrefix: shared.keyPrefix,
        settings: { RESUME_WINDOW_MS: '1000' },
      });
      const bob = await person(cluster.nodes[0].url);
      const reply = await eventually(() => bob.join('blue', { name: 'Bob' }), { timeoutMs: 15_000 });
      expect(reply).toMatchObject({ peers: [{ name: 'Ann' }] });
      await bob.next('peer_left', 15_000);
    });

    test('C7: a sweep whose answer is lost hands over the windows when it is repeated', async () => {
      const server = await redis();
      const shared = await shareRedis(server.url);
      const node = await shared.open();
      cleanups.push(() => node.close());
      const room = roomId('blue', 'main');
      await node.leases.hold('dead', [room]);
      const joining = { ...newcomer(room, { name: 'Ann' }), incarnation: 'dead' };
      await node.rooms.join(joining);
      const adopted: Adopted[] = [];
      let isFirst = true;
      const adopter = {
        incarnation: 'survivor',
        prepare: async () => {
          if (isFirst) server.pause();
          isFirst = false;
          return true;
        },
        adopt: (_: unknown, sessions: readonly Adopted[]) => void adopted.push(...sessions),
      };
      expect(await node.leases.sweep('dead', adopter)).toEqual({ ok: false, code: 'unavailable' });
      server.resume();
      await eventually(async () =>
        expect(await node.rooms.snapshot(room)).toMatchObject({ value: { peers: [{ connected: false }] } }),
      );
      expect(adopted).toEqual([]);
      await eventually(async () => (await node.leases.sweep('dead', adopter)).ok, { timeoutMs: 8_000 });
      expect(adopted).toMatchObject([{ room, peer: joining.peer, generation: 2 }]);
    });

    test('P2: a session whose client is gone expires, though Redis paused while its node noticed', async () => {
      const server = await redis();
      const cluster = await nodes({ nodes: 2, redisUrl: server.url, settings: { RESUME_WINDOW_MS: '1000' } });
      const ann = await person(cluster.nodes[0].url);
      const bob = await person(cluster.nodes[1].url);
      await ann.join('blue', { name: 'Ann' });
      await bob.join('blue', { name: 'Bob' });
      server.pause();
      bob.socket.io.engine.close();
      await sleep(1_500);
      server.resume();
      expect(await ann.next('peer_updated', 8_000)).toMatchObject({ peer: { connected: false } });
      expect(await ann.next('peer_left', 10_000)).toMatchObject({ reason: 'expired' });
    });

    test('R1: a shard of a Cluster that was flushed is restored', async () => {
      const redisCluster: RedisCluster = await startRedisCluster();
      cleanups.push(() => redisCluster.stop());
      const cluster = await nodes({ nodes: 2, redisUrl: redisCluster.url });
      const ann = await person(cluster.nodes[0].url);
      const bob = await person(cluster.nodes[1].url);
      await eventually(() => ann.join('blue', { name: 'Ann' }));
      await bob.join('blue', { name: 'Bob' });
      // Whom a node does not know it would not wait for.
      const knowsBoth = async ({ opsUrl }: TestNode) =>
        seriesIn(await (await fetch(`${opsUrl}/metrics`)).text()).some(
          ({ name, value }) => name === 'signaling_cluster_nodes' && value === 2,
        );
      await eventually(async () => (await Promise.all(cluster.nodes.map(knowsBoth))).every(Boolean));
      for (const master of redisCluster.masters) {
        const client = new Redis(master.url);
        await client.flushall();
        client.disconnect();
      }
      // His node hears of it first, and hands in what it knows.
      await bob.request('message', { topic: 'chat', data: 'still there?' });
      expect(await ann.next('resync', 15_000)).toMatchObject({ complete: true, peers: [{ name: 'Bob' }] });
    });
  },
);
