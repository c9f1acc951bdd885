/** How often the event loop's delay is looked at. */
const SAMPLE_MS = 20;

/** Tells, fifty times a second, by how much the event loop was late. To be closed. */
export function watchEventLoop(onDelay: (delayMs: number) => void): { close(): void } {
  let dueAtMs = performance.now() + SAMPLE_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    onDelay(Math.max(0, nowMs - dueAtMs));
    dueAtMs = nowMs + SAMPLE_MS;
  }, SAMPLE_MS);
  return { close: () => clearInterval(timer) };
}
