import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

import type { Spread } from '../../../services/loadtest/samples.ts';
import type { ClusterName } from '../steps.ts';
import { startHonestPair } from './honest-pair.ts';
import { startNewcomers } from './newcomers.ts';
import { type NodeWatch, type Vitals, vitalsOf, watchNode } from './node-watch.ts';
import type { Witnessed, WitnessedNode } from './witnessed.ts';

/** The observations of honest clients, and the nodes' own figures. */
export interface Testimony {
  readonly cluster: ClusterName;
  /** Of what the honest pair sent: before the first connection of the fuzzer, and with it. */
  readonly calm: Spread | undefined;
  readonly fuzzed: Spread | undefined;
  readonly joins: Spread | undefined;
  /** The number of `unavailable` answers to the honest pair. It then sent the request again. */
  readonly withheld: number;
  /** None where nodes are dead. */
  readonly nodes: readonly NodeReport[];
  readonly findings: readonly string[];
}

export interface NodeReport {
  readonly id: string;
  readonly before: Vitals;
  readonly after: Vitals;
  /** The peaks of the run's two halves: of a node that leaks, the second is higher. */
  readonly rssPeaksMb: readonly [number, number];
}

const CALM_MS = 2_000;
/** Detached sessions are over by then, and sockets that never said goodbye. */
const SETTLED_WITHIN_MS = 45_000;
/** How much more a node may hold at the end than before. Its young generation alone takes 48 MB when it is in use. */
const GROWTH_MB = 100;
/** Connections to Redis and to the metrics come and go. */
const FILES_SPARE = 8;
/** Of what the honest pair sends; far more than calm, since the machine may have other work. */
const P99_MS = 2_000;

async function main(cluster: Witnessed): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('this runs as a thread of a fuzzer');
  const pair = await startHonestPair(cluster);
  await sleep(CALM_MS);
  const calm = pair.takeSpread();
  const watches = await Promise.all(cluster.nodes.map(watchNode));
  const newcomers = startNewcomers(cluster);
  port.postMessage('ready');
  const [how] = (await once(port, 'message')) as ['alive' | 'dead'];
  await newcomers.stop();
  const nodes = how === 'dead' ? [] : await settle(cluster, watches);
  for (const each of watches) each.stop();
  await pair.stop();
  const fuzzed = pair.takeSpread();
  const findings = [
    ...nodes.flatMap(growthOf),
    ...watches.flatMap((each) => each.findings),
    ...pair.findings,
    ...newcomers.findings,
    ...(fuzzed !== undefined && fuzzed.p99 <= P99_MS ? [] : [`the honest pair: p99 ${fuzzed?.p99} ms`]),
  ];
  port.postMessage({
    cluster: cluster.name,
    calm,
    fuzzed,
    joins: newcomers.joins(),
    withheld: pair.withheld,
    nodes,
    findings: how === 'dead' ? [] : findings,
  } satisfies Testimony);
}

/** Waits until nodes hold no more than before. */
async function settle({ nodes }: Witnessed, watches: readonly NodeWatch[]): Promise<NodeReport[]> {
  const reports: NodeReport[] = [];
  for (const [index, { id, history }] of watches.entries()) {
    const before = history[0] as Vitals;
    const after = await lastVitals(nodes[index] as WitnessedNode, before);
    reports.push({ id, before, after, rssPeaksMb: peaksOf(history.map(({ rssMb }) => rssMb)) });
  }
  return reports;
}

function peaksOf(rssMb: readonly number[]): [number, number] {
  const middle = Math.ceil(rssMb.length / 2);
  return [Math.max(...rssMb.slice(0, middle)), Math.max(...rssMb.slice(middle))];
}

async function lastVitals(node: WitnessedNode, before: Vitals): Promise<Vitals> {
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const now = await vitalsOf(node);
    const isSettled =
      now.connections === before.connections && now.openFiles <= before.openFiles + FILES_SPARE;
    if (isSettled || performance.now() > deadline) return now;
    await sleep(250);
  }
}

/** The growth of a node's figures past the bounds. */
function growthOf({ id, before, after }: NodeReport): string[] {
  return [
    ...(after.connections === before.connections
      ? []
      : [`${id} counts ${after.connections} connections, ${before.connections} before`]),
    ...(after.openFiles <= before.openFiles + FILES_SPARE
      ? []
      : [`${id} has ${after.openFiles} files open, ${before.openFiles} before`]),
    ...(after.rssMb <= before.rssMb + GROWTH_MB
      ? []
      : [`${id} holds ${after.rssMb} MB, ${before.rssMb} MB before`]),
  ];
}

await main(workerData as Witnessed);
