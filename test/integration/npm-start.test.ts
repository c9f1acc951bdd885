import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

import { describe, expect, onTestFinished, test } from 'vitest';

import { capabilities } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/ports.ts';
import { startLocalRedis } from '../support/redis.ts';

const MAIN = fileURLToPath(new URL('../../services/cluster/main.ts', import.meta.url));
const READY = 'Ctrl-C stops';
const STOPPED_WITHIN_MS = 3_000;

interface Run {
  /** In the environment of everything it starts. */
  readonly mark: string;
  readonly child: ChildProcess;
  /** Everything printed so far, on both streams. */
  output(): string;
  errors(): string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

/** Runs `npm start` without npm, on ports of its own. Ended with the test. */
function start(args: readonly string[], env: Record<string, string> = {}): Run {
  const mark = `npm-start-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const { REDIS_URL, REDIS_URLS, ...rest } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...rest, FENGHUO_TEST_MARK: mark, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    errors += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const run: Run = { mark, child, output: () => output, errors: () => errors, ended };
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await eventually(() => processesOf(run).length === 0, { what: 'nothing outlives npm start' });
  });
  return run;
}

async function untilReady(run: Run): Promise<void> {
  await eventually(
    () => {
      if (run.child.exitCode !== null) throw new Error(`it ended: ${run.output()}`);
      return run.output().includes(READY);
    },
    { timeoutMs: 40_000, what: 'npm start says that it is up' },
  );
}

/** More than any of these starts. */
const NODES_MAX = 4;

/** Two ports for each node, one after the other, all of them free now; other tests run beside this one. */
async function freePorts(): Promise<{ port: number; opsPort: number; flags: string[] }> {
  const port = await freePort('127.0.0.1', NODES_MAX);
  const opsPort = await freePort('127.0.0.1', NODES_MAX);
  if (Math.abs(port - opsPort) < NODES_MAX) return freePorts();
  return { port, opsPort, flags: ['--port', String(port), '--ops-port', String(opsPort)] };
}

/** What runs of a start: whatever carries its mark, and the pids it printed (Redis overwrites its environment). */
function processesOf(run: Run): number[] {
  const printed = [...run.output().matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter(
    (pid) => (printed.includes(pid) || read(pid, 'environ').includes(run.mark)) && !isZombie(pid),
  );
}

function isZombie(pid: number): boolean {
  return /^State:\s+Z/m.test(read(pid, 'status'));
}

/** A file of /proc; empty where the process has ended meanwhile, or is not ours to look into. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

async function stopsAll(run: Run, signal: NodeJS.Signals): Promise<void> {
  const orderedAt = performance.now();
  run.child.kill(signal);
  expect(await run.ended).toBe(0);
  expect(processesOf(run)).toEqual([]);
  expect(performance.now() - orderedAt).toBeLessThan(STOPPED_WITHIN_MS);
}

async function isReady(opsPort: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok;
}

// What is left over is looked for in /proc.
describe.skipIf(process.platform !== 'linux')('npm start', { timeout: 90_000 }, () => {
  describe.skipIf(!capabilities.redisServer)('with a redis-server on the PATH', () => {
    test('brings up two nodes and a Redis of its own, prints their addresses, and Ctrl-C takes all away', async () => {
      const { port, opsPort, flags } = await freePorts();
      const run = start(flags);
      await untilReady(run);
      expect(run.output()).toMatch(
        /2 nodes, sharing rooms through Redis at redis:\/\/127\.0\.0\.1:\d+ \(started here, pid \d+\)/,
      );
      for (const [index, name] of ['beijing-1', 'shanghai-1'].entries()) {
        expect(run.output()).toMatch(new RegExp(`${name} \\(region ${name.slice(0, -2)}, pid \\d+\\)`));
        expect(run.output()).toContain(`http://127.0.0.1:${port + index}/\n`);
        expect(run.output()).toContain(`http://127.0.0.1:${opsPort + index}/readyz\n`);
        expect(run.output()).toContain(`http://127.0.0.1:${opsPort + index}/metrics\n`);
        expect(await isReady(opsPort + index)).toBe(true);
      }
      // The supervisor, two nodes, Redis, and the guard that ends Redis should the supervisor be killed.
      expect(processesOf(run)).toHaveLength(5);
      await stopsAll(run, 'SIGINT');
    });

    test('goes on with the others when a node dies, and says which one did', async () => {
      const { opsPort, flags } = await freePorts();
      const run = start([...flags, '--nodes', '3']);
      await untilReady(run);
      const pid = Number(/shanghai-1 \(region shanghai, pid (\d+)\)/.exec(run.output())?.[1]);
      process.kill(pid, 'SIGKILL');
      await eventually(() => run.output().includes(`Node shanghai-1 (pid ${pid}) ended: SIGKILL; 2 go on.`), {
        what: 'the death of shanghai-1 is reported',
      });
      expect(await isReady(opsPort)).toBe(true);
      expect(await isReady(opsPort + 2)).toBe(true);
      await stopsAll(run, 'SIGTERM');
    });

    test('leaves nothing behind even when it is killed', async () => {
      const { flags } = await freePorts();
      const run = start(flags);
      await untilReady(run);
      run.child.kill('SIGKILL');
      await eventually(() => processesOf(run).length === 0, {
        timeoutMs: STOPPED_WITHIN_MS,
        what: 'nodes and Redis end with npm start',
      });
    });

    test('takes the Redis that it is told, and leaves it running', async () => {
      const redis = await startLocalRedis();
      onTestFinished(() => redis.stop());
      const { flags } = await freePorts();
      const run = start(flags, { REDIS_URL: redis.url });
      await untilReady(run);
      expect(run.output()).toContain(`sharing rooms through Redis at ${redis.url}.`);
      await stopsAll(run, 'SIGINT');
      expect(() => process.kill(redis.pid, 0)).not.toThrow();
    });
  });

  test.skipIf(!capabilities.redisServer)(
    '--regions gives each region a Redis, as far away as --rtt says',
    async () => {
      const { port, opsPort, flags } = await freePorts();
      const run = start([...flags, '--regions', '--rtt', '40']);
      await untilReady(run);
      expect(run.output()).toContain("a Redis for each region, 40 ms apart: beijing's at redis://");
      const metrics = async () => (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
      const meanOf = (text: string, home: string) => {
        const read = (what: string) =>
          Number(RegExp(`doorbell_loop_seconds_${what}\\{home="${home}"\\} (\\S+)`).exec(text)?.[1]);
        return read('sum') / read('count');
      };
      await eventually(async () => meanOf(await metrics(), 'shanghai') > 0.039, {
        timeoutMs: 10_000,
        what: 'a way to Shanghai and back that takes 40 ms',
      });
      expect(meanOf(await metrics(), 'beijing')).toBeLessThan(0.03);
      expect(run.output()).toContain(`http://127.0.0.1:${port + 1}/?region=shanghai`);
      await eventually(async () => {
        const { regions } = await (await fetch(`http://127.0.0.1:${port}/regions`)).json();
        expect(regions).toEqual([
          { name: 'beijing', endpoints: [`http://127.0.0.1:${port}/`], nodes: 1 },
          { name: 'shanghai', endpoints: [`http://127.0.0.1:${port + 1}/`], nodes: 1 },
        ]);
      });
      await stopsAll(run, 'SIGINT');
    },
  );

  test('--memory runs all nodes in one process', async () => {
    const { opsPort, flags } = await freePorts();
    const run = start([...flags, '--memory']);
    await untilReady(run);
    expect(run.output()).toContain(`sharing rooms through memory in one process (pid ${run.child.pid})`);
    expect(processesOf(run)).toEqual([run.child.pid]);
    expect(await isReady(opsPort)).toBe(true);
    expect(await isReady(opsPort + 1)).toBe(true);
    await stopsAll(run, 'SIGINT');
  });

  test("prints where the operators' console is, and the token that it asks for", async () => {
    const { opsPort, flags } = await freePorts();
    const run = start([...flags, '--memory']);
    await untilReady(run);
    expect(run.output()).toContain(`console  http://127.0.0.1:${opsPort}/console`);
    const [, token] = /operators' token: (\S+)/.exec(run.output()) ?? [];
    const nodes = await fetch(`http://127.0.0.1:${opsPort + 1}/admin/v1/nodes`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await nodes.json()).toMatchObject({ nodes: [{ id: 'beijing-1' }, { id: 'shanghai-1' }] });
    await stopsAll(run, 'SIGINT');
  });

  test('without any Redis on the PATH it takes memory', async () => {
    const { flags } = await freePorts();
    const run = start(flags, { PATH: '/nonexistent' });
    await untilReady(run);
    expect(run.output()).toContain('through memory in one process');
    await stopsAll(run, 'SIGINT');
  });

  test('goes on when the reader of its output has gone', async () => {
    const { opsPort, flags } = await freePorts();
    const run = start([...flags, '--memory']);
    run.child.stdout?.destroy();
    await eventually(() => isReady(opsPort + 1), { timeoutMs: 40_000, what: 'the second node is ready' });
    await stopsAll(run, 'SIGINT');
  });

  describe('says in one line what is wrong, and leaves nothing running:', () => {
    async function failsWith(run: Run, line: RegExp): Promise<void> {
      expect(await run.ended).toBe(1);
      expect(run.output()).toBe(run.errors());
      expect(run.errors()).toMatch(/^fenghuo: [^\n]+\n$/);
      expect(run.errors()).toMatch(line);
      expect(processesOf(run)).toEqual([]);
    }

    test('a wrong option', async () => {
      await failsWith(start(['--nodes', 'many']), /--nodes "many" is not a whole number from 1 to 16/);
    });

    test('a busy port, with the node that wants it', async () => {
      const { port, flags } = await freePorts();
      const squatter = createServer().listen(port + 1, '127.0.0.1');
      onTestFinished(() => void squatter.close());
      const line = new RegExp(`port ${port + 1}, the client port of node shanghai-1, is in use; .*--port`);
      await failsWith(start(flags), line);
      await failsWith(start([...flags, '--memory']), line);
    });

    test('a Redis that does not answer', async () => {
      const { flags } = await freePorts();
      const url = `redis://someone:secret@127.0.0.1:${await freePort()}`;
      const run = start([...flags, '--redis', url]);
      await failsWith(run, /the Redis at redis:\/\/….* does not answer \(connect ECONNREFUSED .*--memory/);
      expect(run.output()).not.toContain('secret');
    });

    test('a setting that the nodes refuse', async () => {
      const { flags } = await freePorts();
      await failsWith(start(flags, { RESUME_WINDOW_MS: 'long' }), /RESUME_WINDOW_MS/);
      await failsWith(start([...flags, '--memory'], { RESUME_WINDOW_MS: 'long' }), /RESUME_WINDOW_MS/);
    });
  });
});
