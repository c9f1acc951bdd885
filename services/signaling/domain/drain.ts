/** How often a draining node looks whom to tell next. */
export const DRAIN_STEP_MS = 100;

/** The part of the drain's time over which the clients are told to go; the rest is for the last to move. */
const TELLING_SHARE = 1 / 2;
/** A second, so that few clients do not wait for a pace that is meant for thousands. */
const TOLD_PER_SECOND_MIN = 100;
/** Each client waits up to this long on its own: those who were told together do not come back together. */
const RECONNECT_WITHIN_MS = 1_000;

/** How many of those who have not been told yet are told in this step: evenly over the time that is left for it. */
export function toTellNow(untold: number, elapsedMs: number, drainMs: number): number {
  const steps = Math.max(1, (drainMs * TELLING_SHARE - elapsedMs) / DRAIN_STEP_MS);
  const least = (TOLD_PER_SECOND_MIN * DRAIN_STEP_MS) / 1_000;
  return Math.min(untold, Math.ceil(Math.max(untold / steps, least)));
}

/** When a client is to go, and when it must be gone, in milliseconds from now. `chance` is in [0, 1). */
export function timesToGo(leftMs: number, chance: number): { reconnectAfterMs: number; deadlineMs: number } {
  const deadlineMs = Math.max(0, Math.floor(leftMs));
  return { reconnectAfterMs: Math.floor(chance * Math.min(RECONNECT_WITHIN_MS, deadlineMs / 4)), deadlineMs };
}
