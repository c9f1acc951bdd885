import { createShardedAdapter } from '@socket.io/redis-adapter';
import type { SocketAdapter } from '../backplane.ts';
import type { Client, Clients } from './connect.ts';
import type { Keys } from './keys.ts';

/**
 * socket.io's own sharded adapter. It leaves the promises of its commands to nobody, so a rejection while Redis is
 * away would end the process: they are settled and counted here. What it carries may be lost by nature.
 */
export function redisAdapter(clients: Clients, keys: Keys, onFailure: (error: Error) => void): SocketAdapter {
  settle(clients.adapterPublisher, ['spublish'], onFailure);
  settle(clients.adapterSubscriber, ['ssubscribe', 'sunsubscribe'], onFailure);
  const channels = remembered(clients.adapterSubscriber);
  clients.adapterSubscriber.on('ready', () => {
    for (const channel of channels) void clients.adapterSubscriber.ssubscribe(channel);
  });
  return createShardedAdapter(clients.adapterPublisher, clients.adapterSubscriber, {
    channelPrefix: keys.adapterPrefix,
    subscriptionMode: 'dynamic',
  });
}

type Method = 'spublish' | 'ssubscribe' | 'sunsubscribe';
type Loose = Record<Method, (...args: unknown[]) => Promise<unknown>>;

function settle(client: Client, methods: readonly Method[], onFailure: (error: Error) => void): void {
  const loose = client as unknown as Loose;
  for (const method of methods) {
    const original = loose[method].bind(client);
    loose[method] = (...args) => original(...args).catch(onFailure);
  }
}

/** The channels that are to hold, whatever becomes of the connection: the adapter itself subscribes once. */
function remembered(client: Client): Set<string> {
  const channels = new Set<string>();
  const loose = client as unknown as Loose;
  const { ssubscribe, sunsubscribe } = loose;
  loose.ssubscribe = (...args) => {
    for (const channel of args) channels.add(String(channel));
    return ssubscribe(...args);
  };
  loose.sunsubscribe = (...args) => {
    for (const channel of args) channels.delete(String(channel));
    return sunsubscribe(...args);
  };
  return channels;
}
