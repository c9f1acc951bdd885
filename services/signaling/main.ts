import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { startNode } from './assemble.ts';
import { parseConfig } from './config.ts';
import { doctor } from './doctor/index.ts';
import type { RunningNode } from './node.ts';

/**
 * One node of the cluster, as a process: settings from the environment. SIGTERM drains and then ends it; a second one,
 * or SIGINT (Ctrl-C), ends it at once. With the argument `doctor` it looks at what a node would need, and ends.
 */
setFlagsFromString('--no-allocation-site-pretenuring'); // Decision 83; a node has to say so itself, NODE_OPTIONS may not.
process.stdout.on('error', () => {}); // Whoever read the log is gone; calls go on without it.
const [order, ...args] = process.argv.slice(2);
if (order === 'doctor')
  process.exit(await doctor(args, process.env, (text) => void process.stdout.write(text)));
if (order !== undefined) {
  console.error('A node takes its settings from the environment; its only argument is "doctor".');
  process.exit(2);
}
/**
 * V8 compiles what ran last on threads of its own. One that waits for the collector when the process exits is waited for
 * by the exit, and neither ends (nodejs/node#54918, open); before, it is done in no time.
 */
const COMPILING_MS = 100;

const node = await start();
let isDraining = false;
let isStopping = false;

process.on('SIGTERM', () => void (isDraining ? stop() : drain()));
process.on('SIGINT', () => void stop());
// Started by `npm start`: the parent is gone, however it went.
if (process.channel !== undefined) process.once('disconnect', () => void stop());

async function start(): Promise<RunningNode> {
  try {
    return await startNode(parseConfig(process.env));
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

async function drain(): Promise<void> {
  isDraining = true;
  await node.drain();
  await stop();
}

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await node.stop();
  await sleep(COMPILING_MS);
  process.exit(0);
}
