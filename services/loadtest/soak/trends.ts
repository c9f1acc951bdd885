import { slopeOf } from '../load/measures/slopes.ts';

export interface Reading {
  readonly atS: number;
  readonly value: number;
}

/** How a figure moved, and whether that is more than it may. */
export interface Trend {
  readonly what: string;
  readonly unit: string;
  /** Undefined: too few readings. */
  readonly perHour: number | undefined;
  readonly mean: number;
  readonly isFlat: boolean;
}

/** So much of its mean a figure may rise by over the part that is judged, and at least so much in its own unit. */
export interface Allowance {
  readonly share: number;
  readonly least: number;
}

/** The first half is warm-up: caches fill, compiled code comes, tombstones of ended rooms gather until the first ones go. */
const WARM_UP_SHARE = 0.5;
const SECONDS_PER_HOUR = 3_600;
/** Garbage makes a saw of the heap; its lowest points are what is kept. */
const READINGS_PER_LOW = 6;

/** A straight line through the second half, by least squares. It is flat where the line does not rise for certain, or not by much. */
export function trendOf(
  { what, unit, readings }: { what: string; unit: string; readings: readonly Reading[] },
  allowance: Allowance,
): Trend {
  const judged = readings.slice(Math.floor(readings.length * WARM_UP_SHARE));
  const mean = judged.reduce((sum, { value }) => sum + value, 0) / Math.max(1, judged.length);
  const slope = slopeOf(judged, 0);
  const [first, last] = [judged[0], judged.at(-1)];
  if (slope === undefined || first === undefined || last === undefined)
    return { what, unit, perHour: undefined, mean, isFlat: false };
  const rise = (slope.perHour * (last.atS - first.atS)) / SECONDS_PER_HOUR;
  const isAllowed = rise <= Math.max(allowance.least, allowance.share * mean);
  return { what, unit, perHour: slope.perHour, mean, isFlat: isAllowed || !slope.isGrowing };
}

/** The lowest of each few readings. */
export function lowsOf(readings: readonly Reading[]): Reading[] {
  const lows: Reading[] = [];
  for (let at = 0; at + READINGS_PER_LOW <= readings.length; at += READINGS_PER_LOW) {
    const some = readings.slice(at, at + READINGS_PER_LOW);
    lows.push(some.reduce((low, each) => (each.value < low.value ? each : low)));
  }
  return lows;
}
