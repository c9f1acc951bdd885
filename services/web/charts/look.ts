import uPlot from 'uplot';

/** Lines differ by their dashes, too: they often have the same figures, and one would hide the other, and colours come again. */
const DASHES = [[], [9, 5], [3, 3], [12, 3, 3, 3], [6, 2], [1, 4]];
const COLOURS = 6;

/** The style sheet's colours and type for a canvas in this element. */
export function lookOf(box: HTMLElement) {
  const style = getComputedStyle(box);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    colour,
    fontFamily: style.fontFamily,
    axis: {
      stroke: colour('--quiet'),
      font: `11px ${style.fontFamily}`,
      grid: { stroke: colour('--line'), width: 1, dash: [2, 4] },
      ticks: { show: false },
    } satisfies uPlot.Axis,
    /** The line of this number, from 0. */
    line: (label: string, index: number): uPlot.Series => ({
      label,
      stroke: colour(`--line-${(index % COLOURS) + 1}`),
      dash: DASHES[(index + Math.floor(index / COLOURS)) % DASHES.length] ?? [],
      width: 2,
      points: { show: false },
    }),
  };
}

/** Figures of the vertical axis, short: `1k`. */
export function plainTicks(_: uPlot, splits: readonly (number | null)[]): string[] {
  return splits.map((value) => (value === null ? '' : uPlot.fmtNum(value)));
}
