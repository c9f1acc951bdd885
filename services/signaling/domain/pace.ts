/**
 * How many newcomers a node lets in a second: as many as its event loop bears. When a neighbour dies, thousands come at
 * once, all of them honest, many from one address: those who are in must not be kept waiting for those who come in.
 */
export interface Pace {
  perSecond: number;
  /** Newcomers who may come in now. */
  places: number;
  atMs: number;
  /** Of the current look at the event loop. */
  worstDelayMs: number;
  lookedAtMs: number;
  /** At which the event loop was too late when it last was: what lies well below that is reached quickly. */
  tooFast: number;
  /** Somebody had to wait since the last look; and during the look before. */
  isShort: boolean;
  wasShort: boolean;
  /** When the last of those who were told to come back is due. */
  queueEndsAtMs: number;
}

/** The pace is judged anew so often. */
const LOOK_MS = 50;
/** Over this delay the pace falls, under that one it rises. Both well below the 250 ms that a node promises. */
const DELAY_HIGH_MS = 100;
const DELAY_LOW_MS = 40;
const FALLS = 0.8;
const RISES = 1.08;
/** While nothing says that the node cannot bear more: small steps would take as long as the storm. */
const LEAPS = 1.5;
const DELAY_NONE_MS = 20;
export const PACE_START = 500;
export const PACE_MIN = 50;
/** More than a node was ever seen to bear: what holds the pace is the event loop, and not this. */
export const PACE_MAX = 10_000;
/** What comes together within this time is let in together, unless that alone would keep the event loop. */
const BURST_S = 0.1;
const BURST_MAX = 200;
/** Whoever would wait in line for longer is told to come back: clients take an unanswered connection for a dead node. */
const LINE_MAX_MS = 800;
/** Clients add to the time that they are told, by up to a half: they are told to come a little faster. */
const QUEUE_SHARE = 1.2;
const RETRY_MIN_MS = 500;
/** A third of the default resume window: who is refused twice still finds its session. */
const RETRY_MAX_MS = 10_000;

export function startPace(nowMs: number): Pace {
  return {
    perSecond: PACE_START,
    places: burstOf(PACE_START),
    atMs: nowMs,
    worstDelayMs: 0,
    lookedAtMs: nowMs,
    tooFast: Number.POSITIVE_INFINITY,
    isShort: false,
    wasShort: false,
    queueEndsAtMs: nowMs,
  };
}

/** By how much the event loop was late just now. */
export function noteDelay(pace: Pace, delayMs: number, nowMs: number): void {
  pace.worstDelayMs = Math.max(pace.worstDelayMs, delayMs);
  if (nowMs - pace.lookedAtMs < LOOK_MS) return;
  // When a storm begins, the loop is late with those who come, whatever the pace of those who are let in.
  const begins = pace.isShort && !pace.wasShort;
  if (!begins) judge(pace);
  pace.worstDelayMs = 0;
  pace.wasShort = pace.isShort;
  pace.isShort = false;
  pace.lookedAtMs = nowMs;
}

function judge(pace: Pace): void {
  const { worstDelayMs, perSecond } = pace;
  if (worstDelayMs > DELAY_HIGH_MS) {
    const factor = FALLS * (worstDelayMs > 2 * DELAY_HIGH_MS ? FALLS : 1);
    pace.tooFast = perSecond;
    pace.perSecond = Math.max(PACE_MIN, perSecond * factor);
  } else if (worstDelayMs < DELAY_LOW_MS && pace.isShort)
    pace.perSecond = Math.min(PACE_MAX, perSecond * (isFarFromLate(pace) ? LEAPS : RISES));
  else if (!pace.isShort) fade(pace);
}

/** Takes a place for one newcomer, where there is one now. */
export function enter(pace: Pace, nowMs: number): boolean {
  const seconds = Math.max(0, nowMs - pace.atMs) / 1_000;
  pace.atMs = nowMs;
  pace.places = Math.min(burstOf(pace.perSecond), pace.places + seconds * pace.perSecond);
  pace.isShort ||= pace.places < 1;
  if (pace.places < 1) return false;
  pace.places -= 1;
  return true;
}

function burstOf(perSecond: number): number {
  return Math.min(BURST_MAX, perSecond * BURST_S);
}

/** Whether a newcomer may wait behind so many others. */
export function mayWait(pace: Pace, before: number): boolean {
  return (before / pace.perSecond) * 1_000 < LINE_MAX_MS;
}

/**
 * After how many milliseconds somebody who may not wait is to come back: one after the other, over the time that all
 * who were told so will take. `chance` is in [0, 1).
 */
export function comeBackAfter(pace: Pace, nowMs: number, chance: number): number {
  pace.queueEndsAtMs = Math.max(nowMs, pace.queueEndsAtMs) + 1_000 / (QUEUE_SHARE * pace.perSecond);
  const waitMs = RETRY_MIN_MS + (pace.queueEndsAtMs - nowMs) * (0.9 + chance / 5);
  // Beyond what one may be sent away for, the order is lost, but not the spread.
  return Math.round(waitMs <= RETRY_MAX_MS ? waitMs : RETRY_MAX_MS * (1 / 2 + chance / 2));
}

function isFarFromLate({ perSecond, worstDelayMs, tooFast }: Pace): boolean {
  return worstDelayMs < DELAY_NONE_MS && perSecond < FALLS * FALLS * tooFast;
}

/** Where nobody waits, an old judgement is forgotten. */
function fade(pace: Pace): void {
  const { perSecond } = pace;
  pace.perSecond =
    perSecond < PACE_START
      ? Math.min(PACE_START, perSecond * RISES)
      : Math.max(PACE_START, perSecond / RISES);
  pace.tooFast *= RISES;
}
