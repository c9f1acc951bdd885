import { kindOf, type Slo } from './slo.ts';

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `12,345` */
export function countText(count: number): string {
  return COUNT.format(count);
}

/** Three digits that matter, in the unit that suits: `0.42 ms`, `81.3 ms`, `2.41 s`. */
export function timeText(ms: number): string {
  return ms >= 1_000 ? `${threeDigits(ms / 1_000)} s` : `${threeDigits(ms)} ms`;
}

/** `512 B`, `16.2 KiB`, `1.25 MiB` */
export function bytesText(bytes: number): string {
  const size = Math.abs(bytes);
  if (size >= 1_048_576) return `${threeDigits(bytes / 1_048_576)} MiB`;
  return size >= 1_024 ? `${threeDigits(bytes / 1_024)} KiB` : `${Math.round(bytes)} B`;
}

/** Enough digits that 99.999 % is not shown as 100 %. */
export function shareText(share: number): string {
  const percent = share * 100;
  const digits = percent > 99 && percent < 100 ? Math.min(6, Math.ceil(-Math.log10(1 - share))) : 2;
  return `${Number(percent.toFixed(digits))} %`;
}

/** A value of what an SLO is about, as people read it. */
export function sloValue(slo: Slo, value: number): string {
  switch (kindOf(slo)) {
    case 'time':
      return timeText(value);
    case 'bytes':
      return bytesText(value);
    case 'share':
      return shareText(value);
    case 'rate':
      return threeDigits(value);
    case 'count':
      return countText(value);
  }
}

export function threeDigits(value: number): string {
  if (Math.abs(value) >= 100) return COUNT.format(value);
  return String(Number(value.toPrecision(3)));
}
