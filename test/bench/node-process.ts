import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { freePort } from '@fenghuo/cluster';

/** One node of a contestant, on loopback, in a process of its own. */
export interface BenchNode {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** What a node's program is told. */
export interface NodeTask {
  readonly port: number;
  /** From 0. */
  readonly index: number;
  readonly redisUrl: string;
  /** Signs the tokens that it takes, with HS256. */
  readonly secret: string;
  /** The contestant, where several share a program. */
  readonly kind: string;
}

const READY_MS = 15_000;
/** Long enough to write a profile. */
const STOP_MS = 5_000;

const given = new Set<number>();

/** A free port that no other node of this run was given: several start at once. */
export async function portForNode(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** Runs one of `nodes/`, which says over the channel that it listens, and ends when the channel does. */
export async function startBenchNode(program: string, task: Omit<NodeTask, 'port'>): Promise<BenchNode> {
  const port = await portForNode();
  const script = fileURLToPath(new URL(`./nodes/${program}`, import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify({ ...task, port })], {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  const ended = once(child, 'close');
  const late = sleep(READY_MS, 'late', { ref: false });
  const first = await Promise.race([once(child, 'message'), ended, late]);
  const stop = async () => {
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(STOP_MS, undefined, { ref: false })]);
    child.kill('SIGKILL');
    await ended;
  };
  if (first === 'late' || first[0] !== 'ready' || child.pid === undefined) {
    await stop();
    throw new Error(`${task.kind}: its node did not start: ${complaint.trim() || 'it said nothing'}`);
  }
  return { port, pid: child.pid, stop };
}
