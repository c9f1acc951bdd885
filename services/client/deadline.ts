/**
 * Ends when `signal` is aborted or the time is up, whichever comes first. `AbortSignal.any` would say it in one line; Safari
 * has it from 17.4 on.
 */
export function abortedWithin(timeoutMs: number, signal?: AbortSignal): AbortSignal {
  const deadline = new AbortController();
  const end = () => deadline.abort(signal?.reason);
  if (signal?.aborted === true) end();
  else signal?.addEventListener('abort', end, { once: true });
  const timer = setTimeout(() => {
    signal?.removeEventListener('abort', end);
    deadline.abort(new DOMException(`Nothing came within ${timeoutMs} ms.`, 'TimeoutError'));
  }, timeoutMs);
  // In Node, whoever is done need not wait for it.
  (timer as { unref?: () => void }).unref?.();
  return deadline.signal;
}

/** Rejects with a `TimeoutError` where the promise is still pending after so long, and says what was waited for. What it waits for goes on. */
export function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new DOMException(`${what} took over ${timeoutMs} ms.`, 'TimeoutError'));
    const timer = setTimeout(late, timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
