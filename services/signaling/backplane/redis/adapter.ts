import { createShardedAdapter } from '@socket.io/redis-adapter';
import { type SocketAdapter, WITHIN } from '../backplane.ts';
import type { Client, Clients } from './connect.ts';
import { inParts } from './in-parts.ts';
import type { Keys } from './keys.ts';

/**
 * socket.io's own sharded adapter. It leaves the promises of its commands to nobody, so a rejection while Redis is
 * away would end the process: they are settled and counted here. What it carries may be lost by nature.
 */
export function redisAdapter(clients: Clients, keys: Keys, onFailure: (error: Error) => void): SocketAdapter {
  const publisher = clients.adapterPublisher as unknown as Loose;
  const spublish = publisher.spublish.bind(publisher);
  publisher.spublish = (...args) => spublish(...args).catch(onFailure);
  gatherSubscriptions(clients.adapterSubscriber, onFailure);
  const openAdapter = createShardedAdapter(clients.adapterPublisher, clients.adapterSubscriber, {
    channelPrefix: keys.adapterPrefix,
    subscriptionMode: 'dynamic',
  });
  return function openWithFewChannels(namespace: unknown) {
    const adapter = openAdapter(namespace);
    shareChannels(adapter as unknown as Channels);
    return adapter;
  };
}

/** Of the adapter, what decides on channels; its types hide it. */
interface Channels {
  dynamicChannel(room: string): string;
  shouldUseASeparateNamespace(room: string): boolean;
}

/** A part of a room is reached on the room's channel: a member needs no subscription of its own. */
function shareChannels(adapter: Channels): void {
  const channelOf = adapter.dynamicChannel.bind(adapter);
  const isSeparate = adapter.shouldUseASeparateNamespace.bind(adapter);
  adapter.dynamicChannel = (room) => channelOf(room.split(WITHIN, 1)[0] ?? room);
  adapter.shouldUseASeparateNamespace = (room) => !room.includes(WITHIN) && isSeparate(room);
}

const CHANNELS_AT_ONCE = 1_000;
/** In a crowd a node subscribes so often: a command a turn would be a write and a wake-up for one or two channels. */
const CROWD_MS = 20;

type Loose = Record<'spublish' | Subscribing, (...args: unknown[]) => Promise<unknown>>;
type Subscribing = 'ssubscribe' | 'sunsubscribe';

/**
 * The adapter subscribes once to each channel, one by one, as rooms get their first member here: what came in one turn of
 * the event loop is one command, or what came in some time, in a crowd; and all channels are subscribed to anew when the
 * connection is. On a Cluster each channel is a command of its own, since they lie in several slots.
 */
function gatherSubscriptions(client: Client, onFailure: (error: Error) => void): void {
  const loose = client as unknown as Loose;
  const commands = {
    ssubscribe: loose.ssubscribe.bind(client),
    sunsubscribe: loose.sunsubscribe.bind(client),
  };
  /** Those that are to hold, whatever becomes of the connection. */
  const held = new Set<string>();
  /** What is to become of each channel with the next command. */
  const due = new Map<string, Subscribing>();
  const send = (how: Subscribing, channels: readonly string[]) => {
    for (const part of inParts(channels, client.isCluster ? 1 : CHANNELS_AT_ONCE))
      void commands[how](...part).catch(onFailure);
  };
  let flushedAtMs = Number.NEGATIVE_INFINITY;
  const flush = () => {
    flushedAtMs = performance.now();
    for (const how of ['ssubscribe', 'sunsubscribe'] as const)
      send(
        how,
        [...due.keys()].filter((channel) => due.get(channel) === how),
      );
    due.clear();
  };
  const flushSoon = () => {
    const waitMs = flushedAtMs + CROWD_MS - performance.now();
    if (waitMs > 0) setTimeout(flush, waitMs).unref();
    else setImmediate(flush);
  };
  const gather = (how: Subscribing) => async (channel: unknown) => {
    if (how === 'ssubscribe') held.add(String(channel));
    else held.delete(String(channel));
    if (due.size === 0) flushSoon();
    due.set(String(channel), how);
  };
  loose.ssubscribe = gather('ssubscribe');
  loose.sunsubscribe = gather('sunsubscribe');
  client.on('ready', () => send('ssubscribe', [...held]));
}
