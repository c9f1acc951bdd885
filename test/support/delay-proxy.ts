import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface DelayProxy {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Passes TCP on to 127.0.0.1:targetPort, in order. What a client sends waits `delayMsOf(chunk)`, and so does all
 * that it sends after it.
 */
export async function startDelayProxy(
  targetPort: number,
  delayMsOf: (chunk: Buffer) => number,
): Promise<DelayProxy> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    let passed: Promise<unknown> = Promise.resolve();
    client.on('data', (chunk) => {
      const delayMs = delayMsOf(chunk);
      passed = passed.then(() => delayMs > 0 && new Promise((resolve) => setTimeout(resolve, delayMs)));
      passed = passed.then(() => !target.destroyed && target.write(chunk));
    });
    target.pipe(client);
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        target.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
