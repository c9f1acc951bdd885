// `npm start`: several nodes, and a Redis where one is found, on this machine.
import { randomBytes } from 'node:crypto';

import { memoryNodes } from './memory-nodes.ts';
import { nodeEnvironment, planNodes } from './node-plan.ts';
import { startNodeProcess } from './node-process.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { requireFreePorts } from './ports.ts';
import { sharedRedis } from './shared-redis.ts';
import { summary } from './summary.ts';

/** With what Redis takes to end, everything is gone within 3 s. */
const NODE_STOP_MS = 2_000;

/** What was started, in order; ended in the opposite order. */
const closers: (() => Promise<void>)[] = [];
let isStopping = false;

async function main(): Promise<void> {
  // A reader that has gone (`npm start | head`) is no reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  // The order comes twice where the terminal and npm both pass it on: the first one counts.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
  process.on('disconnect', () => void stop(0));
  await start(options);
}

async function start(options: Options): Promise<void> {
  const plans = planNodes(options);
  await requireFreePorts(plans);
  const redis = await sharedRedis(options, {
    started: (close) => closers.push(close),
    ended(name, { pid }) {
      if (!isStopping)
        print(`${name} (pid ${pid}) ended; nodes answer "unavailable". Stop with Ctrl-C, and start anew.`);
    },
  });
  const adminToken = process.env.ADMIN_TOKEN || randomBytes(24).toString('base64url');
  const env = { ...process.env, ADMIN_TOKEN: adminToken };
  // A token that the caller chose is the caller's to show.
  const text = { plans, redis, madeToken: process.env.ADMIN_TOKEN ? undefined : adminToken };
  if (redis === undefined) {
    const nodes = await memoryNodes(plans, env);
    closers.push(() => nodes.stop(NODE_STOP_MS));
    print(summary({ ...text, pids: plans.map(() => process.pid) }));
    return;
  }
  const nodes = plans.map((plan) =>
    startNodeProcess(plan, nodeEnvironment(plan, redis.settingsOf(plan), env), print),
  );
  closers.push(async () => void (await Promise.all(nodes.map((node) => node.stop(NODE_STOP_MS)))));
  await Promise.all(nodes.map((node) => node.ready()));
  if (isStopping) return;
  print(summary({ ...text, pids: nodes.map((node) => node.pid) }));

  let running = nodes.length;
  for (const node of nodes) {
    void node.ended.then((how) => {
      running -= 1;
      if (isStopping) return;
      const others = running === 0 ? 'none is left' : `${running} ${running === 1 ? 'goes' : 'go'} on`;
      print(`Node ${node.plan.nodeId} (pid ${node.pid}) ended: ${how}; ${others}.`);
      if (running === 0) void stop(1);
    });
  }
}

async function stop(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  for (const close of closers.reverse()) await close().catch(complain);
  process.exit(exitCode);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Says what went wrong in one line. */
function complain(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`fenghuo: ${message.trim().replace(/\s*\n\s*/g, '; ')}`);
}

main().catch((error: unknown) => {
  if (isStopping) return;
  complain(error);
  void stop(1);
});
