import type { AbuseFindings } from './activities/abuse.ts';
import type { CallSums } from './activities/activity.ts';
import type { FieldSums } from './field.ts';
import type { HalvesReport } from './measures/halves.ts';
import type { EncodedTimes } from './measures/latencies.ts';
import type { Plan, Share } from './plan.ts';

/** Workers and coordinator are of one version, or don't talk. */
export const WORKER_PROTOCOL = 1;

/** What the coordinator tells a worker. */
export type ToWorker =
  | { readonly type: 'plan'; readonly plan: Plan; readonly share: Share }
  /** All are ready: begin so many milliseconds after this comes. */
  | { readonly type: 'go'; readonly inMs: number }
  /** Cut off this share of the clients, all at once. */
  | { readonly type: 'drop'; readonly share: number }
  /** Begin nothing any more; tell the result once all has come to rest. */
  | { readonly type: 'finish' }
  | { readonly type: 'end' };

/** What a worker tells. */
export type FromWorker =
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly host: string;
      readonly cpus: number;
      readonly node: string;
      /** Of which its clients use one each. */
      readonly filesMax: number | null;
      /** Its clients keep to targets of this region, where it names one. */
      readonly region?: string;
    }
  /** Everybody of the standing rooms has joined. */
  | { readonly type: 'ready' }
  | { readonly type: 'tick'; readonly tick: Tick }
  | { readonly type: 'dropped'; readonly count: number }
  | { readonly type: 'result'; readonly result: WorkerResult }
  | { readonly type: 'failed'; readonly text: string };

/** How a worker stands; sent once a second. All but the times count from the start. */
export interface Tick {
  readonly connected: number;
  readonly target: number;
  readonly sent: number;
  readonly delivered: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly misrouted: number;
  readonly away: number;
  /** Histograms of the time since the last tick. */
  readonly relay: string;
  readonly lag: string;
  readonly memoryBytes: number;
}

/** Everything that a worker counted and timed. */
export interface WorkerResult {
  readonly planned: number;
  readonly signals: {
    readonly sent: number;
    readonly accepted: number;
    readonly unknown: number;
    readonly expected: number;
    readonly delivered: number;
    readonly lost: number;
    readonly doubled: number;
    readonly reordered: number;
    readonly misrouted: number;
    readonly named: number;
    readonly refused: Readonly<Record<string, number>>;
  };
  readonly halves: HalvesReport;
  readonly sums: FieldSums;
  readonly refusedConnections: Readonly<Record<string, number>>;
  readonly calls?: CallSums;
  readonly abuse?: AbuseFindings;
  readonly latencies: EncodedTimes;
  readonly cells: EncodedTimes;
  readonly lag: string;
  readonly started: number;
  readonly lateStarts: number;
  readonly backAfterMs: readonly number[];
  /** What did not come to rest, and the first few faults, for people. */
  readonly unsettled: readonly string[];
  readonly examples: readonly string[];
}
