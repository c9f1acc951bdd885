import { setTimeout as sleep } from 'node:timers/promises';

import type { NodeUnderTest } from '../../services/loadtest/node-under-test.ts';
import type { Spread } from '../../services/loadtest/samples.ts';
import { malformedScriptOf, scriptOf } from './generate/script.ts';
import { driveLanes, kindOf, newTraffic, type Traffic } from './lanes.ts';
import type { FuzzOptions } from './options.ts';
import { type HonestPair, startHonestPair } from './oracles/honest-pair.ts';
import { type Newcomers, startNewcomers } from './oracles/newcomers.ts';
import { type NodeWatch, type Vitals, vitalsOf, watchNode } from './oracles/node-watch.ts';
import { type Happened, nodeDied, Shrinker } from './shrink.ts';
import { CLUSTERS, type ClusterName, type Script, scriptText } from './steps.ts';
import { startTarget, type Target, type TargetOptions } from './target.ts';

export interface FuzzReport {
  readonly seed: number;
  readonly connections: number;
  readonly packets: number;
  readonly seconds: number;
  readonly honest: readonly HonestReport[];
  readonly nodes: readonly NodeReport[];
  /** Nothing, where all is well. */
  readonly findings: readonly string[];
}

interface HonestReport {
  readonly cluster: ClusterName;
  /** Before the first connection of the fuzzer, and with it. */
  readonly calm: Spread | undefined;
  readonly fuzzed: Spread | undefined;
  readonly joins: Spread | undefined;
}

interface NodeReport {
  readonly id: string;
  readonly before: Vitals;
  readonly after: Vitals;
  readonly rssPeakMb: number;
}

const CALM_MS = 2_000;
const PROGRESS_MS = 10_000;
/** Detached sessions are over by then, and sockets that never said goodbye. */
const SETTLED_WITHIN_MS = 45_000;
/** How much more a node may hold at the end than before. Its young generation alone takes 48 MB when it is in use. */
const GROWTH_MB = 150;
/** Connections to Redis and of those who ask for metrics come and go. */
const FILES_SPARE = 8;
const HONEST_P99_MS = 1_000;
const SHRINK_MS = 180_000;
/** What a node dies of, it mostly dies of at once: it is of those who did something last. */
const LIKELY = 8;
const DEATHS_EVERY_MS = 10;
const COMPLAINTS_SHOWN = 12;
/** Of an answer that is not as documented, which comes of one connection. */
const SHRINK_REPLY_MS = 20_000;

/** What is watched of one cluster. */
interface Watched {
  readonly target: Target;
  readonly pair: HonestPair;
  readonly newcomers: Newcomers;
  readonly watches: readonly NodeWatch[];
  readonly calm: Spread | undefined;
}

/** One run: clusters of its own, honest people, the fuzzer, and what came of it. */
export async function fuzz(
  options: FuzzOptions,
  say: (line: string) => void,
  calledOff: AbortSignal,
): Promise<FuzzReport> {
  const startedMs = performance.now();
  const targetOptions = {
    hasLimits: options.hasLimits,
    ...(options.logsDir === undefined ? {} : { logsDir: options.logsDir }),
  };
  const targets: Target[] = [];
  try {
    for (const name of CLUSTERS) targets.push(await startTarget(name, targetOptions));
    const watched = await Promise.all(targets.map(watch));
    const traffic = newTraffic();
    const suspects = await drive(options, targets, traffic, say, calledOff);
    const crashes = crashesOf(targets);
    const nodes = crashes.length > 0 ? [] : await settle(watched);
    const findings = [...crashes, ...nodes.flatMap(growthOf)];
    const honest = await endHonest(watched, findings);
    for (const target of targets) await target.stop();
    const traces =
      crashes.length > 0
        ? await deathTraces(suspects, targets, targetOptions, say)
        : await replyTraces(traffic, targetOptions);
    return {
      seed: options.seed,
      connections: traffic.connections,
      packets: traffic.packets,
      seconds: Math.round((performance.now() - startedMs) / 1_000),
      honest,
      nodes,
      findings: [...findings, ...(crashes.length > 0 ? [] : complaintsOf(targets)), ...traces],
    };
  } finally {
    for (const target of targets) await target.stop();
  }
}

async function watch(target: Target): Promise<Watched> {
  const pair = await startHonestPair(target);
  await sleep(CALM_MS);
  const calm = pair.takeSpread();
  const watches = await Promise.all(target.cluster.nodes.map(watchNode));
  return { target, pair, calm, watches, newcomers: startNewcomers(target) };
}

/** By cluster, of the moment in which a node of it was seen dead. */
type Suspects = ReadonlyMap<ClusterName, readonly Script[]>;

/** Until scripts, time or a node are at an end. */
async function drive(
  options: FuzzOptions,
  targets: readonly Target[],
  traffic: ReturnType<typeof newTraffic>,
  say: (line: string) => void,
  calledOff: AbortSignal,
): Promise<Suspects> {
  const { durationMs, connections, malformed, only } = options;
  const make = malformed === undefined ? scriptOf : malformedScriptOf;
  const over = new AbortController();
  const startMs = performance.now();
  const end = () => over.abort();
  const timer = durationMs === undefined ? undefined : setTimeout(end, durationMs);
  const suspects = new Map<ClusterName, readonly Script[]>();
  const lookForDead = () => {
    for (const { name, crashes } of targets) {
      if (crashes.length === 0 || suspects.has(name)) continue;
      suspects.set(name, traffic.suspects(name));
      end();
    }
  };
  const deaths = setInterval(lookForDead, DEATHS_EVERY_MS);
  const progress = setInterval(
    () => say(`${traffic.connections} connections, ${traffic.packets} packets`),
    PROGRESS_MS,
  );
  calledOff.addEventListener('abort', end);
  let count = 0;
  const left = [...(only ?? [])];
  const next = (): Script | undefined => {
    if (only !== undefined) return left.length === 0 ? undefined : make(left.shift() ?? 0, options);
    if (connections !== undefined && count >= connections) return undefined;
    if (malformed !== undefined && traffic.packets >= malformed) return undefined;
    return make(count++, options);
  };
  const everyMs =
    durationMs === undefined || connections === undefined ? 0 : (durationMs * 0.95) / connections;
  const waitMs = ({ index }: Script) => (everyMs === 0 ? 0 : startMs + index * everyMs - performance.now());
  try {
    await driveLanes({ targets, atOnce: options.atOnce, next, waitMs, signal: over.signal }, traffic);
    // What was sent last may take a moment to do its harm.
    await sleep(CALM_MS);
    lookForDead();
    return suspects;
  } finally {
    clearTimeout(timer);
    clearInterval(deaths);
    clearInterval(progress);
    calledOff.removeEventListener('abort', end);
  }
}

function crashesOf(targets: readonly Target[]): string[] {
  return targets.flatMap(({ name, crashes }) => crashes.map((text) => `AUTH=${name}: ${text}`));
}

function complaintsOf(targets: readonly Target[]): string[] {
  return targets.flatMap(({ name, cluster }) =>
    cluster.complaints.map((line) => `AUTH=${name}, in the log: ${line}`),
  );
}

/** Waits until nodes hold no more than before. */
async function settle(watched: readonly Watched[]): Promise<NodeReport[]> {
  const reports: NodeReport[] = [];
  for (const { newcomers } of watched) await newcomers.stop();
  for (const { target, watches } of watched) {
    for (const [index, { id, history }] of watches.entries()) {
      const before = history[0] as Vitals;
      const after = await lastVitals(target.cluster.nodes[index] as NodeUnderTest, before);
      const rssPeakMb = Math.max(...history.map(({ rssMb }) => rssMb));
      reports.push({ id: `${id} of AUTH=${target.name}`, before, after, rssPeakMb });
    }
  }
  return reports;
}

/** What a node holds in the end and did not before. */
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

async function lastVitals(node: NodeUnderTest, before: Vitals): Promise<Vitals> {
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const now = await vitalsOf(node);
    const isSettled =
      now.connections === before.connections && now.openFiles <= before.openFiles + FILES_SPARE;
    if (isSettled || performance.now() > deadline) return now;
    await sleep(250);
  }
}

async function endHonest(watched: readonly Watched[], findings: string[]): Promise<HonestReport[]> {
  const reports: HonestReport[] = [];
  for (const { target, pair, newcomers, watches, calm } of watched) {
    for (const each of watches) each.stop();
    await newcomers.stop();
    const isDead = target.crashes.length > 0;
    await pair.stop();
    const fuzzed = pair.takeSpread();
    reports.push({ cluster: target.name, calm, fuzzed, joins: newcomers.joins() });
    // Of those on a node that is dead nothing else is to be expected.
    if (isDead) continue;
    findings.push(...watches.flatMap((each) => each.findings), ...pair.findings, ...newcomers.findings);
    if ((fuzzed?.p99 ?? Number.POSITIVE_INFINITY) > HONEST_P99_MS)
      findings.push(`honest pair of AUTH=${target.name}: p99 ${fuzzed?.p99} ms`);
  }
  return reports;
}

/** What ended a node, as short as it could be made. */
async function deathTraces(
  allSuspects: Suspects,
  targets: readonly Target[],
  options: TargetOptions,
  say: (line: string) => void,
): Promise<string[]> {
  const dead = targets.filter(({ crashes }) => crashes.length > 0);
  const complaints = complaintsOf(dead).slice(0, COMPLAINTS_SHOWN);
  const traces: string[] = [];
  for (const { name } of dead) {
    const suspects = allSuspects.get(name) ?? [];
    say(`a node died; ${suspects.length} connections may have done it, looking for the least that does`);
    const least = await new Shrinker(options, nodeDied, SHRINK_MS).shrink(
      suspects.slice(0, LIKELY),
      suspects,
    );
    const title =
      least === undefined
        ? 'none of these did it again by itself:'
        : `the least that ends a node of AUTH=${name}:`;
    traces.push([title, ...(least ?? suspects).map(scriptText)].join('\n'));
  }
  return [...complaints, ...traces];
}

async function replyTraces({ findings }: Traffic, options: TargetOptions): Promise<string[]> {
  const traces: string[] = [];
  for (const { what, script } of findings) {
    const isFoundAgain: Happened = async (_, played) =>
      played.some((each) => each.findings.some((found) => kindOf(found) === kindOf(what)));
    const [least = script] =
      (await new Shrinker(options, isFoundAgain, SHRINK_REPLY_MS).shrink([script])) ?? [];
    traces.push(`${what}\n${scriptText(least)}`);
  }
  return traces;
}
