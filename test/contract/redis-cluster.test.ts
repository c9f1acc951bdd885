import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { capabilities } from '../support/capabilities.ts';
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
});
