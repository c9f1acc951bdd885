import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, inject, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect } from '../support/plain-client.ts';
import { freePort } from '../support/ports.ts';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

test('a node that cannot reach Redis lives, and says why it is not ready', async () => {
  const port = await freePort();
  const node = await startProcess({ REDIS_URL: `redis://127.0.0.1:${port}` });
  expect((await fetch(`${node.opsUrl}/livez`)).status).toBe(200);
  const ready = await fetch(`${node.opsUrl}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    ok: false,
    checks: { backplane_answers: { ok: false, problem: expect.any(String) } },
  });
  expect((await fetch(`${node.opsUrl}/startupz`)).status).toBe(503);
  const client = await connect(node.url);
  expect(await client.ask('join', { id: 1, room: 'blue' })).toMatchObject({
    error: { code: 'unavailable', retry_after_ms: expect.any(Number) },
  });
  client.close();
  expect(await node.terminate()).toBe(0);
});

test('a node that stops detaches its sessions: the others see it, and count their windows', async () => {
  cluster = await startCluster({ settings: { RESUME_WINDOW_MS: '1500' } });
  const [ann, bob] = [await connect(cluster.nodes[0].url), await connect(cluster.nodes[1].url)];
  const { self } = await ann.join('blue');
  await bob.join('blue');
  await cluster.nodes[0].stop();
  expect(await bob.next('peer_updated')).toMatchObject({ peer: { id: self.id, connected: false } });
  expect(await bob.next('peer_left')).toMatchObject({ peer: self.id, reason: 'expired' });
  bob.close();
});

test('SIGTERM detaches every session, lets clients reconnect elsewhere, and exits 0', async () => {
  cluster = await startCluster({ nodes: 1, backplane: 'memory' });
  const node = await startProcess({ REDIS_URL: inject('redisUrl') });
  await eventually(async () => (await fetch(`${node.opsUrl}/startupz`)).ok, {
    timeoutMs: 10_000,
    what: 'a started node',
  });
  const client = await connect(node.url);
  await client.join(`sigterm-${process.pid}`);
  const closed = new Promise((resolve) => client.socket.once('disconnect', resolve));
  const exit = node.terminate();
  // Not "io server disconnect": socket.io clients reconnect by themselves only after a transport's close.
  expect(await closed).toBe('transport close');
  expect(await exit).toBe(0);
  expect(node.output()).toContain('"event":"node_stopped"');
});

test('a node whose log nobody reads any more still ends in order', async () => {
  const node = await startProcess({ LOG_LEVEL: 'info' });
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(node.url)));
  for (const client of clients) await client.join('blue');
  node.child.stdout.destroy();
  // Each of them leaves a line, many of them in one turn.
  expect(await node.terminate()).toBe(0);
});

test.each([
  [{ AUTH: '' }, 'AUTH'],
  [{ AUTH: 'required' }, 'AUTH'],
  [{ PORT: 'http', REGION: 'a b', REDIS_URL: 'localhost:6379' }, 'PORT'],
  [{ NODE_ENV: 'production' }, 'production'],
])('a faulty setting is named, and nothing listens: %j', async (settings, named) => {
  const node = await spawnNode(settings);
  expect(await node.exited).toBe(1);
  expect(node.output().trim().split('\n')).toHaveLength(1);
  expect(node.output()).toContain(named);
  for (const name of Object.keys(settings))
    expect(node.output()).toContain(name === 'NODE_ENV' ? 'AUTH' : name);
  for (const value of ['localhost:6379', 'a b', 'http']) expect(node.output()).not.toContain(value);
});

test('a busy port is named with its cure', async () => {
  cluster = await startCluster({ nodes: 1, backplane: 'memory' });
  const { port } = new URL(cluster.nodes[0].url);
  const node = await spawnNode({ PORT: port });
  expect(await node.exited).toBe(1);
  expect(node.output()).toContain(`port ${port} (PORT) is in use`);
});

const MAIN = fileURLToPath(new URL('../../services/signaling/main.ts', import.meta.url));

/** One node as production runs it: a process and its environment. */
async function spawnNode(settings: Record<string, string>) {
  const ports = { PORT: String(await freePort()), OPS_PORT: String(await freePort()) };
  const environment = { PATH: process.env.PATH, HOST: '127.0.0.1', AUTH: 'open', ...ports, ...settings };
  const child = spawn(process.execPath, [MAIN], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, exited, output: () => output, ...ports };
}

async function startProcess(settings: Record<string, string>) {
  const node = await spawnNode(settings);
  const opsUrl = `http://127.0.0.1:${node.OPS_PORT}`;
  await eventually(() => fetch(`${opsUrl}/livez`).then((answer) => answer.ok), {
    timeoutMs: 10_000,
    what: node.output(),
  });
  return {
    ...node,
    opsUrl,
    url: `http://127.0.0.1:${node.PORT}`,
    terminate: () => {
      node.child.kill('SIGTERM');
      return node.exited;
    },
  };
}
