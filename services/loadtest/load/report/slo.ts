import { StartFailure } from '@fenghuo/cluster';
import { type Kind, valueText } from '@fenghuo/web/report';

import { LATENCY_NAMES, type Latency, type Result, type Unjudged } from './result.ts';

/** What a run must keep to, such as `relay_p99<80ms`. */
export interface Slo {
  /** As it was given. */
  readonly text: string;
  readonly metric: string;
  readonly operator: Operator;
  /** In milliseconds, bytes, a share of 1, or a count. */
  readonly bound: number;
}

interface Metric {
  readonly kind: Kind;
  /** What the run measured; undefined where it did not. */
  readonly read: (result: Unjudged) => number | undefined;
}

const OPERATORS = {
  '<=': (value, bound) => value <= bound,
  '>=': (value, bound) => value >= bound,
  '==': (value, bound) => value === bound,
  '!=': (value, bound) => value !== bound,
  '<': (value, bound) => value < bound,
  '>': (value, bound) => value > bound,
} as const satisfies Record<string, (value: number, bound: number) => boolean>;
type Operator = keyof typeof OPERATORS;

/** The units of each kind, as factors to its base: milliseconds, bytes, a share of 1. */
const UNITS: Record<Kind, Record<string, number>> = {
  count: { '': 1 },
  rate: { '': 1 },
  share: { '': 1, '%': 0.01 },
  time: { '': 1, us: 0.001, ms: 1, s: 1_000 },
  bytes: { '': 1, B: 1, KiB: 1_024, MiB: 1_048_576 },
};

/** What may follow the name of a latency: `relay_p99`. */
const STATISTICS = {
  min: 'minMs',
  mean: 'meanMs',
  p50: 'p50Ms',
  p90: 'p90Ms',
  p95: 'p95Ms',
  p99: 'p99Ms',
  p999: 'p999Ms',
  max: 'maxMs',
} as const satisfies Record<string, keyof Latency>;

const count = (read: Metric['read']): Metric => ({ kind: 'count', read });
const share = (read: Metric['read']): Metric => ({ kind: 'share', read });
/** Zero lost of nothing that arrived proves nothing; a run that planned no signals has none to lose. */
const told = (read: (signals: Unjudged['signals']) => number): Metric =>
  count(({ signals }) => (signals.planned > 0 && signals.expected === 0 ? undefined : read(signals)));

const FIGURES: Record<string, Metric> = {
  lost: told(({ lost }) => lost),
  doubled: told(({ doubled }) => doubled),
  reordered: told(({ reordered }) => reordered),
  misrouted: told(({ misrouted }) => misrouted),
  named: told(({ named }) => named),
  planned: count(({ signals }) => signals.planned),
  sent: count(({ signals }) => signals.sent),
  accepted: count(({ signals }) => signals.accepted),
  refused: count(({ signals }) => sum(signals.refused)),
  unknown: count(({ signals }) => signals.unknown),
  expected: count(({ signals }) => signals.expected),
  delivered: count(({ signals }) => signals.delivered),
  sent_rate: share(({ signals }) => ratio(signals.sent, signals.planned)),
  accepted_rate: share(({ signals }) => ratio(signals.accepted, signals.sent)),
  delivered_rate: share(({ signals }) => ratio(signals.delivered, signals.expected)),
  delivered_per_s: { kind: 'rate', read: ({ signals, durationS }) => ratio(signals.delivered, durationS) },
  connections_opened: count(({ connections }) => connections.opened),
  connections_failed: count(({ connections }) => connections.failed),
  connections_peak: count(({ connections }) => connections.peak),
  connections_cut_off: count(({ connections }) => connections.cutOff),
  connections_refused: count(({ connections }) => sum(connections.refused)),
  joined: count(({ sessions }) => sessions.joined),
  resumed: count(({ sessions }) => sessions.resumed),
  recovered_rate: share(({ sessions }) => ratio(sessions.recovered, sessions.resumed)),
  resyncs: count(({ sessions }) => sessions.resyncs),
  sessions_over: count(({ sessions }) => sessions.over),
  wrong_peer_left: count(({ sessions }) => sessions.wrongPeerLeft),
  calls_started: count(({ calls }) => calls?.started),
  calls_connected: count(({ calls }) => calls?.connected),
  calls_failed: count(({ calls }) => calls?.failed),
  calls_connected_rate: share(({ calls }) => calls && ratio(calls.connected, calls.started)),
  wrong_answers: count(
    ({ attacks }) => attacks && Object.values(attacks).reduce((total, { wrong }) => total + wrong.length, 0),
  ),
  recovery_to99: { kind: 'time', read: ({ recovery }) => recovery?.to99S && recovery.to99S * 1_000 },
  bytes_per_connection: { kind: 'bytes', read: ({ memory }) => memory?.bytesPerConnection },
  growing: count(({ slopes }) => slopes?.filter(({ isGrowing }) => isGrowing).length),
  generator_loop_p99: { kind: 'time', read: ({ generator }) => generator.loopDelayP99Ms },
  generator_late_rate: share(({ generator }) => ratio(generator.lateStarts, generator.started)),
};

const METRICS: ReadonlyMap<string, Metric> = new Map([
  ...Object.entries(FIGURES),
  ...LATENCY_NAMES.flatMap((name) =>
    Object.entries(STATISTICS).map(([statistic, field]): [string, Metric] => [
      `${name}_${statistic}`,
      { kind: 'time', read: ({ latencies }) => measured(latencies[name])?.[field] },
    ]),
  ),
]);

/** Every name that an SLO may begin with. */
export const METRIC_NAMES: readonly string[] = [...METRICS.keys()];

/** What is asked of a run where nothing else is. */
export const DEFAULT_SLOS = ['lost==0', 'doubled==0', 'reordered==0', 'misrouted==0'];

/** Reads `METRIC OPERATOR NUMBER[UNIT]`, blanks allowed. Throws a StartFailure that says what is known. */
export function parseSlo(text: string): Slo {
  const parts = /^\s*([a-z0-9_]+)\s*(<=|>=|==|!=|<|>)\s*(\d+(?:\.\d+)?)\s*([a-z%]*)\s*$/i.exec(text);
  if (parts === null) {
    throw new StartFailure(
      `--slo ${JSON.stringify(text)} is not a metric, one of ${Object.keys(OPERATORS).join(' ')}, and a number; give it like "relay_p99<80ms" or "lost==0".`,
    );
  }
  const [, metric = '', operator = '', number = '', unit = ''] = parts;
  const kind = METRICS.get(metric)?.kind;
  if (kind === undefined) throw new StartFailure(unknownMetric(text, metric));
  const factor = Object.entries(UNITS[kind]).find(([name]) => name === unit)?.[1];
  if (factor === undefined) throw new StartFailure(unknownUnit(text, unit, kind));
  return {
    text: `${metric}${operator}${number}${unit}`,
    metric,
    operator: operator as Operator,
    bound: rounded(Number(number) * factor),
  };
}

/** What the run measured, in the metric's base unit; null where it measured nothing. */
export function measuredValue(metric: string, result: Unjudged): number | null {
  return METRICS.get(metric)?.read(result) ?? null;
}

export function isMet(slo: Slo, value: number | null): boolean {
  return value !== null && OPERATORS[slo.operator](value, slo.bound);
}

/** A checked SLO's value as people read it; undefined where it was not measured. Bears SLOs that an earlier version knew. */
export function shownValue({ text, value }: Result['slos'][number]): string | undefined {
  const metric = /^[a-z0-9_]+/.exec(text)?.[0] ?? '';
  return value === null ? undefined : valueText(kindOf(metric), value);
}

/** How values of the metric are to be written. */
export function kindOf(metric: string): Kind {
  return METRICS.get(metric)?.kind ?? 'count';
}

function unknownMetric(text: string, metric: string): string {
  const statistics = Object.keys(STATISTICS).map((name) => `_${name}`);
  return `--slo ${JSON.stringify(text)}: there is no metric ${JSON.stringify(metric)}; known are ${LATENCY_NAMES.join(', ')}, each with ${statistics.join(' ')}, and ${Object.keys(FIGURES).join(', ')}.`;
}

function unknownUnit(text: string, unit: string, kind: Kind): string {
  const known = Object.keys(UNITS[kind]).filter((name) => name !== '');
  const cure = known.length === 0 ? 'give a plain number' : `use ${known.join(', ')}`;
  return `--slo ${JSON.stringify(text)}: ${JSON.stringify(unit)} is no unit of this metric; ${cure}.`;
}

function measured(latency: Latency | undefined): Latency | undefined {
  return latency !== undefined && latency.count > 0 ? latency : undefined;
}

function ratio(part: number, whole: number): number | undefined {
  return whole > 0 ? part / whole : undefined;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}

/** 99.9 % is 0.999, not 0.9990000000000001. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
