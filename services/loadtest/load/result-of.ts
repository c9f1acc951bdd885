import type { Hello } from './crew.ts';
import type { Chronicle } from './measures/chronicle.ts';
import { compareHalves } from './measures/halves.ts';
import { TimeHistogram } from './measures/histogram.ts';
import { Latencies } from './measures/latencies.ts';
import type { WorkerResult } from './messages.ts';
import type { LoadOptions } from './options.ts';
import { RESULT_SCHEMA, type Result, type Unjudged } from './report/index.ts';
import { LATE_MS } from './worker.ts';

export interface Findings {
  readonly options: LoadOptions;
  readonly results: readonly WorkerResult[];
  /** For which there was load. */
  readonly durationS: number;
  readonly hellos: readonly Hello[];
  /** What else makes the run worth nothing: workers that ended before they should, orders that could not be given. */
  readonly failures: readonly string[];
  readonly chronicle: Chronicle;
  readonly server: NonNullable<Result['server']>;
  /** Of all nodes together, before and after. */
  readonly rss: readonly [number, number] | undefined;
  readonly recovery: { readonly atS: number; readonly sessions: number } | undefined;
}

/** A generator that lags more than this measures itself. */
const LAG_P99_MS_MAX = 10;
const LATE_SHARE_MAX = 0.01;
const RECOVERY_POINTS_MAX = 200;
const BACK_SHARE = 0.99;

/** What all workers counted and timed, as one result that nobody has judged yet. */
export function resultOf(findings: Findings): Unjudged {
  const { options, results, chronicle, server } = findings;
  const latencies = new Latencies();
  for (const result of results) latencies.add(result.latencies);
  const sum = (read: (result: WorkerResult) => number) =>
    results.reduce((total, result) => total + read(result), 0);
  const calls = results.flatMap((result) => (result.calls === undefined ? [] : [result.calls]));
  const recovery = recoveryOf(findings);
  const result: Unjudged = {
    schema: RESULT_SCHEMA,
    scenario: options.scenario.name,
    seed: options.seed,
    startedAt: chronicle.startedAt.toISOString(),
    durationS: findings.durationS,
    options: { ...options.shown },
    targets: [...options.targets],
    generator: generatorOf(findings),
    connections: {
      // Where people come and go with their calls, what was tried is what was meant to be.
      target: options.rooms * options.peers || sum(({ sums }) => sums.opened + sums.failed),
      opened: sum(({ sums }) => sums.opened),
      failed: sum(({ sums }) => sums.failed),
      peak: chronicle.peak,
      cutOff: sum(({ sums }) => sums.cutOff),
      refused: added(results.map((each) => each.refusedConnections)),
    },
    sessions: {
      joined: sum(({ sums }) => sums.joined),
      resumed: sum(({ sums }) => sums.resumed),
      recovered: sum(({ sums }) => sums.recovered),
      snapshots: sum(({ sums }) => sums.snapshots),
      resyncs: sum(({ sums }) => sums.resyncs),
      over: sum(({ sums }) => sums.over),
      wrongPeerLeft: sum(({ sums }) => sums.wrongPeerLeft),
    },
    signals: signalsOf(results),
    ...(calls.length === 0
      ? {}
      : {
          calls: {
            started: calls.reduce((total, { started }) => total + started, 0),
            connected: calls.reduce((total, { connected }) => total + connected, 0),
            failed: calls.reduce((total, { failed }) => total + failed, 0),
            hungUp: calls.reduce((total, { hungUp }) => total + hungUp, 0),
          },
        }),
    ...attacksOf(results),
    latencies: latencies.figures(),
    timeline: chronicle.timeline,
    phases: chronicle.phases,
    ...(recovery === undefined ? {} : { recovery }),
    heatmap: heatmapOf(results),
    ...memoryOf(findings),
    ...(server.length === 0 ? {} : { server }),
  };
  return { ...result, ...options.scenario.measured?.(result) };
}

function signalsOf(results: readonly WorkerResult[]): Result['signals'] {
  const across = compareHalves(results.map(({ halves }) => halves));
  const both = (name: keyof typeof across) =>
    results.reduce((total, { signals }) => total + signals[name], across[name]);
  return {
    planned: results.reduce((total, { planned }) => total + planned, 0),
    sent: both('sent'),
    accepted: both('accepted'),
    refused: added(results.map(({ signals }) => signals.refused)),
    unknown: both('unknown'),
    expected: both('expected'),
    delivered: both('delivered'),
    lost: both('lost'),
    doubled: both('doubled'),
    reordered: both('reordered'),
    misrouted: both('misrouted'),
    named: both('named'),
  };
}

function attacksOf(results: readonly WorkerResult[]): Pick<Result, 'attacks'> {
  const attacks: NonNullable<Result['attacks']> = {};
  for (const [name, { right, wrong }] of results.flatMap(({ abuse }) => Object.entries(abuse ?? {}))) {
    const before = attacks[name] ?? { right: 0, wrong: [] };
    attacks[name] = { right: before.right + right, wrong: [...before.wrong, ...wrong] };
  }
  return Object.keys(attacks).length === 0 ? {} : { attacks };
}

/** Whether the figures are the target's: a generator that was late measures itself. */
function generatorOf({ results, hellos, failures, options }: Findings): Result['generator'] {
  const lags = results.map(({ lag }) => new TimeHistogram(lag).percentile(99));
  const loopDelayP99Ms = Math.max(0, ...lags);
  const started = results.reduce((total, result) => total + result.started, 0);
  const lateStarts = results.reduce((total, result) => total + result.lateStarts, 0);
  const reasons = [
    ...failures,
    ...(loopDelayP99Ms > LAG_P99_MS_MAX
      ? [
          `the load tester's event loop lagged: p99 ${loopDelayP99Ms.toFixed(1)} ms, over ${LAG_P99_MS_MAX} ms; give it more processors, --workers, or less to do.`,
        ]
      : []),
    ...(lateStarts > LATE_SHARE_MAX * started
      ? [
          `${lateStarts} of ${started} things were started more than ${LATE_MS} ms late, over ${100 * LATE_SHARE_MAX} %.`,
        ]
      : []),
    ...(started === 0 && options.rate > 0 ? ['nothing was started.'] : []),
  ];
  return {
    hosts: new Set(hellos.map(({ host }) => host)).size,
    workers: hellos.length,
    cpus: Math.max(1, ...hellos.map(({ cpus }) => cpus)),
    node: hellos[0]?.node ?? process.version,
    loopDelayP99Ms,
    started,
    lateStarts,
    isValid: reasons.length === 0,
    reasons,
  };
}

function recoveryOf({ results, recovery }: Findings): Result['recovery'] {
  if (recovery === undefined) return undefined;
  const { atS, sessions } = recovery;
  const backS = results
    .flatMap(({ backAfterMs }) => backAfterMs.map((ms) => ms / 1_000))
    .sort((a, b) => a - b);
  const step = Math.max(1, Math.ceil(backS.length / RECOVERY_POINTS_MAX));
  const points = backS.flatMap((s, index) =>
    (index + 1) % step === 0 || index === backS.length - 1 ? [{ s, share: (index + 1) / sessions }] : [],
  );
  const to99S = backS[Math.ceil(BACK_SHARE * sessions) - 1];
  return { atS, sessions, points, ...(to99S === undefined ? {} : { to99S }) };
}

function heatmapOf(results: readonly WorkerResult[]): Result['heatmap'] {
  const cells = new Latencies<string>();
  for (const result of results) cells.add(result.cells);
  const found = cells.names.map((name) => {
    const [from = '', to = ''] = name.split('>');
    const times = cells.get(name);
    return {
      from,
      to,
      count: times?.count ?? 0,
      p50Ms: times?.percentile(50) ?? 0,
      p99Ms: times?.percentile(99) ?? 0,
    };
  });
  return { nodes: [...new Set(found.flatMap(({ from, to }) => [from, to]))].sort(), cells: found };
}

/** Only where nothing but connections was added in between: elsewhere it would be the load's memory, too. */
function memoryOf({ options, rss }: Findings): Pick<Result, 'memory'> {
  const connections = options.rooms * options.peers;
  if (rss === undefined || options.scenario.name !== 'idle') return {};
  const [nodeRssBytesBefore, nodeRssBytesAfter] = rss;
  const bytesPerConnection = (nodeRssBytesAfter - nodeRssBytesBefore) / connections;
  return { memory: { connections, nodeRssBytesBefore, nodeRssBytesAfter, bytesPerConnection } };
}

function added(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const record of records)
    for (const [key, count] of Object.entries(record)) sums[key] = (sums[key] ?? 0) + count;
  return sums;
}
