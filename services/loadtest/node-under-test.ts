import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  afterOurDeath,
  type NodePlan,
  type NodeProcess,
  nodeEnvironment,
  operatorsUrl,
  pageUrl,
  startNodeProcess,
} from '@fenghuo/cluster';

import type { SilentProxy } from './silent-proxy.ts';

/** A node that a run may kill, freeze, send away and bring back under its name and ports. */
export interface NodeUnderTest {
  readonly id: string;
  /** Where clients connect: the node's own address, or a way to it that can go silent. */
  readonly endpoint: string;
  readonly opsUrl: string;
  /** Of the process that runs now. */
  readonly pid: number;
  readonly toRedis: SilentProxy | undefined;
  readonly fromClients: SilentProxy | undefined;
  /** Starts it, and resolves once it is ready. Throws a StartFailure with its own words where it is not. */
  start(): Promise<void>;
  kill(): Promise<void>;
  freeze(): void;
  wake(): void;
  /** SIGTERM. Resolves with how it ended. Throws where it goes on for longer than `withinMs`. */
  terminate(withinMs: number): Promise<string>;
  stop(): Promise<void>;
}

export interface NodeOptions {
  readonly plan: NodePlan;
  readonly redisUrl: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly toRedis?: SilentProxy;
  readonly fromClients?: SilentProxy;
  /** Where its log goes; without one only what it complains about is kept. */
  readonly logFile?: string;
  /** It ended, and not by our doing. */
  readonly crashed: (text: string) => void;
  /** A line of its log at level `error` or above. */
  readonly complained: (line: string) => void;
}

const STOP_MS = 2_000;
/** pino's `error`. */
const ERROR_LEVEL = 50;

export function nodeUnderTest(options: NodeOptions): NodeUnderTest {
  const { plan } = options;
  const env = { ...nodeEnvironment(plan, { REDIS_URL: options.redisUrl }, process.env), ...options.settings };
  let running: NodeProcess | undefined;
  /** A process that ends while it may is no crash. */
  let mayEnd = false;
  let frozen: { disarm(): void } | undefined;

  const print = (line: string) => {
    const text = line.slice(line.indexOf('| ') + 2);
    if (options.logFile !== undefined) appendFileSync(options.logFile, `${text}\n`);
    if (levelOf(text) >= ERROR_LEVEL) options.complained(`${plan.nodeId}: ${text}`);
  };

  const current = () => {
    if (running === undefined) throw new Error(`${plan.nodeId} was not started`);
    return running;
  };

  return {
    id: plan.nodeId,
    endpoint:
      options.fromClients === undefined
        ? pageUrl(plan).replace(/\/$/, '')
        : `http://127.0.0.1:${options.fromClients.port}`,
    opsUrl: operatorsUrl(plan),
    get pid() {
      return current().pid;
    },
    toRedis: options.toRedis,
    fromClients: options.fromClients,
    async start() {
      const started = startNodeProcess(plan, env, print);
      running = started;
      mayEnd = false;
      await started.ready();
      void started.ended.then((how) => {
        if (started === running && !mayEnd) options.crashed(`${plan.nodeId} ended by itself: ${how}`);
      });
    },
    async kill() {
      mayEnd = true;
      process.kill(current().pid, 'SIGKILL');
      await current().ended;
    },
    freeze() {
      // A stopped process would outlive us for ever.
      frozen = afterOurDeath('kill -9 "$0"', String(current().pid));
      process.kill(current().pid, 'SIGSTOP');
    },
    wake() {
      process.kill(current().pid, 'SIGCONT');
      frozen?.disarm();
      frozen = undefined;
    },
    async terminate(withinMs) {
      mayEnd = true;
      process.kill(current().pid, 'SIGTERM');
      const how = await Promise.race([current().ended, sleep(withinMs, undefined, { ref: false })]);
      if (how === undefined) throw new Error(`${plan.nodeId} goes on ${withinMs / 1_000} s after SIGTERM`);
      return how;
    },
    async stop() {
      mayEnd = true;
      frozen?.disarm();
      await running?.stop(STOP_MS);
    },
  };
}

/** Of a line of the log; what is no JSON is a stack trace, or a warning of Node's. */
function levelOf(text: string): number {
  const [, level] = /^\{"level":(\d+)/.exec(text) ?? [];
  return level === undefined ? ERROR_LEVEL : Number(level);
}
