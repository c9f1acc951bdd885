import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { capabilities } from '../support/capabilities.ts';
import type { LocalRedis } from '../support/redis.ts';
import { shareRedis } from '../support/redis-backplane.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import { claimsContract } from './claims.contract.ts';
import { directoryContract } from './directory.contract.ts';
import { leasesContract } from './leases.contract.ts';
import { moderationContract } from './moderation.contract.ts';
import { newcomer } from './nodes.ts';
import { replicaContract } from './replica.contract.ts';
import { resumeContract } from './resume.contract.ts';
import { roomLogContract } from './room-log.contract.ts';

describe.skipIf(!capabilities.redisServer)('three masters', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster?.stop());

  roomLogContract('a Redis Cluster', () => shareRedis(cluster.url));
  claimsContract('a Redis Cluster', () => shareRedis(cluster.url));
  leasesContract('a Redis Cluster', () => shareRedis(cluster.url));
  directoryContract('a Redis Cluster', () => shareRedis(cluster.url));
  resumeContract('a Redis Cluster', () => shareRedis(cluster.url));
  replicaContract('a Redis Cluster', () => shareRedis(cluster.url));
  moderationContract('a Redis Cluster', () => shareRedis(cluster.url));

  test('rooms lie on all three masters, each with both of its keys on one', async () => {
    const shared = await shareRedis(cluster.url);
    const node = await shared.open();
    for (let n = 0; n < 60; n++) {
      const joined = await node.rooms.join(
        newcomer(roomId(`room-${n}`, 'main'), { name: randomBytes(2).toString('hex') }),
      );
      expect(joined.ok).toBe(true);
    }
    const states = await cluster.keysPerMaster(`${shared.keyPrefix}:*:state`);
    const logs = await cluster.keysPerMaster(`${shared.keyPrefix}:*:log`);
    expect(states.reduce((sum, keys) => sum + keys, 0)).toBe(60);
    expect(Math.min(...states)).toBeGreaterThan(5);
    expect(logs).toEqual(states);
    await node.close();
  });

  test('that a room is missing is not believed while the master does not answer that would know of a loss', async () => {
    const shared = await shareRedis(cluster.url);
    const node = await shared.open();
    onTestFinished(() => node.close());
    const marked = await cluster.keysPerMaster(`${shared.keyPrefix}:*marker`);
    const master = cluster.masters[marked.indexOf(1)] as LocalRedis;
    const rooms = Array.from({ length: 12 }, (_, n) => roomId(`missing-${n}`, 'main'));
    const look = () => Promise.all(rooms.map((room) => node.rooms.snapshot(room)));
    expect(await look()).toEqual(rooms.map(() => ({ ok: true, value: undefined })));
    master.pause();
    onTestFinished(() => master.resume());
    expect(await look()).toEqual(rooms.map(() => ({ ok: false, code: 'unavailable' })));
  });

  test('R2: a room that another node handed in is opened by none that has not heard of the loss itself', async () => {
    const shared = await shareRedis(cluster.url);
    const [beijing, shanghai] = [await shared.open(), await shared.open()];
    onTestFinished(async () => void (await Promise.all([beijing.close(), shanghai.close()])));
    const [onUnopened, onUnsealed] = [vi.fn(), vi.fn()];
    Object.assign(beijing.rebuilds, { onUnopened, onUnsealed });
    shanghai.rebuilds.onUnsealed = () => {};
    const room = roomId('blue', 'main');
    await beijing.rooms.join(newcomer(room, { name: 'Ann' }));
    const lives = await Promise.all(cluster.masters.map(({ url }) => flushed(url)));
    const handIn = (life: string) =>
      shanghai.rebuilds.contribute(room, life, 'shanghai', { epoch: 1, seq: 1 }, () => '{}');
    const outcomes = await Promise.all(lives.map(handIn));
    expect(outcomes).toContainEqual({ ok: true, value: 'taken' });
    expect(await beijing.rooms.attest([room])).toEqual({ ok: false, code: 'unavailable' });
    await vi.waitFor(() => expect(onUnsealed.mock.calls.flat()).toEqual(expect.arrayContaining(lives)));
    expect(onUnopened).not.toHaveBeenCalled();
  });
});

/** Has a master lose all that it holds, and tells its life. */
async function flushed(url: string): Promise<string> {
  const client = new Redis(url);
  await client.flushall();
  const life = /master_replid:(\w+)/.exec(await client.info('replication'))?.[1];
  client.disconnect();
  return life ?? '';
}
