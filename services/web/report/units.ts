/** How figures of a load test are written, in the terminal as on the page, in every language. */

/** What a figure counts: `time` in milliseconds, `share` of 1. */
export type Kind = 'count' | 'share' | 'time' | 'bytes' | 'rate';

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A value of this kind, as people read it. */
export function valueText(kind: Kind, value: number): string {
  switch (kind) {
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

/** `12,345` */
export function countText(count: number): string {
  return COUNT.format(count);
}

/** Three digits that matter, in the unit that suits: `420 µs`, `81.3 ms`, `2.41 s`. */
export function timeText(ms: number): string {
  if (ms >= 1_000) return `${threeDigits(ms / 1_000)} s`;
  return ms > 0 && ms < 1 ? `${threeDigits(ms * 1_000)} µs` : `${threeDigits(ms)} ms`;
}

/** A time within a run: `8.5 s`, and from ten minutes on `12:30`, `1:02:05`. */
export function momentText(seconds: number): string {
  return seconds < 600 ? `${Number(seconds.toFixed(1))} s` : clockText(seconds);
}

/** `0:05`, `12:30`, `1:02:05` */
export function clockText(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
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

/** `×1.25` */
export function ratioText(ratio: number): string {
  return `×${threeDigits(ratio)}`;
}

export function threeDigits(value: number): string {
  if (Math.abs(value) >= 100) return COUNT.format(value);
  return String(Number(value.toPrecision(3)));
}
