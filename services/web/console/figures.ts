const UNKNOWN = '–';

/** A count as both languages write it: `1,204`. */
export function figure(count: number | null): string {
  return count === null ? UNKNOWN : COUNT.format(count);
}

/** A rate or a time in milliseconds: one decimal place while it is small. */
export function fineFigure(value: number | null): string {
  if (value === null) return UNKNOWN;
  return value < 10 ? FINE.format(value) : COUNT.format(value);
}

/** How long something has been running, in its two largest units: `3d 4h`, `12m 5s`. */
export function span(seconds: number | null): string {
  if (seconds === null) return UNKNOWN;
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first === -1) return '0s';
  let rest = seconds;
  const parts = units.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return `${count}${unit}`;
  });
  return parts.filter((part) => !part.startsWith('0')).join(' ');
}

export function clock(at: Date): string {
  return at.toLocaleTimeString('en-GB');
}

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const FINE = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
