import { setTimeout as sleep } from 'node:timers/promises';

import { malformedScriptOf, scriptOf } from './generate/script.ts';
import { driveLanes, kindOf, newTraffic, type Traffic } from './lanes.ts';
import type { FuzzOptions } from './options.ts';
import { type Happened, nodeDied, Shrinker } from './shrink.ts';
import { CLUSTERS, type ClusterName, type Script, scriptText } from './steps.ts';
import { startTarget, type Target, type TargetOptions } from './target.ts';
import { startWitness, type Testimony, type Witness } from './witness/index.ts';

export interface FuzzReport {
  readonly seed: number;
  readonly connections: number;
  readonly packets: number;
  readonly seconds: number;
  readonly testimonies: readonly Testimony[];
  /** Nothing, where all is well. */
  readonly findings: readonly string[];
}

const PROGRESS_MS = 10_000;
const DEATHS_EVERY_MS = 10;
/** A node may die a moment after the last packet. */
const AFTERMATH_MS = 1_000;
const SHRINK_MS = 180_000;
/** Of an answer that is not as documented, which comes of one connection. */
const SHRINK_REPLY_MS = 20_000;
/** A node mostly dies at once, so the guilty connection is among the most recently active. */
const LIKELY = 8;
const COMPLAINTS_SHOWN = 12;

/** One run: clusters of its own, honest people, the fuzzer, and what came of it. */
export async function fuzz(
  options: FuzzOptions,
  say: (line: string) => void,
  calledOff: AbortSignal,
): Promise<FuzzReport> {
  const startedMs = performance.now();
  const { hasLimits, logsDir } = options;
  const targetOptions = { hasLimits, ...(logsDir === undefined ? {} : { logsDir }) };
  const targets: Target[] = [];
  try {
    for (const name of CLUSTERS) targets.push(await startTarget(name, targetOptions));
    const witnesses = await Promise.all(targets.map(startWitness));
    const traffic = newTraffic();
    const suspects = await drive(options, targets, traffic, say, calledOff);
    const testimonies = await Promise.all(witnesses.map((witness, n) => endOf(witness, targets[n])));
    for (const target of targets) await target.stop();
    const traces =
      suspects.size > 0
        ? await deathTraces(suspects, targets, targetOptions, say)
        : await replyTraces(traffic, targetOptions);
    return {
      seed: options.seed,
      connections: traffic.connections,
      packets: traffic.packets,
      seconds: Math.round((performance.now() - startedMs) / 1_000),
      testimonies,
      findings: [...targets.flatMap(faultsOf), ...testimonies.flatMap(heardOf), ...traces],
    };
  } finally {
    for (const target of targets) await target.stop();
  }
}

function endOf(witness: Witness, target: Target | undefined): Promise<Testimony> {
  return witness.end(target?.crashes.length === 0 ? 'alive' : 'dead');
}

/** Of a cluster whose nodes died: that they did, and the first words of their stack. */
function faultsOf({ name, crashes, cluster }: Target): string[] {
  const lines = cluster.complaints.slice(0, COMPLAINTS_SHOWN);
  return [...crashes, ...lines.map((line) => `in the log: ${line}`)].map((text) => `AUTH=${name}: ${text}`);
}

function heardOf({ cluster, findings }: Testimony): string[] {
  return findings.map((text) => `AUTH=${cluster}: ${text}`);
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
  const over = new AbortController();
  const end = () => over.abort();
  const suspects = new Map<ClusterName, readonly Script[]>();
  const lookForDead = () => {
    for (const { name, crashes } of targets) {
      if (crashes.length === 0 || suspects.has(name)) continue;
      suspects.set(name, traffic.suspects(name));
      end();
    }
  };
  const { durationMs, atOnce } = options;
  const timers = [
    setInterval(lookForDead, DEATHS_EVERY_MS),
    setInterval(() => say(`${traffic.connections} connections, ${traffic.packets} packets`), PROGRESS_MS),
    ...(durationMs === undefined ? [] : [setTimeout(end, durationMs)]),
  ];
  calledOff.addEventListener('abort', end);
  try {
    await driveLanes({ targets, atOnce, signal: over.signal, ...scheduleOf(options, traffic) }, traffic);
    await sleep(AFTERMATH_MS);
    lookForDead();
    return suspects;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    calledOff.removeEventListener('abort', end);
  }
}

/** Which scripts there are, and when each may begin. */
function scheduleOf(options: FuzzOptions, traffic: Traffic) {
  const { durationMs, connections, malformed, only } = options;
  const make = (index: number) => (malformed === undefined ? scriptOf : malformedScriptOf)(index, options);
  const startMs = performance.now();
  const everyMs =
    durationMs === undefined || connections === undefined ? 0 : (durationMs * 0.95) / connections;
  const left = [...(only ?? [])];
  let count = 0;
  return {
    next(): Script | undefined {
      if (only !== undefined) {
        const index = left.shift();
        return index === undefined ? undefined : make(index);
      }
      const isDone = count >= (connections ?? Infinity) || traffic.packets >= (malformed ?? Infinity);
      return isDone ? undefined : make(count++);
    },
    waitMs: ({ index }: Script) => (everyMs === 0 ? 0 : startMs + index * everyMs - performance.now()),
  };
}

/** The shortest trace that ends a node, for each cluster with a dead node. */
async function deathTraces(
  allSuspects: Suspects,
  targets: readonly Target[],
  options: TargetOptions,
  say: (line: string) => void,
): Promise<string[]> {
  const traces: string[] = [];
  for (const { name } of targets) {
    const suspects = allSuspects.get(name);
    if (suspects === undefined) continue;
    say(`a node died; ${suspects.length} connections may have done it, looking for the least that does`);
    const shrinker = new Shrinker(options, nodeDied, SHRINK_MS);
    const least = await shrinker.shrink(suspects.slice(0, LIKELY), suspects);
    const title =
      least === undefined
        ? 'none of these did it again by itself:'
        : `the least that ends a node of AUTH=${name}:`;
    traces.push([title, ...(least ?? suspects).map(scriptText)].join('\n'));
  }
  return traces;
}

async function replyTraces({ findings }: Traffic, options: TargetOptions): Promise<string[]> {
  const traces: string[] = [];
  for (const { what, script } of findings) {
    const isFoundAgain: Happened = async (_, played) =>
      played.some((each) => each.findings.some((found) => kindOf(found) === kindOf(what)));
    const shrinker = new Shrinker(options, isFoundAgain, SHRINK_REPLY_MS);
    const [least = script] = (await shrinker.shrink([script])) ?? [];
    traces.push(`${what}\n${scriptText(least)}`);
  }
  return traces;
}
