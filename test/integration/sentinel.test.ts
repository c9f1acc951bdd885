import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { capabilities } from '../support/capabilities.ts';
import { startCluster } from '../support/cluster.ts';
import { connect } from '../support/plain-client.ts';
import { freePort } from '../support/ports.ts';
import { startLocalRedis } from '../support/redis.ts';

test.skipIf(!capabilities.redisServer)('nodes find their Redis by asking Sentinel', async () => {
  const redis = await startLocalRedis();
  const sentinel = await startSentinel(redis.port);
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

async function startSentinel(masterPort: number): Promise<{ port: number; stop(): void }> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'fenghuo-sentinel-'));
  const file = join(folder, 'sentinel.conf');
  writeFileSync(
    file,
    `bind 127.0.0.1\nport ${port}\ndir ${folder}\nsentinel monitor fire 127.0.0.1 ${masterPort} 1\n`,
  );
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  return {
    port,
    stop() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
