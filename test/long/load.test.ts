import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';

import { EXIT_CODES } from '../../services/loadtest/load/report/index.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load-run.ts';
import { freePort } from '../support/ports.ts';

// Seconds of load, and then as long as all takes to come to rest.
vi.setConfig({ testTimeout: 90_000 });

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.stop());

const targets = () => cluster.nodes.flatMap(({ url }) => ['--url', url]);

test('calls on two nodes end with nothing lost, every call connected, and a report', async () => {
  const load = startLoad(['calls', ...targets(), '--rate', '100', '--duration', '5s', '--hold', '1s']);
  const code = await load.ended;
  const { signals, calls, sessions, connections, latencies, generator, verdict, heatmap } = load.result();
  expect(signals).toMatchObject({ lost: 0, doubled: 0, reordered: 0, misrouted: 0, named: 0, refused: {} });
  expect(signals.planned).toBeGreaterThan(200);
  expect(signals).toMatchObject({
    sent: signals.planned,
    accepted: signals.planned,
    delivered: signals.planned,
  });
  expect(calls).toMatchObject({ failed: 0, connected: calls?.started, hungUp: calls?.started });
  expect(sessions).toMatchObject({ joined: 2 * (calls?.started ?? 0), over: 0, wrongPeerLeft: 0 });
  expect(connections.opened).toBe(sessions.joined);
  expect(latencies.relay?.count).toBe(signals.delivered);
  expect(latencies.call_setup?.count).toBe(calls?.started);
  expect(heatmap?.nodes).toEqual(cluster.nodes.map(({ id }) => id));
  // On a machine that is busy with other things it may have lagged: then it says so, and nothing else.
  expect(verdict).toBe(generator.isValid ? 'pass' : 'invalid');
  expect(code).toBe(EXIT_CODES[verdict]);
  expect(load.output()).toContain('0 lost');
});

test('an SLO that is not met is exit code 1, or 4 where the generator lagged', async () => {
  const load = startLoad([
    'idle',
    ...targets(),
    '--pairs',
    '2',
    '--duration',
    '2s',
    '--slo',
    'relay_p50<0.001ms',
  ]);
  const code = await load.ended;
  const { generator, slos } = load.result();
  expect(slos).toMatchObject([{ isMet: false }]);
  expect(code).toBe(generator.isValid ? 1 : 4);
});

test('a command line that cannot be used is exit code 2, with all that is wrong with it', async () => {
  const load = startLoad(['calls', '--rate', 'fast', '--speed', '9']);
  expect(await load.ended).toBe(2);
  expect(load.output()).toMatch(/--speed is no option[\s\S]*--rate "fast" is not a number/);
});

test('results that could not be written are told before the run, not after it', async () => {
  const load = startLoad(['calls', ...targets()], join(secretFile('no folder'), 'results'));
  expect(await load.ended).toBe(2);
  expect(load.output()).toMatch(/--out "\S+results" cannot be written to \(ENOTDIR\)/);
});

test('a target that nobody listens at is exit code 3, by its name', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const load = startLoad(['calls', '--url', url, ...targets()]);
  expect(await load.ended).toBe(3);
  expect(load.output()).toContain(`${url} cannot be reached`);
});

test('Ctrl-C ends a run with its report', async () => {
  const load = startLoad(['idle', ...targets(), '--pairs', '2', '--rate', '20', '--duration', '10m']);
  await eventually(() => / · steady · 4 of 4 /.test(load.output()), { timeoutMs: 15_000, what: 'it runs' });
  load.kill('SIGINT');
  await load.ended;
  const { durationS, signals } = load.result();
  expect(durationS).toBeLessThan(60);
  expect(signals).toMatchObject({ lost: 0, delivered: signals.expected });
  expect(signals.delivered).toBeGreaterThan(0);
});

test('half of the clients lose the network at once, and all come back with nothing lost', async () => {
  const load = startLoad(['storm', ...targets(), '--connections', '40', '--drop', '50%', '--duration', '6s']);
  await load.ended;
  const { recovery, sessions, signals, phases } = load.result();
  expect(recovery?.sessions).toBe(20);
  expect(recovery?.points.at(-1)?.share).toBe(1);
  expect(recovery?.to99S).toBeGreaterThan(0);
  expect(sessions).toMatchObject({ resumed: 20, recovered: 20, over: 0 });
  expect(signals).toMatchObject({ lost: 0, doubled: 0, reordered: 0, named: 0, delivered: signals.expected });
  expect(phases.map(({ name }) => name)).toEqual(['ramp', 'steady', 'storm', 'after', 'rest']);
});

test('two of a room in two workers are counted from both ends', async () => {
  const load = startLoad([
    ...['idle', ...targets(), '--pairs', '4', '--rate', '50', '--duration', '3s'],
    ...['--workers', '2', '--across'],
  ]);
  await load.ended;
  const { signals, generator, latencies } = load.result();
  expect(generator.workers).toBe(2);
  expect(signals.expected).toBeGreaterThan(100);
  expect(signals).toMatchObject({
    lost: 0,
    doubled: 0,
    reordered: 0,
    misrouted: 0,
    delivered: signals.expected,
  });
  // Two clocks: nothing is timed that goes from one to the other.
  expect(latencies.relay).toBeUndefined();
});

function secretFile(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'fenghuo-test-secret-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'secret');
  writeFileSync(file, text);
  return file;
}

/** A run of two workers, which the test starts. */
async function listening(duration: string) {
  const secret = secretFile('the secret of this run');
  const port = String(await freePort());
  const load = startLoad([
    ...['idle', ...targets(), '--pairs', '4', '--rate', '50', '--duration', duration],
    ...['--listen', port, '--expect', '2', '--secret-file', secret],
  ]);
  await eventually(() => load.output().includes('waiting for 2 workers'), { timeoutMs: 15_000 });
  const worker = (file = secret) =>
    startLoad(['worker', '--connect', `127.0.0.1:${port}`, '--secret-file', file]);
  return { load, worker };
}

test('a run that loses a worker is invalid, and says so', async () => {
  const { load, worker } = await listening('10s');
  const [stays, goes] = [worker(), worker()];
  await eventually(() => / · steady · 8 of 8 /.test(load.output()), { timeoutMs: 15_000, what: 'it runs' });
  goes.kill('SIGKILL');
  expect(await load.ended).toBe(4);
  expect(await stays.ended).toBe(0);
  const { verdict, reasons } = load.result();
  expect(verdict).toBe('invalid');
  expect(reasons.join()).toContain('a worker was lost');
});

test('a cluster that wants tokens is loaded with a token for each client, and not without', async () => {
  const secret = 'a-secret-that-nodes-and-tester-share-0123456789';
  const closed = await startCluster({ settings: { AUTH: 'required', JWT_SECRET: secret } });
  onTestFinished(() => closed.stop());
  const urls = closed.nodes.flatMap(({ url }) => ['--url', url]);
  const stranger = startLoad(['calls', ...urls]);
  expect(await stranger.ended).toBe(3);
  expect(stranger.output()).toContain(
    'unauthorized: give a token by --token, --token-file or --jwt-secret-file',
  );
  const load = startLoad([
    ...['abuse', ...urls, '--pairs', '2', '--rate', '20', '--duration', '4s'],
    ...['--jwt-secret-file', secretFile(secret), '--json'],
  ]);
  await load.ended;
  const { signals, attacks } = load.result();
  expect(signals).toMatchObject({ lost: 0, refused: {}, delivered: signals.expected });
  expect(signals.delivered).toBeGreaterThan(20);
  expect(attacks?.['a token that is none']).toMatchObject({ wrong: [] });
  expect(load.output()).not.toContain(secret);
});

test('a scenario that cannot be carried out is invalid, and says why', async () => {
  const load = startLoad([
    ...['drain', ...targets(), '--metrics', cluster.nodes[0].opsUrl, '--pairs', '2', '--duration', '2s'],
    ...['--admin-token-file', secretFile('not the operators token')],
  ]);
  expect(await load.ended).toBe(4);
  expect(load.result().reasons.join()).toMatch(
    /the scenario was not carried out: GET \S+nodes is refused: \d+/,
  );
});

test('workers that know the secret join a run from elsewhere; others are refused', async () => {
  const { load, worker } = await listening('3s');
  const stranger = worker(secretFile('the secret of another run'));
  expect(await stranger.ended).toBe(1);
  expect(stranger.output()).toContain('it has another secret');
  const workers = [worker(), worker()];
  await load.ended;
  expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0]);
  const { signals, generator } = load.result();
  expect(generator.workers).toBe(2);
  expect(signals.expected).toBeGreaterThan(100);
  expect(signals).toMatchObject({ lost: 0, delivered: signals.expected });
});
