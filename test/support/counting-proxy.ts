import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

export interface ProxiedConnection {
  readonly bytesToClient: number;
  readonly bytesToServer: number;
  readonly isOpen: boolean;
}

/** Counts the bytes between a client and a server from outside both. */
export interface CountingProxy {
  readonly port: number;
  /** Totals since the start or the last `reset`, of closed connections too. */
  readonly bytesToClient: number;
  readonly bytesToServer: number;
  /** One entry per connection since the start, in the order in which they came. */
  readonly connections: readonly ProxiedConnection[];
  reset(): void;
  stop(): Promise<void>;
}

/** Passes TCP on to 127.0.0.1:targetPort, and counts. */
export async function startCountingProxy(targetPort: number): Promise<CountingProxy> {
  const connections: { bytesToClient: number; bytesToServer: number; isOpen: boolean }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    const counts = { bytesToClient: 0, bytesToServer: 0, isOpen: true };
    connections.push(counts);
    client.on('data', (chunk) => {
      counts.bytesToServer += chunk.length;
    });
    target.on('data', (chunk) => {
      counts.bytesToClient += chunk.length;
    });
    client.pipe(target);
    target.pipe(client);
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        counts.isOpen = false;
        client.destroy();
        target.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const sum = (member: 'bytesToClient' | 'bytesToServer') =>
    connections.reduce((total, connection) => total + connection[member], 0);
  return {
    port: (server.address() as AddressInfo).port,
    get bytesToClient() {
      return sum('bytesToClient');
    },
    get bytesToServer() {
      return sum('bytesToServer');
    },
    connections,
    reset: () => {
      for (const connection of connections) Object.assign(connection, { bytesToClient: 0, bytesToServer: 0 });
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
