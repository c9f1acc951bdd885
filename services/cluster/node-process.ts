import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { isReady } from './is-ready.ts';
import type { NodePlan } from './node-plan.ts';
import { StartFailure } from './start-failure.ts';

/** A signaling node in a process of its own. */
export interface NodeProcess {
  readonly plan: NodePlan;
  readonly pid: number;
  /** How it ended: its exit code or the signal, in words. */
  readonly ended: Promise<string>;
  /** Resolves once it takes clients. Throws a StartFailure with the node's own words where it ends before. */
  ready(): Promise<void>;
  /** Asks it to end without a drain, and ends it after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../signaling/main.ts', import.meta.url));
/** As `npm run node` and the image have it: left to itself, V8 takes up to twice as much for each idle connection. */
const MEMORY = '--max-semi-space-size=16';
const READY_MS = 15_000;
const POLL_MS = 50;
const LINES_KEPT = 200;

export interface NodeProcessOptions {
  /** How many files it may hold open at most, for tests; without it, as many as this process. */
  readonly filesMax?: number;
}

/** Starts the node; what it prints is shown under its name once it is ready. */
export function startNodeProcess(
  plan: NodePlan,
  env: Record<string, string>,
  print: (line: string) => void,
  { filesMax }: NodeProcessOptions = {},
): NodeProcess {
  const command = [process.execPath, MEMORY, MAIN];
  // Only a shell can lower the limit before Node starts, which raises the soft one to the hard one.
  const limited =
    filesMax === undefined
      ? command
      : ['sh', '-c', 'ulimit -n "$0" && exec "$@"', String(filesMax), ...command];
  // A process group of its own, so that Ctrl-C reaches it once, through us; the channel tells it when we are gone.
  const child = spawn(limited[0] as string, limited.slice(1), {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const early: string[] = [];
  let isShown = false;
  const complaints: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    onLines(stream, (line) => {
      if (stream === child.stderr && complaints.length < LINES_KEPT) complaints.push(line);
      if (isShown) print(`${plan.nodeId} | ${line}`);
      else early.push(line);
    });
  }
  let end: string | undefined;
  const ended = new Promise<string>((resolve) => {
    const finish = (how: string) => {
      end ??= how;
      resolve(how);
    };
    child.once('error', (error) => finish(error.message));
    child.once('close', (code, signal) => finish(signal === null ? `exit code ${code}` : signal));
  });

  async function ready(): Promise<void> {
    const deadline = performance.now() + READY_MS;
    while (!(await isReady(plan))) {
      if (end !== undefined)
        throw new StartFailure(
          `node ${plan.nodeId} did not start: ${causeIn(complaints) ?? early.at(-1) ?? end}`,
        );
      if (performance.now() > deadline) {
        const words = causeIn(complaints) ?? early.at(-1) ?? 'it said nothing';
        throw new StartFailure(
          `node ${plan.nodeId} was not ready within ${READY_MS / 1000} s (${words}); try LOG_LEVEL=info npm start to see why.`,
        );
      }
      await Promise.race([sleep(POLL_MS), ended]);
    }
    isShown = true;
    for (const line of early) print(`${plan.nodeId} | ${line}`);
  }

  async function stop(graceMs: number): Promise<void> {
    // SIGTERM would have it send its clients elsewhere first; whoever stops all nodes has no elsewhere.
    child.kill('SIGINT');
    await Promise.race([ended, sleep(graceMs, undefined, { ref: false })]);
    child.kill('SIGKILL');
    await ended;
  }

  return { plan, pid: child.pid ?? 0, ended, ready, stop };
}

/** The line that names the cause: of an uncaught error the one above its stack, else the last one. */
function causeIn(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => /^(\w*Error|\w*Failure)( \[\w+\])?: /.test(line)) ?? lines.at(-1);
}

function onLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') onLine(line);
  });
  stream?.on('end', () => {
    if (rest.trim() !== '') onLine(rest);
  });
}
