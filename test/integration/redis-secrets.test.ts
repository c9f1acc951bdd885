import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { connect } from '../support/plain-client.ts';

test('who reads all of Redis finds no resume token and no key of a join', async () => {
  const cluster = await startCluster({ backplane: 'redis' });
  onTestFinished(() => cluster.stop());
  const [ann, bob] = [await connect(cluster.nodes[0].url), await connect(cluster.nodes[1].url)];
  onTestFinished(() => {
    for (const client of [ann, bob]) client.close();
  });
  const key = 'the-key-of-a-join-that-nobody-else-knows';
  const first = await ann.join('secrets', { name: 'Ann', key });
  const { self, resume_token } = await bob.join('secrets', { name: 'Bob' });
  bob.socket.io.engine.close();
  await ann.next('peer_updated');

  const redis = new Redis(inject('redisUrl'));
  onTestFinished(() => redis.disconnect());
  const kept = await readAll(redis, `*${cluster.keyPrefix}*`);
  // It looks where sessions are.
  for (const peer of [first.self.id, self.id]) expect(kept).toContain(peer);
  for (const token of [first.resume_token, resume_token]) {
    const [, secret = ''] = token.split('.');
    expect(secret.length).toBeGreaterThanOrEqual(43);
    expect(kept).not.toContain(secret);
  }
  expect(kept).not.toContain(key);
});

/** Every name and value under a pattern, whatever its type. */
async function readAll(redis: Redis, pattern: string): Promise<string> {
  const keys = await redis.keys(pattern);
  const values = await Promise.all(keys.map((key) => readKey(redis, key)));
  return JSON.stringify([keys, values]);
}

async function readKey(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'none':
      return null;
    default:
      throw new Error(`a key of a type that this test does not read: ${key}`);
  }
}
