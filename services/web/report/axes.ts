import type uPlot from 'uplot';

/** Labels of a logarithmic axis: 1, 2, 5 of each decade, or fewer where there are many decades. */
export function logTicks(min: number, max: number): number[] {
  const [from, to] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const steps = to - from <= 2 ? [1, 2, 5] : to - from <= 4 ? [1, 3] : [1];
  return Array.from({ length: to - from + 1 }, (_, index) => index + from)
    .flatMap((decade) => steps.map((step) => step * 10 ** decade))
    .filter((value) => value >= min && value <= max);
}

/** A logarithmic scale around what there is to show. */
export function logScale(): uPlot.Scale {
  return {
    distr: 3,
    range: (_, min, max) => (min > 0 && max > 0 ? [min / 1.25, Math.max(max, min * 4) * 1.25] : [0.1, 10]),
  };
}

/** A scale from zero. */
export function linearScale(): uPlot.Scale {
  return { range: (_, _min, max) => [0, max > 0 ? max * 1.12 : 1] };
}

/** Where a share of all values stands on an axis on which 90, 99 and 99.9 % are equally far apart. */
export function rarity(share: number): number {
  return 1 / (1 - share);
}

/** `50 %`, `99.9 %` */
export function rarityText(value: number): string {
  return `${Number((100 - 100 / value).toPrecision(8))} %`;
}
