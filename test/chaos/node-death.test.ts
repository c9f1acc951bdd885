import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { capabilities } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { connect } from '../support/plain-client.ts';
import { freePort } from '../support/ports.ts';
import { type LocalRedis, startLocalRedis } from '../support/redis.ts';

const MAIN = fileURLToPath(new URL('../../services/signaling/main.ts', import.meta.url));
/** The lease, a beat on either side, and the sweep. */
const NOTICED_WITHIN_MS = 12_000;

let redis: LocalRedis;
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await redis?.stop();
});

async function startNode(id: string): Promise<{ url: string; process: ChildProcess }> {
  const port = await freePort();
  const opsPort = await freePort();
  const env = {
    PATH: process.env.PATH,
    NODE_ID: id,
    HOST: '127.0.0.1',
    PORT: String(port),
    OPS_PORT: String(opsPort),
    AUTH: 'open',
    LOG_LEVEL: 'error',
    REDIS_URL: redis.url,
  };
  const child = spawn(process.execPath, [MAIN], { env, stdio: 'ignore' });
  children.push(child);
  await eventually(async () => (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok, {
    timeoutMs: 15_000,
    what: `${id} ready`,
  });
  return { url: `http://127.0.0.1:${port}`, process: child };
}

test.skipIf(!capabilities.redisServer)(
  'a node is killed: its peers leave the rooms they were in, each once, and nobody else does',
  async () => {
    redis = await startLocalRedis();
    const [beijing, shanghai] = [await startNode('beijing-1'), await startNode('shanghai-1')];
    const witness = await connect(shanghai.url);
    const neighbour = await connect(shanghai.url);
    await witness.join('blue');
    await neighbour.join('blue');
    const doomed = [await connect(beijing.url), await connect(beijing.url)];
    const ids: string[] = [];
    for (const each of doomed) ids.push((await each.join('blue')).self.id);

    beijing.process.kill('SIGKILL');

    const left = [
      await witness.next('peer_left', NOTICED_WITHIN_MS),
      await witness.next('peer_left', NOTICED_WITHIN_MS),
    ];
    expect(left.map((event) => event.peer).sort()).toEqual(ids.sort());
    expect(left.every((event) => event.reason === 'expired')).toBe(true);
    const late = await connect(shanghai.url);
    expect((await late.join('blue')).peers).toHaveLength(2);
    expect(witness.all('peer_left')).toHaveLength(2);
    for (const each of [witness, neighbour, late]) each.close();
  },
);

test.skipIf(!capabilities.redisServer)(
  'a node hangs and wakes: it finds its sessions ended, and sends their clients to join anew',
  async () => {
    redis = await startLocalRedis();
    const [beijing, shanghai] = [await startNode('beijing-1'), await startNode('shanghai-1')];
    const witness = await connect(shanghai.url);
    await witness.join('blue');
    const sleeper = await connect(beijing.url, { reconnection: true });
    const { self } = await sleeper.join('blue');
    const dropped = new Promise((resolve) => sleeper.socket.once('disconnect', resolve));

    beijing.process.kill('SIGSTOP');
    expect(await witness.next('peer_left', NOTICED_WITHIN_MS)).toMatchObject({ peer: self.id });
    beijing.process.kill('SIGCONT');

    // A ping may have been overdue on the client's side first; a goodbye it is not.
    expect(await dropped).toMatch(/transport close|ping timeout/);
    await eventually(() => sleeper.socket.connected, {
      timeoutMs: 10_000,
      what: 'the client connected again',
    });
    expect((await sleeper.join('blue')).peers).toHaveLength(1);
    for (const each of [witness, sleeper]) each.close();
  },
);

test.skipIf(!capabilities.redisServer)(
  'C1: a node that is killed and back under its name has no ghosts',
  async () => {
    redis = await startLocalRedis();
    const [beijing, shanghai] = [await startNode('beijing-1'), await startNode('shanghai-1')];
    const witness = await connect(shanghai.url);
    await witness.join('blue');
    const { self } = await (await connect(beijing.url)).join('blue');
    beijing.process.kill('SIGKILL');
    const startedAtMs = performance.now();
    await startNode('beijing-1');
    expect(await witness.next('peer_left', NOTICED_WITHIN_MS)).toMatchObject({ peer: self.id });
    // Well before the lease would have lapsed.
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    witness.close();
  },
);
