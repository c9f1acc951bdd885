import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { capabilities } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { connect } from '../support/plain-client.ts';
import { freePort } from '../support/ports.ts';
import { type LocalRedis, startLocalRedis } from '../support/redis.ts';

const MAIN = fileURLToPath(new URL('../../services/signaling/main.ts', import.meta.url));
/** The lease, a beat on either side, and the sweep. */
const NOTICED_WITHIN_MS = 12_000;
const WINDOW_MS = 10_000;

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
    RESUME_WINDOW_MS: String(WINDOW_MS),
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
  'a node is killed: its peers are detached, each once, resume on another node, and expire if they do not',
  async () => {
    redis = await startLocalRedis();
    const [beijing, shanghai] = [await startNode('beijing-1'), await startNode('shanghai-1')];
    const witness = await connect(shanghai.url);
    await witness.join('blue');
    const doomed = [await connect(beijing.url), await connect(beijing.url)] as const;
    const joins = [await doomed[0].join('blue'), await doomed[1].join('blue')] as const;

    beijing.process.kill('SIGKILL');

    const detached = [
      await witness.next('peer_updated', NOTICED_WITHIN_MS),
      await witness.next('peer_updated', NOTICED_WITHIN_MS),
    ];
    expect(detached.map((event) => event.peer.id).sort()).toEqual(joins.map((each) => each.self.id).sort());
    expect(detached.every((event) => !event.peer.connected)).toBe(true);
    const again = await connect(shanghai.url);
    expect(await again.resume(joins[0])).toMatchObject({ recovered: true });
    expect(await witness.next('peer_left', WINDOW_MS + 5_000)).toMatchObject({
      peer: joins[1].self.id,
      reason: 'expired',
    });
    expect(witness.all('peer_left')).toHaveLength(1);
    for (const each of [witness, again]) each.close();
  },
);

test.skipIf(!capabilities.redisServer)(
  'C4: who comes back faster than the death of its node is noticed, is never missed by the others',
  async () => {
    redis = await startLocalRedis();
    const [beijing, shanghai] = [await startNode('beijing-1'), await startNode('shanghai-1')];
    const witness = await connect(shanghai.url);
    const { self } = await witness.join('blue');
    const traveller = await connect(beijing.url);
    const joined = await traveller.join('blue');
    beijing.process.kill('SIGKILL');
    const again = await connect(shanghai.url);
    expect(await again.resume(joined)).toMatchObject({ recovered: true });
    expect(await witness.next('peer_updated')).toMatchObject({
      peer: { connected: true, node: 'shanghai-1' },
    });
    await eventually(async () => (await leases()) === 1, {
      timeoutMs: NOTICED_WITHIN_MS,
      what: 'the death noticed',
    });
    expect(await witness.request('signal', { to: joined.self.id, candidate: null })).toMatchObject({
      delivery: 'sent',
    });
    expect(await again.request('signal', { to: self.id, candidate: null })).toMatchObject({ ok: true });
    expect(witness.all('peer_updated')).toHaveLength(1);
    expect(witness.all('peer_left')).toEqual([]);
    for (const each of [witness, again]) each.close();
  },
);

test.skipIf(!capabilities.redisServer)(
  'C3: a node hangs and wakes: it finds itself fenced, and its clients go on there under new generations',
  async () => {
    redis = await startLocalRedis();
    const [beijing, shanghai] = [await startNode('beijing-1'), await startNode('shanghai-1')];
    const witness = await connect(shanghai.url);
    await witness.join('blue');
    const sleeper = await connect(beijing.url);
    const joined = await sleeper.join('blue');
    const dropped = new Promise((resolve) => sleeper.socket.once('disconnect', resolve));

    beijing.process.kill('SIGSTOP');
    expect(await witness.next('peer_updated', NOTICED_WITHIN_MS)).toMatchObject({
      peer: { id: joined.self.id, connected: false },
    });
    // What it sends while its node hangs is read by the node when it wakes, under a generation that is over.
    sleeper.socket.emit('message', { id: 2, topic: 'chat', data: 'from the past' });
    beijing.process.kill('SIGCONT');

    // A ping may have been overdue on the client's side first; a goodbye it is not.
    expect(await dropped).toMatch(/transport close|ping timeout/);
    const again = await connect(beijing.url);
    await eventually(async () => (await again.resume(joined)).recovered === true, {
      timeoutMs: 10_000,
      everyMs: 100,
      what: 'the session resumed where it was',
    });
    expect(await again.request('message', { topic: 'chat', data: 'now' })).toMatchObject({ ok: true });
    expect((await witness.next('message')).data).toBe('now');
    for (const each of [witness, again]) each.close();
  },
);

/** How many processes hold a lease. */
async function leases(): Promise<number> {
  const client = new Redis(redis.url);
  return client.hlen('fenghuo:{home}:leases').finally(() => client.disconnect());
}
