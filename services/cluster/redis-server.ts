import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterOurDeath } from './death-guard.ts';
import { freePort } from './ports.ts';

/** A Redis of our own on loopback, gone with this process however that ends. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dir: string;
  /** Resolves when the server has ended, by `stop` or otherwise. */
  readonly ended: Promise<void>;
  /** Ends the server within `STOP_MS`, and removes its folder unless it was given one. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Defaults to a free one. */
  readonly port?: number;
  /** Defaults to a new folder, removed again by `stop`. */
  readonly dir?: string;
  /** More of redis-server's arguments, after ours. */
  readonly args?: readonly string[];
}

const STARTING_MS = 10_000;
const STOP_MS = 500;
const POLL_MS = 20;
/** A server that finds its port taken has ended by then; another one's answer is not taken for its own. */
const PORT_CLASH_MS = 50;
const PORT_TRIES = 5;

/** The first of redis-server and valkey-server on the PATH. */
export function findRedisServer(path = process.env.PATH ?? ''): string | undefined {
  const candidates = ['redis-server', 'valkey-server'].flatMap((name) =>
    path
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => join(folder, name)),
  );
  return candidates.find(isExecutable);
}

/** Starts a server that keeps nothing, and resolves when it answers. Throws with its own words where it does not. */
export async function startRedisServer(
  binary: string,
  options: RedisServerOptions = {},
): Promise<RedisServer> {
  if (options.port !== undefined) return startOn(options.port, binary, options);
  for (let triesLeft = PORT_TRIES; ; triesLeft -= 1) {
    try {
      return await startOn(await freePort(), binary, options);
    } catch (error) {
      // Another process may have taken the port since it was looked for.
      if (triesLeft <= 1 || !/in use/i.test(String(error))) throw error;
    }
  }
}

async function startOn(port: number, binary: string, options: RedisServerOptions): Promise<RedisServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'fenghuo-redis-'));
  const keepNothing = ['--save', '', '--appendonly', 'no'];
  const own = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--daemonize',
    'no',
    ...keepNothing,
  ];
  // A process group of its own, so that Ctrl-C reaches it through us: after the nodes.
  const child = spawn(binary, [...own, ...(options.args ?? [])], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lastLine = rememberLastLine(child);
  let failure: string | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      failure = error.message;
      resolve();
    });
  });
  const removeDir = () => {
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  const guard =
    child.pid === undefined
      ? undefined
      : afterOurDeath(
          'kill -9 "$0"; [ -z "$1" ] || rm -rf "$1"',
          String(child.pid),
          options.dir === undefined ? dir : '',
        );
  const stop = async () => {
    guard?.disarm();
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(STOP_MS, undefined, { ref: false })]);
    child.kill('SIGKILL');
    await ended;
    removeDir();
  };

  const deadline = performance.now() + STARTING_MS;
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  while (!(await answersPing(port))) {
    if (hasEnded || performance.now() > deadline) {
      await stop();
      throw new Error(`${binary} did not start: ${failure ?? lastLine() ?? 'it said nothing'}`);
    }
    await sleep(POLL_MS);
  }
  await sleep(PORT_CLASH_MS);
  if (hasEnded || child.pid === undefined) {
    await stop();
    throw new Error(`${binary} did not start: port ${port} is in use`);
  }
  return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid, dir, ended, stop };
}

/** Whether a Redis answers PING on this loopback port at once, if only by asking for a password. */
export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(500, () => finish(false));
    socket.on('data', (data) => finish(/^(\+PONG|-NOAUTH)/.test(data.toString())));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
  });
}

function rememberLastLine(child: ChildProcess): () => string | undefined {
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-4_000);
    });
  }
  return () => tail.trim().split('\n').at(-1);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
