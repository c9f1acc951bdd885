/** How a run stands, for those who watch it. */
export interface Progress {
  readonly scenario: string;
  readonly phase: string;
  readonly elapsedS: number;
  readonly durationS: number;
  readonly connected: number;
  readonly target: number;
  /** Signals per second, over the last interval. */
  readonly ratePerS: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly maxMs?: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly misrouted: number;
  /** Of the generator's event loop. */
  readonly lagP99Ms: number;
  /** The last rates, oldest first. */
  readonly recentRates: readonly number[];
}
