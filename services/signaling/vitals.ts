/** How a node fares between two beats, for its lease. */
export interface Vitals {
  /** A request was answered. */
  answered(): void;
  /** The event loop was late by so much. */
  delayed(delayMs: number): void;
  /** Since the last time this was asked. */
  take(): { readonly messagesPerSecond: number; readonly eventLoopDelayMs: number };
}

export function openVitals(nowMs: () => number): Vitals {
  let sinceMs = nowMs();
  let answered = 0;
  let worstMs = 0;
  return {
    answered: () => void answered++,
    delayed(delayMs) {
      worstMs = Math.max(worstMs, delayMs);
    },
    take() {
      const seconds = Math.max(nowMs() - sinceMs, 1) / 1_000;
      const taken = {
        messagesPerSecond: rounded(answered / seconds),
        eventLoopDelayMs: rounded(worstMs),
      };
      sinceMs = nowMs();
      answered = 0;
      worstMs = 0;
      return taken;
    },
  };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
