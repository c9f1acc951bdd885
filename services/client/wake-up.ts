/**
 * Calls `wake` when waiting has become pointless: the network is back or another one, somebody looks at the page again (a
 * hidden page's timers run up to a minute late), the page comes out of the browser's cache, the machine or the process has
 * slept. May call it more than once for one of these. Ends with the returned function.
 */
export function onWakeUp(wake: () => void): () => void {
  const { window, document, navigator } = globalThis as Page;
  const wakeIfSeen = () => {
    if (document?.visibilityState === 'visible') wake();
  };
  const sources: readonly [EventTarget | undefined, string, () => void][] = [
    [window, 'online', wake],
    [window, 'pageshow', wake],
    [document, 'visibilitychange', wakeIfSeen],
    [navigator?.connection, 'change', onOther(navigator?.connection, wake)],
  ];
  for (const [target, name, listener] of sources) target?.addEventListener?.(name, listener);
  const stopTicking = onLateTick(wake);
  return () => {
    for (const [target, name, listener] of sources) target?.removeEventListener?.(name, listener);
    stopTicking();
  };
}

/** Browsers tell of each new estimate of the network's speed, too; that is no other network. */
function onOther(network: Network | undefined, wake: () => void): () => void {
  let type = network?.type;
  return () => {
    const isSame = network?.type !== undefined && network.type === type;
    type = network?.type;
    if (!isSame) wake();
  };
}

interface Page {
  readonly window?: EventTarget;
  readonly document?: EventTarget & { readonly visibilityState: string };
  /** The Network Information API, where the browser has it. */
  readonly navigator?: { readonly connection?: Network };
}

type Network = EventTarget & { readonly type?: string };

/** A timer that fires far too late: nothing ran meanwhile. The one clock may stand still in a sleep, the other may be set. */
function onLateTick(wake: () => void): () => void {
  let [ticked, tickedWall] = [performance.now(), Date.now()];
  const timer = setInterval(() => {
    const passedMs = Math.max(performance.now() - ticked, Date.now() - tickedWall);
    [ticked, tickedWall] = [performance.now(), Date.now()];
    if (passedMs > TICK_MS + LATE_MS) wake();
  }, TICK_MS);
  // In Node it keeps no process alive.
  (timer as { unref?: () => void }).unref?.();
  return () => clearInterval(timer);
}

const TICK_MS = 2_000;
const LATE_MS = 3_000;
