import type { Random } from '../random.ts';

/** Independent arrivals, as of people who know nothing of each other: times in milliseconds, rising, below the end. */
export function* poissonTimes(
  random: Random,
  perSecond: number,
  endMs: number,
): Generator<number, undefined> {
  if (perSecond <= 0) return undefined;
  for (let atMs = gapMs(random, perSecond); atMs < endMs; atMs += gapMs(random, perSecond)) yield atMs;
  return undefined;
}

/** Times between independent arrivals, or how long somebody talks: mostly short, now and then long. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}

function gapMs(random: Random, perSecond: number): number {
  return exponential(random, 1_000 / perSecond);
}
