import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** In order: what a client sends waits `delayMsOf(chunk)`, and so does all that it sends after it. */
export function startDelayProxy(
  targetPort: number | (() => number),
  delayMsOf: (chunk: Buffer) => number,
): Promise<TcpProxy> {
  return startTcpProxy(targetPort, () => {
    let passed: Promise<void> = Promise.resolve();
    return {
      toServer(chunk, pass) {
        const delayMs = delayMsOf(chunk);
        passed = passed.then(async () => {
          if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
          pass(chunk);
        });
      },
      toClient: (chunk, pass) => pass(chunk),
    };
  });
}
