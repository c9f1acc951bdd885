import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Result } from '../../services/loadtest/load/report/index.ts';
import { capabilities } from '../support/capabilities.ts';
import { startLoad } from '../support/load-run.ts';
import { type ProcessCluster, startNodeProcesses } from '../support/node-processes.ts';
import { type LocalRedis, startLocalRedis } from '../support/redis.ts';

const ADMIN_TOKEN = 'an-operators-token-that-is-long-enough';

describe.skipIf(!capabilities.redisServer)('a run of', () => {
  let redis: LocalRedis;
  let cluster: ProcessCluster;
  let dir: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'fenghuo-test-load-'));
    redis = await startLocalRedis({ aof: true });
    cluster = await startNodeProcesses(redis.url, { ADMIN_TOKEN });
  });
  afterAll(async () => {
    await cluster?.stop();
    await redis?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function run(...args: string[]): Promise<Result> {
    const load = startLoad([
      ...args,
      ...cluster.nodes.flatMap(({ id, url, opsUrl }) => ['--url', url, '--metrics', `${id}=${opsUrl}`]),
    ]);
    await load.ended;
    return load.result();
  }

  const clean = { lost: 0, doubled: 0, reordered: 0, misrouted: 0, named: 0, unknown: 0 };

  test('mesh: of offers that collide each negotiation comes to its end', async () => {
    const { signals, calls } = await run(
      'mesh',
      '--rooms',
      '4',
      '--peers',
      '4',
      '--rate',
      '60',
      '--duration',
      '5s',
    );
    expect(calls?.started).toBeGreaterThan(20);
    expect(calls).toMatchObject({ connected: calls?.started, failed: 0 });
    // Two offers at once, an answer, another offer, another answer.
    expect(signals).toMatchObject({ ...clean, sent: 5 * (calls?.started ?? 0), delivered: signals.expected });
  });

  test('churn: who leaves and who comes costs those who stay nothing', async () => {
    const { signals, sessions } = await run(
      ...['churn', '--connections', '24', '--churn', '4', '--rate', '40', '--duration', '6s'],
    );
    expect(sessions.joined).toBeGreaterThan(24 + 8);
    expect(sessions).toMatchObject({ over: 0, wrongPeerLeft: 0, resumed: 0 });
    expect(signals).toMatchObject({ ...clean, refused: {}, delivered: signals.expected });
  });

  test('abuse: each attack gets its own answer, and those beside it lose nothing', async () => {
    const {
      signals,
      attacks = {},
      sessions,
    } = await run(...['abuse', '--pairs', '5', '--rate', '20', '--duration', '6s']);
    expect(Object.keys(attacks)).toHaveLength(12);
    for (const [name, { right, wrong }] of Object.entries(attacks)) {
      expect(wrong, name).toEqual([]);
      expect(right, name).toBeGreaterThan(0);
    }
    expect(sessions).toMatchObject({ joined: 10, resumed: 0, over: 0 });
    expect(signals).toMatchObject({ ...clean, delivered: signals.expected });
  });

  test('drain: each node sends its clients to the other in turn, and nothing is lost', async () => {
    const token = join(dir, 'token');
    writeFileSync(token, ADMIN_TOKEN);
    const { signals, sessions, phases, connections } = await run(
      ...['drain', '--connections', '20', '--rate', '20', '--duration', '5s', '--admin-token-file', token],
    );
    const names = phases.map(({ name }) => name);
    for (const { id } of cluster.nodes)
      expect(names).toEqual(expect.arrayContaining([`drain ${id}`, `undrain ${id}`]));
    // All of the first, and then all of the second.
    expect(sessions.resumed).toBeGreaterThanOrEqual(20);
    expect(sessions).toMatchObject({ recovered: sessions.resumed, over: 0, wrongPeerLeft: 0 });
    expect(connections.cutOff).toBe(0);
    expect(signals).toMatchObject({ ...clean, delivered: signals.expected });
  });

  test('outage: what is to be sent while Redis is away waits, is timed from then, and arrives', async () => {
    const { signals, latencies, phases } = await run(
      ...['outage', '--connections', '20', '--rate', '20', '--duration', '5s', '--outage', '3s'],
      ...['--stop-command', `kill -STOP ${redis.pid}`, '--start-command', `kill -CONT ${redis.pid}`],
    );
    const outage = phases.find(({ name }) => name === 'outage');
    expect((outage?.toS ?? 0) - (outage?.fromS ?? 0)).toBeGreaterThan(2.9);
    expect(signals.refused.unavailable).toBeGreaterThan(0);
    expect(signals).toMatchObject({ ...clean, accepted: signals.planned, delivered: signals.expected });
    expect(latencies.relay?.maxMs).toBeGreaterThan(2_000);
  });
});
