import { expect, test } from 'vitest';
import { capabilities } from '../support/capabilities.ts';
import { startCluster } from '../support/cluster.ts';
import { connect } from '../support/plain-client.ts';
import { startLocalRedis } from '../support/redis.ts';
import { startSentinel } from '../support/sentinel.ts';

test.skipIf(!capabilities.redisServer)('nodes find their Redis by asking Sentinel', async () => {
  const redis = await startLocalRedis();
  const sentinel = await startSentinel(redis);
  const cluster = await startCluster({ redisUrl: `redis+sentinel://127.0.0.1:${sentinel.port}/fire` });
  const [ann, bob] = [await connect(cluster.nodes[0].url), await connect(cluster.nodes[1].url)];
  await ann.join('blue');
  const { self } = await bob.join('blue');
  await ann.request('signal', { to: self.id, candidate: null });
  expect(await bob.next('signal')).toMatchObject({ candidate: null });
  for (const each of [ann, bob]) each.close();
  await cluster.stop();
  sentinel.stop();
  await redis.stop();
});
