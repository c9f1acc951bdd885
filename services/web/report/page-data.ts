/** What the load tester writes into the page, and all that the page knows of it. */
export interface PageData {
  readonly run: RunData;
  /** An earlier run of the same scenario, and what changed since. */
  readonly before?: RunData;
  readonly changes?: readonly Change[];
}

export interface RunData {
  readonly scenario: string;
  readonly seed: number;
  /** ISO 8601 */
  readonly startedAt: string;
  readonly durationS: number;
  readonly verdict: 'pass' | 'slo_failed' | 'invalid' | 'unreachable';
  /** In English, as they were printed. */
  readonly reasons: readonly string[];
  /** `shown`: the value with its unit; undefined where it was not measured. */
  readonly slos: readonly { readonly text: string; readonly shown?: string; readonly isMet: boolean }[];
  /** The command line that makes such a run. */
  readonly command: string;
  readonly targets: readonly {
    readonly url: string;
    readonly region?: string | undefined;
    readonly node?: string | undefined;
  }[];
  readonly generator: Generator;
  readonly connections: Counts<'target' | 'opened' | 'failed' | 'peak' | 'cutOff'> & Refused;
  readonly sessions: Counts<
    'joined' | 'resumed' | 'recovered' | 'snapshots' | 'resyncs' | 'over' | 'wrongPeerLeft'
  >;
  readonly signals: Counts<
    'planned' | 'sent' | 'accepted' | 'unknown' | 'expected' | 'delivered' | Fault | 'named'
  > &
    Refused;
  readonly calls?: Counts<'started' | 'connected' | 'failed' | 'hungUp'> | undefined;
  /** Those that have values, the most telling first. */
  readonly latencies: Readonly<Record<string, LatencyData>>;
  readonly timeline: { readonly everyS: number; readonly points: readonly TimePoint[] };
  readonly phases: readonly Phase[];
  readonly recovery?: Recovery | undefined;
  readonly heatmap?: Heatmap | undefined;
  readonly memory?:
    | Counts<'connections' | 'nodeRssBytesBefore' | 'nodeRssBytesAfter' | 'bytesPerConnection'>
    | undefined;
  readonly slopes?: readonly Slope[] | undefined;
  readonly server?: readonly ServerMetric[] | undefined;
}

export type Fault = 'lost' | 'doubled' | 'reordered' | 'misrouted';

type Counts<Name extends string> = Readonly<Record<Name, number>>;

interface Refused {
  readonly refused: Readonly<Record<string, number>>;
}

export interface Generator extends Counts<'hosts' | 'workers' | 'cpus' | 'started' | 'lateStarts'> {
  /** Version of Node. */
  readonly node: string;
  readonly loopDelayP99Ms: number;
  readonly isValid: boolean;
  readonly reasons: readonly string[];
}

export interface LatencyData
  extends Counts<'count' | 'minMs' | 'meanMs' | 'p50Ms' | 'p90Ms' | 'p95Ms' | 'p99Ms' | 'p999Ms' | 'maxMs'> {
  /** Pairs of a share of all values, and what that share stays at or below, in milliseconds; both rise. */
  readonly spectrum: readonly (readonly [share: number, ms: number])[];
}

export interface TimePoint {
  readonly atS: number;
  readonly connected: number;
  readonly target: number;
  /** Within the interval that ends here. */
  readonly sent: number;
  readonly delivered: number;
  readonly lost?: number | undefined;
  readonly relayP50Ms?: number | undefined;
  readonly relayP99Ms?: number | undefined;
  readonly relayMaxMs?: number | undefined;
  readonly loopP99Ms: number;
  readonly memoryMB?: number | undefined;
}

/** A moment where it has no `toS`. */
export interface Phase {
  readonly name: string;
  readonly fromS: number;
  readonly toS?: number | undefined;
}

export interface Recovery {
  readonly atS: number;
  readonly sessions: number;
  readonly points: readonly { readonly s: number; readonly share: number }[];
  readonly to99S?: number | undefined;
}

export interface Heatmap {
  readonly nodes: readonly string[];
  readonly cells: readonly {
    readonly from: string;
    readonly to: string;
    readonly count: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
  }[];
}

export interface Slope {
  readonly what: string;
  readonly unit: string;
  readonly perHour: number;
  readonly isGrowing: boolean;
}

export interface ServerMetric {
  readonly node: string;
  readonly metric: string;
  readonly points: readonly { readonly atS: number; readonly value: number }[];
}

/** How a figure changed from the earlier run to this one. */
export interface Change {
  /** A metric's name, as in an SLO. */
  readonly metric: string;
  /** With their units. */
  readonly before: string;
  readonly after: string;
  /** After by before; undefined where before was zero. */
  readonly ratio?: number;
  readonly trend: 'better' | 'worse' | 'same';
}
