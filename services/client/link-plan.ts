/**
 * What a link does next, from how it stands: pure decisions. A link always waits for one thing, for so long, and then does
 * something about it. So no step that fails, and no path that dies, is the end of a call.
 *
 * | it waits for | so long | then |
 * |---|---|---|
 * | signals to pass (a node, the other side's connection) | until they do | looks again |
 * | an answer to its offer | 8 s, doubled each time | takes the offer back and restarts ICE; then begins anew, which is later while media flow |
 * | the path that was lost to come back by itself | 4 s | restarts ICE |
 * | the path to be found, while candidates are tried | 10 s | restarts ICE; now and then begins anew |
 * | the path to be found, with nothing to try | 1.8 s, so that a TURN server that is back is found | the same |
 */
export function planFor(view: LinkView, nowMs: number): Plan {
  if (!view.isReachable || view.isHeldBack) return { do: 'wait', for: 'signaling' };
  if (view.offeredAtMs !== undefined) {
    const untilMs = view.offeredAtMs + answerWaitMs(view);
    if (nowMs < untilMs) return { do: 'wait', for: 'answer', untilMs };
    const takesBack = view.path === 'connected' ? TAKES_BACK_IN_CALL : 1;
    return { do: view.unanswered < takesBack ? 'take_back' : 'renew', about: 'answer' };
  }
  if (view.path === 'connected') return { do: 'wait', for: 'nothing' };
  const untilMs = restartDueMs(view, nowMs);
  if (untilMs === undefined) return { do: 'wait', for: 'offer' };
  if (nowMs < untilMs) return { do: 'wait', for: 'path', untilMs };
  const renewEvery = view.wasConnected ? RENEW_EVERY : RENEW_EVERY_AT_FIRST;
  const isInVain = view.tries > 0 && view.tries % renewEvery === 0;
  return { do: isInVain ? 'renew' : 'restart', about: 'path' };
}

/** Something has changed that may mend the path (the network is back, a machine woke up): whether ICE is restarted at once. */
export function isRestartWorthIt(view: LinkView, nowMs: number): boolean {
  if (!view.isReachable || view.isHeldBack || view.offeredAtMs !== undefined) return false;
  if (view.path === 'connected' || restartDueMs(view, nowMs) === undefined) return false;
  return nowMs - (view.attemptAtMs ?? Number.NEGATIVE_INFINITY) >= FRESH_MS;
}

/** How a step that failed is made up for: `failures` in a row, this one included. */
export function remedyFor(failures: number, isAgreed: boolean): Remedy {
  const delayMs = failures === 1 ? 0 : Math.min(REMEDY_MS_MAX, 1_000 * 2 ** (failures - 2));
  return { do: failures === 1 && isAgreed ? 'take_back' : 'renew', delayMs };
}

/** One path out of the two states: Chromium says `failed` in the one and `disconnected` in the other. */
export function pathOf({ connectionState, iceConnectionState }: PathStates): Path {
  const states = [connectionState, iceConnectionState];
  if (states.includes('failed')) return 'failed';
  if (states.includes('disconnected')) return 'disconnected';
  return connectionState === 'connected' ? 'connected' : 'forming';
}

export type Path = 'connected' | 'forming' | 'disconnected' | 'failed';

/** How a link stands. Times are in ms, by `performance.now`. */
export interface LinkView {
  readonly path: Path;
  readonly pathSinceMs: number;
  /** When the attempt that is under way began; undefined: nothing was agreed on. Before all time: it has led to a path. */
  readonly attemptAtMs: number | undefined;
  /** There is nothing to try: no candidate of one's own, or no relayed one where TURN servers are configured. */
  readonly isLacking: boolean;
  /** Restarts in vain since the path was last there. */
  readonly tries: number;
  readonly wasConnected: boolean;
  /** Since when an offer waits for its answer; undefined: none does. */
  readonly offeredAtMs: number | undefined;
  /** Offers in a row that got none. */
  readonly unanswered: number;
  /** It waits a little longer, so that both sides do not offer at once. */
  readonly isPolite: boolean;
  /** Signals reach the other side. */
  readonly isReachable: boolean;
  /** A description was refused, and the next one would be. */
  readonly isHeldBack: boolean;
  readonly answerTimeoutMs: number;
  readonly disconnectedGraceMs: number;
}

export type Plan =
  | { readonly do: 'wait'; readonly for: WaitsFor; readonly untilMs?: number }
  | { readonly do: 'take_back' | 'renew' | 'restart'; readonly about: 'answer' | 'path' };

export type WaitsFor = 'signaling' | 'offer' | 'answer' | 'path' | 'nothing';

export interface Remedy {
  /** `take_back`: the offer is rolled back and made anew. `renew`: another connection takes the place of this one. */
  readonly do: 'take_back' | 'renew';
  readonly delayMs: number;
}

type PathStates = Pick<RTCPeerConnection, 'connectionState' | 'iceConnectionState'>;

function answerWaitMs({ answerTimeoutMs, unanswered }: LinkView): number {
  return answerTimeoutMs * 2 ** Math.min(unanswered, DOUBLINGS_MAX);
}

/** Undefined: the other side is to begin, or has not even been asked. */
function restartDueMs(view: LinkView, nowMs: number): number | undefined {
  const { path, pathSinceMs, attemptAtMs, isPolite, disconnectedGraceMs } = view;
  if (attemptAtMs === undefined) return path === 'failed' ? nowMs : undefined;
  const attemptEndsMs = attemptAtMs + attemptMs(view);
  if (path !== 'disconnected' || view.tries > 0) return attemptEndsMs;
  return Math.max(
    pathSinceMs + disconnectedGraceMs + (isPolite ? POLITE_GRACE_MS : 0),
    attemptAtMs + IDLE_MS,
  );
}

/**
 * How long an attempt is given. While candidates are tried, the browser finds by itself a path that comes back. With nothing
 * to try, only another attempt does: the browser asks a silent TURN server less and less often. After a while
 * attempts become longer, which is for slow servers, too.
 */
function attemptMs({ path, isLacking, tries, isPolite }: LinkView): number {
  const isIdle = path === 'failed' || (isLacking && tries > 0);
  const baseMs = isIdle ? IDLE_MS : CHECKING_MS;
  const doublings = Math.max(0, Math.floor((tries - TRIES_AT_PACE) / TRIES_A_DOUBLING));
  return baseMs * 2 ** Math.min(doublings, DOUBLINGS_MAX) + (isPolite ? POLITE_ATTEMPT_MS : 0);
}

export const ANSWER_TIMEOUT_MS = 8_000;
export const DISCONNECTED_GRACE_MS = 4_000;
const IDLE_MS = 1_800;
const CHECKING_MS = 10_000;
const POLITE_GRACE_MS = 500;
const POLITE_ATTEMPT_MS = 1_000;
/** An attempt that is younger has seen the change that is told of. */
const FRESH_MS = 1_000;
/** For about a minute and a half a path that comes back is found at once; then less and less is sent for it. */
const TRIES_AT_PACE = 48;
const TRIES_A_DOUBLING = 8;
const DOUBLINGS_MAX = 3;
/** The other side may only be slow, and its pictures are there: they are not given up for one answer. */
const TAKES_BACK_IN_CALL = 3;
/** What the browser itself may have lost track of. At first nothing is lost with a connection, later the pictures flicker. */
const RENEW_EVERY = 15;
const RENEW_EVERY_AT_FIRST = 3;
const REMEDY_MS_MAX = 30_000;
