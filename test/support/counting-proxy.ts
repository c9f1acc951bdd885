import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Counts the bytes between clients and a server from outside both. */
export interface CountingProxy extends TcpProxy {
  /** Totals since the start or the last `reset`, of closed connections too. */
  readonly bytesToClient: number;
  readonly bytesToServer: number;
  reset(): void;
}

export async function startCountingProxy(targetPort: number): Promise<CountingProxy> {
  const bytes = { toClient: 0, toServer: 0 };
  const proxy = await startTcpProxy(targetPort, () => ({
    toServer(chunk, pass) {
      bytes.toServer += chunk.length;
      pass(chunk);
    },
    toClient(chunk, pass) {
      bytes.toClient += chunk.length;
      pass(chunk);
    },
  }));
  return {
    ...proxy,
    get bytesToClient() {
      return bytes.toClient;
    },
    get bytesToServer() {
      return bytes.toServer;
    },
    reset() {
      bytes.toClient = 0;
      bytes.toServer = 0;
    },
  };
}
