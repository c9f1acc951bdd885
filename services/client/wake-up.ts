/**
 * Calls `wake` when waiting has become pointless: the network is back, or somebody looks at the page again (a
 * hidden page's timers run up to a minute late). Does nothing where there is no page. Ends with the returned function.
 */
export function onWakeUp(wake: () => void): () => void {
  const { window, document } = globalThis as Partial<Pick<typeof globalThis, 'window' | 'document'>>;
  const wakeIfSeen = () => {
    if (document?.visibilityState === 'visible') wake();
  };
  window?.addEventListener('online', wake);
  document?.addEventListener('visibilitychange', wakeIfSeen);
  return () => {
    window?.removeEventListener('online', wake);
    document?.removeEventListener('visibilitychange', wakeIfSeen);
  };
}
