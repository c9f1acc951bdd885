import { setTimeout as sleep } from 'node:timers/promises';

import { type ClusterUnderTest, startClusterUnderTest } from './cluster-under-test.ts';
import { Crowd } from './crowd.ts';
import { inflict } from './faults.ts';
import { watchLoops } from './loop-delay.ts';
import { seededRandom } from './random.ts';
import { spreadOf } from './samples.ts';
import { faultsOf, type Limits, SCENARIOS, type Scenario, type ScenarioName } from './scenarios.ts';
import type { Fault } from './schedule.ts';
import { bringToRest } from './settle.ts';
import { startTraffic } from './traffic.ts';
import { type FaultReport, type Findings, judge, type Verdict } from './verdict.ts';

export interface RunOptions {
  readonly scenario: ScenarioName;
  readonly seed: number;
  /** How long there is traffic; longer where the faults need it. */
  readonly durationMs: number;
  /** Signals per second, over all clients. */
  readonly rate: number;
  /** Rooms of two; for each ten of them there is one more room of four. In a storm all are on one node. */
  readonly pairs: number;
  readonly nodes: number;
  readonly resumeWindowMs: number;
  /** Where the nodes' logs go. */
  readonly logsDir?: string;
  readonly logLevel?: string;
  /** In place of the scenario's own. */
  readonly limits?: Partial<Limits>;
  /** Calls the run off: everything is ended, and `run` rejects. */
  readonly signal?: AbortSignal;
  /** A line for whoever watches. */
  readonly say?: (line: string) => void;
}

export interface RunReport {
  readonly scenario: ScenarioName;
  readonly seed: number;
  readonly seconds: number;
  readonly clients: number;
  readonly nodes: number;
  readonly rate: number;
  readonly resumeWindowMs: number;
  readonly verdict: Verdict;
  readonly findings: Findings;
  /** Lines of the nodes' logs at level `error` or above, the first few. */
  readonly complaints: readonly string[];
}

const PAIRS_PER_FOUR = 10;
const JOINS_AT_ONCE = 20;
/** Traffic goes on for so long after the last fault. */
const TAIL_MS = 5_000;
const BACK_MS = 5_000;
const POLL_MS = 50;
/**
 * A storm is no hang. All these clients share one thread here, which alone takes seconds for so many handshakes, so none
 * may count its wait for that thread as the node's silence: socket.io's own time for a connection to open.
 */
const STORM_OPEN_MS = 20_000;
const STORM_ANSWER_MS = 10_000;

/** One scenario against a cluster of its own: traffic, faults, rest, verdict. Leaves nothing running. */
export async function run(options: RunOptions): Promise<RunReport> {
  const { scenario: name, seed, nodes, resumeWindowMs, say = () => {} } = options;
  const scenario: Scenario = SCENARIOS[name];
  const calledOff = options.signal ?? new AbortController().signal;
  const faults = faultsOf(name, seed, options.durationMs, nodes);
  const cluster = await startClusterUnderTest({
    nodes,
    redis: scenario.redis,
    hasSilentWays: scenario.kinds.some((kind) => kind.startsWith('cut-')),
    resumeWindowMs,
    logLevel: options.logLevel ?? (options.logsDir === undefined ? 'warn' : 'info'),
    ...(options.logsDir === undefined ? {} : { logsDir: options.logsDir }),
  });
  const isStorm = name === 'storm';
  const crowd = new Crowd({
    endpoints: cluster.nodes.map((node) => node.endpoint),
    roomSizes: roomSizes(options.pairs),
    isOnOneNode: isStorm,
    random: seededRandom(seed + 1),
    ...(isStorm ? { openMs: STORM_OPEN_MS, answerMs: STORM_ANSWER_MS } : {}),
  });
  const startMs = performance.now();
  try {
    say(`${name}, seed ${seed}: ${crowd.peers.length} clients on ${nodes} nodes join…`);
    await crowd.start(JOINS_AT_ONCE);
    calledOff.throwIfAborted();
    const findings = await exercise(options, cluster, crowd, faults, calledOff);
    const verdict = judge(findings, { ...scenario.limits, ...options.limits });
    return {
      scenario: name,
      seed,
      seconds: Math.round((performance.now() - startMs) / 100) / 10,
      clients: crowd.peers.length,
      nodes,
      rate: options.rate,
      resumeWindowMs,
      verdict,
      findings,
      complaints: cluster.complaints,
    };
  } finally {
    for (const peer of crowd.peers) peer.stop();
    await cluster.stop();
  }
}

async function exercise(
  options: RunOptions,
  cluster: ClusterUnderTest,
  crowd: Crowd,
  faults: readonly Fault[],
  signal: AbortSignal,
): Promise<Findings> {
  const { say = () => {} } = options;
  const traffic = startTraffic(crowd, options.rate);
  const reports: FaultReport[] = [];
  const startMs = performance.now();
  const elapsedMs = () => performance.now() - startMs;
  const until = async (atMs: number) => {
    await sleep(Math.max(0, atMs - elapsedMs()), undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  };
  let loopDelayP99Ms: number | undefined;
  try {
    for (const [index, fault] of faults.entries()) {
      await until(fault.atMs);
      const node = fault.node === undefined ? undefined : cluster.nodes[fault.node];
      const atMs = elapsedMs();
      const where = node === undefined ? '' : ` of ${node.id}`;
      say(
        `${seconds(atMs)} s  ${fault.kind}${where}${fault.lengthMs > 0 ? ` for ${seconds(fault.lengthMs)} s` : ''}`,
      );
      const loops = await watchLoops(cluster.nodes.filter((each) => each !== node));
      const bite = await inflict(fault, index, { cluster, crowd, signal }).catch((error: Error) => {
        // What cannot be healed is found below, by what is missing; this says why.
        if (!signal.aborted)
          cluster.crashes.push(`${fault.kind}${where} could not be healed: ${error.message}`);
        return { hasBitten: false, evidence: error.message, clients: 0 };
      });
      signal.throwIfAborted();
      await untilBack(crowd, index, options.scenario === 'storm' ? options.resumeWindowMs : BACK_MS, signal);
      const delayMs = await loops();
      if (delayMs !== undefined) loopDelayP99Ms = Math.max(loopDelayP99Ms ?? 0, delayMs);
      say(`${seconds(elapsedMs())} s    ${bite.evidence}${bite.hasBitten ? '' : ' (did not bite)'}`);
      reports.push({
        kind: fault.kind,
        ...(node === undefined ? {} : { node: node.id }),
        atMs,
        tookMs: elapsedMs() - atMs,
        ...bite,
      });
    }
    await until(Math.max(options.durationMs, faults.length === 0 ? 0 : elapsedMs() + TAIL_MS));
  } finally {
    traffic.stop();
  }
  say(`${seconds(elapsedMs())} s  traffic ends; waiting until everything has come to rest…`);
  const rest = await bringToRest(crowd, cluster, seededRandom(options.seed + 2), signal);
  return {
    planned: traffic.planned,
    ledger: crowd.ledger.sums(),
    crowd: crowd.sums(),
    ...rest,
    faults: reports.map((report, index) =>
      optional(report, 'resumeMs', spreadOf(crowd.resumeMs.get(index) ?? [])),
    ),
    crashes: cluster.crashes,
    ...(loopDelayP99Ms === undefined ? {} : { loopDelayP99Ms }),
    ...optional({}, 'resumeMs', spreadOf([...crowd.resumeMs.values()].flat())),
    ...optional({}, 'gapMs', spreadOf(crowd.gapsMs)),
  };
}

async function untilBack(crowd: Crowd, fault: number, withinMs: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!crowd.isBack(fault) && performance.now() < deadline && !signal.aborted) await sleep(POLL_MS);
}

function roomSizes(pairs: number): number[] {
  return [...Array<number>(pairs).fill(2), ...Array<number>(Math.floor(pairs / PAIRS_PER_FOUR)).fill(4)];
}

function optional<Base extends object, Key extends string, Value>(
  base: Base,
  key: Key,
  value: Value | undefined,
): Base & { readonly [K in Key]?: Value } {
  return (value === undefined ? base : { ...base, [key]: value }) as Base & { readonly [K in Key]?: Value };
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
