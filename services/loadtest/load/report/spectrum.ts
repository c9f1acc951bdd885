import { decodeFromCompressedBase64 } from 'hdr-histogram-js';

import type { Latency } from './result.ts';

const MICROSECONDS_PER_MS = 1_000;
const POINTS_PER_DECADE = 24;
/** Six nines: a plot has no use for more. */
const DECADES_MAX = 6;

/** The histogram as a plot with a logarithmic axis of percentiles takes it: as many points from 90 to 99 % as from 99 to 99.9 %. */
export function spectrum({ hdr, count }: Latency): (readonly [share: number, ms: number])[] {
  if (count === 0) return [];
  const histogram = decodeFromCompressedBase64(hdr, 32);
  const decades = Math.min(DECADES_MAX, Math.log10(count));
  const last = Math.ceil(decades * POINTS_PER_DECADE);
  return Array.from({ length: last + 1 }, (_, index) => {
    const share = 1 - 10 ** -Math.min(decades, index / POINTS_PER_DECADE);
    return [
      rounded(share),
      rounded(histogram.getValueAtPercentile(share * 100) / MICROSECONDS_PER_MS),
    ] as const;
  });
}

function rounded(value: number): number {
  return Number(value.toPrecision(9));
}
