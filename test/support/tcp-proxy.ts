import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Ends every connection; new ones are passed on as before. */
  cut(): void;
  stop(): Promise<void>;
}

/** What happens to one client's connection on its way; `pass` hands a chunk on, now or later. */
export interface ProxiedLink {
  toServer(chunk: Buffer, pass: (chunk: Buffer) => void): void;
  toClient(chunk: Buffer, pass: (chunk: Buffer) => void): void;
}

/**
 * Passes TCP on from a free port to 127.0.0.1:targetPort, each connection by a link of its own. A target that is not
 * known yet is asked for with each connection.
 */
export async function startTcpProxy(
  targetPort: number | (() => number),
  newLink: () => ProxiedLink,
): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const port = typeof targetPort === 'number' ? targetPort : targetPort();
    const target = connect({ port, host: '127.0.0.1', noDelay: true });
    const link = newLink();
    client.on('data', (chunk) => link.toServer(chunk, (each) => !target.destroyed && target.write(each)));
    target.on('data', (chunk) => link.toClient(chunk, (each) => !client.destroyed && client.write(each)));
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
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    stop: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
