import { createShardedAdapter } from '@socket.io/redis-adapter';
import { type SocketAdapter, WITHIN } from '../backplane.ts';
import type { OnMalformed } from '../malformed.ts';
import { type OnFailed, unattended } from '../tasks.ts';
import { isOurs, wholeOf } from './adapter-messages.ts';
import type { Client, Clients } from './connect.ts';
import { inParts } from './in-parts.ts';
import type { Keys } from './keys.ts';

export interface AdapterObserver {
  /** Redis refused a command of the adapter. Whatever the adapter carries may be lost. */
  adapterFailed(error: Error): void;
  readonly malformed: OnMalformed;
  readonly failed: OnFailed;
}

/**
 * socket.io's own sharded adapter, on a client of ours. The adapter believes what it hears, leaves the promises of its
 * commands to nobody and subscribes to each channel once: its client checks, catches, and subscribes again.
 */
export function redisAdapter(clients: Clients, keys: Keys, observer: AdapterObserver): SocketAdapter {
  const client = adapterClient(clients, keys, observer);
  return createShardedAdapter(client, client, {
    channelPrefix: keys.adapterPrefix,
    subscriptionMode: 'dynamic',
  });
}

/** A handler of node-redis: the message, and the channel on which it came. */
type Hear = (message: Buffer, channel: Buffer) => void;

/** The commands of node-redis's client that the sharded adapter uses. None of them rejects. */
export interface AdapterClient {
  sSubscribe(channel: string, hear: Hear): Promise<void>;
  sUnsubscribe(channel: string): Promise<void>;
  sPublish(channel: string, message: string | Uint8Array): Promise<unknown>;
}

/**
 * The adapter has a channel for each socket.io room. A part of a room is reached on the room's channel: a member needs no
 * subscription of its own, and its node hears what the room hears.
 */
export function adapterClient(clients: Clients, keys: Keys, observer: AdapterObserver): AdapterClient {
  const { adapterPublisher: publisher, adapterSubscriber: subscriber } = clients;
  /** Of every node; behind it, with a mark, the room. */
  const all = `${keys.adapterPrefix}#/#`;
  const subscriptions = gatherSubscriptions(subscriber, observer.adapterFailed);
  /** By the channel that is subscribed to: who hears it, and for which channels of the adapter's. */
  const heard = new Map<string, { readonly hear: Hear; readonly wanted: Set<string> }>();

  /** Undefined: of all, or no room's. */
  const roomOf = (channel: string): string | undefined =>
    channel.startsWith(all) && channel !== all ? channel.slice(all.length, -ROOM_END.length) : undefined;
  const shared = (channel: string): string => {
    const room = roomOf(channel);
    return room?.includes(WITHIN) ? all + wholeOf(room) + ROOM_END : channel;
  };

  subscriber.on('smessageBuffer', (name: Buffer, message: Buffer) => {
    unattended('adapter', observer.failed, () => {
      const channel = name.toString();
      const hear = heard.get(channel)?.hear;
      if (hear === undefined) return;
      if (isOurs(message, roomOf(channel))) hear(message, name);
      else observer.malformed('adapter_message');
    });
  });

  return {
    async sSubscribe(channel, hear) {
      const known = heard.get(shared(channel));
      if (known !== undefined) return void known.wanted.add(channel);
      heard.set(shared(channel), { hear, wanted: new Set([channel]) });
      subscriptions.subscribe(shared(channel));
    },
    async sUnsubscribe(channel) {
      const known = heard.get(shared(channel));
      if (known === undefined || !known.wanted.delete(channel) || known.wanted.size > 0) return;
      heard.delete(shared(channel));
      subscriptions.unsubscribe(shared(channel));
    },
    async sPublish(channel, message) {
      try {
        return await publisher.spublish(shared(channel), message as string);
      } catch (error) {
        observer.adapterFailed(error as Error);
        return 0;
      }
    },
  };
}

const ROOM_END = '#';

const CHANNELS_AT_ONCE = 1_000;
/** In a crowd a node subscribes so often: a command a turn would be a write and a wake-up for one or two channels. */
const CROWD_MS = 20;

type Subscribing = 'ssubscribe' | 'sunsubscribe';

/**
 * The adapter subscribes to one channel after the other, as rooms get their first member here. One command takes all
 * channels of one turn of the event loop; in a crowd, those of 20 ms. A new connection subscribes to all of them again.
 * On a Cluster each channel is a command of its own, since they lie in several slots.
 */
function gatherSubscriptions(client: Client, onFailure: (error: Error) => void) {
  /** Those that are to hold, whatever becomes of the connection. */
  const held = new Set<string>();
  /** What the next command does to each channel. */
  const due = new Map<string, Subscribing>();
  const send = (how: Subscribing, channels: readonly string[]) => {
    for (const part of inParts(channels, client.isCluster ? 1 : CHANNELS_AT_ONCE))
      client[how](...part).catch(onFailure);
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
  const gather = (how: Subscribing, channel: string) => {
    if (due.size === 0) flushSoon();
    due.set(channel, how);
  };
  client.on('ready', () => send('ssubscribe', [...held]));
  return {
    subscribe(channel: string): void {
      held.add(channel);
      gather('ssubscribe', channel);
    },
    unsubscribe(channel: string): void {
      held.delete(channel);
      gather('sunsubscribe', channel);
    },
  };
}
