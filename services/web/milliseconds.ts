/** A duration as people read it: `3.2 ms`, `48 ms`, `12.4 s`. */
export function milliseconds(ms: number): string {
  if (ms >= 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
