import * as hdr from 'hdr-histogram-js';

import type { Latency } from '../report/index.ts';

const MICROSECONDS_PER_MS = 1_000;
/** What takes longer than an hour counts as an hour. */
const VALUE_MAX = 3_600 * 1_000_000;
/** Three digits: a value is told within 0.1 % of what it was. */
const DIGITS = 3;

/** Times, each within 0.1 %, in memory that does not grow with their number. Merged, two are as one of both streams. */
export class TimeHistogram {
  readonly #values: hdr.Histogram;

  constructor(encoded?: string) {
    this.#values =
      encoded === undefined
        ? hdr.build({
            bitBucketSize: 32,
            numberOfSignificantValueDigits: DIGITS,
            highestTrackableValue: VALUE_MAX,
            autoResize: false,
          })
        : hdr.decodeFromCompressedBase64(encoded);
  }

  get count(): number {
    return this.#values.totalCount;
  }

  record(ms: number): void {
    const microseconds = Math.round(ms * MICROSECONDS_PER_MS);
    this.#values.recordValue(Math.min(VALUE_MAX, Math.max(0, microseconds)));
  }

  add(other: TimeHistogram): void {
    this.#values.add(other.#values as hdr.JsHistogram);
  }

  reset(): void {
    this.#values.reset();
  }

  /** In milliseconds; 0 where there is none. */
  percentile(percent: number): number {
    return this.count === 0 ? 0 : this.#values.getValueAtPercentile(percent) / MICROSECONDS_PER_MS;
  }

  get maxMs(): number {
    return this.count === 0 ? 0 : this.#values.maxValue / MICROSECONDS_PER_MS;
  }

  encode(): string {
    return hdr.encodeIntoCompressedBase64(this.#values);
  }

  figures(): Latency {
    const isEmpty = this.count === 0;
    return {
      count: this.count,
      minMs: isEmpty ? 0 : this.#values.minNonZeroValue / MICROSECONDS_PER_MS,
      meanMs: isEmpty ? 0 : this.#values.mean / MICROSECONDS_PER_MS,
      p50Ms: this.percentile(50),
      p90Ms: this.percentile(90),
      p95Ms: this.percentile(95),
      p99Ms: this.percentile(99),
      p999Ms: this.percentile(99.9),
      maxMs: this.maxMs,
      hdr: this.encode(),
    };
  }
}
