// Working copies against each other, to see what a change brings: their clusters run at once and take turns, second by second,
// so that a machine which is slower for a minute is slower for all of them.
//   node_modules/.bin/node test/bench/paired.ts saturation 16 ../before .
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { type BenchCluster, startCluster } from './cluster.ts';
import type { Contestant } from './contestants/index.ts';
import { Traffic } from './generator/traffic.ts';
import { drained, seatPairs } from './parts.ts';
import { FULL } from './plan.ts';
import { median } from './ratios.ts';
import { type Cost, measureWindow } from './window.ts';

interface Rival {
  readonly dir: string;
  readonly cluster: BenchCluster;
  readonly traffic: Traffic;
  readonly turns: Cost[];
}

const USAGE = 'usage: paired.ts saturation|fixed TURNS DIR DIR…\n';
const HOSTS = 2;
const WARM_MS = 3_000;
/** What the first messages of a turn suffer is not counted. */
const SETTLE_MS = 150;
const TURN_MS = 1_000;

async function main(): Promise<void> {
  const [mode, turns = '', ...dirs] = process.argv.slice(2);
  if ((mode !== 'saturation' && mode !== 'fixed') || !/^[1-9]\d*$/.test(turns) || dirs.length < 2) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
  const rivals: Rival[] = [];
  try {
    for (const dir of dirs) rivals.push(await enter(dir));
    for (const rival of rivals) await takeTurn(rival, 'saturation', WARM_MS);
    for (const { turns: done } of rivals) done.length = 0;
    for (let turn = 0; turn < Number(turns); turn++)
      for (const rival of turn % 2 === 0 ? rivals : rivals.toReversed()) await takeTurn(rival, mode, TURN_MS);
    for (const rival of rivals) process.stdout.write(`${lineOf(rival, rivals[0] ?? rival)}\n`);
  } finally {
    for (const { cluster } of rivals) await cluster.stop();
  }
}

/** Its nodes are those of its own folder; the generator is ours. */
async function enter(dir: string): Promise<Rival> {
  const file = join(resolve(dir), 'test/bench/contestants/fenghuo.ts');
  const { fenghuo } = (await import(pathToFileURL(file).href)) as { readonly fenghuo: Contestant };
  const cluster = await startCluster(fenghuo, HOSTS);
  return { dir, cluster, traffic: new Traffic(await seatPairs(cluster, FULL.sizes.pairs, HOSTS)), turns: [] };
}

async function takeTurn(
  { cluster, traffic, turns }: Rival,
  mode: 'saturation' | 'fixed',
  ms: number,
): Promise<void> {
  if (mode === 'saturation') traffic.saturate(FULL.sizes.underWay);
  else traffic.openLoop(FULL.sizes.rate);
  await sleep(SETTLE_MS);
  turns.push(await measureWindow(cluster, traffic, ms));
  await drained(traffic);
  const failures = new Set(traffic.seats.flatMap((seat) => seat.failures));
  if (traffic.delivered < traffic.sent || traffic.misdelivered > 0)
    throw new Error(`a message was lost: ${[...failures].join(', ') || 'in silence'}`);
}

function lineOf({ dir, turns }: Rival, first: Rival): string {
  const of = (figure: (cost: Cost) => number) => median(turns.map(figure)).toFixed(1);
  const ratio = (figure: (cost: Cost) => number) =>
    median(turns.map((cost, at) => figure(cost) / figure(first.turns[at] ?? cost))).toFixed(3);
  const [nodes, redis] = [({ nodesUs }: Cost) => nodesUs, ({ redisUs }: Cost) => redisUs];
  return `${dir}: nodes ${of(nodes)} µs a message, Redis ${of(redis)} µs; to the first ${ratio(nodes)} and ${ratio(redis)}`;
}

main()
  .catch((error: unknown) => {
    process.stderr.write(`paired: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  })
  .finally(() => process.exit());
