import type { RoomId } from '../../domain/room-id.ts';
import { formatRecord, type RoomRecord, readRecord } from '../../domain/room-record.ts';
import type { OnMalformed } from '../malformed.ts';
import type { Doorbell } from '../room-log.ts';
import { type OnFailed, unattended } from '../tasks.ts';
import { withDeadline } from './commands.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';

const SUBSCRIBE_TIMEOUT_MS = 350;
const LISTEN_RETRY_MS = 250;
const PROBE_EVERY_MS = 1_000;
/** A doorbell that rang for nobody this long is taken for dead, and its connection made anew. */
const SILENCE_MAX_MS = 6_000;

/** So many rooms are let go at once; one that still rings asks again. */
const LEAVING_MAX = 1_024;
/** Longer than any time that a node rings itself with. */
const PROBE_CHARS_MAX = 32;

/** Each ring begins with its type. */
const RINGS = 'R'.charCodeAt(0);
const PROBE = 'P'.charCodeAt(0);
/** Between the records of one ring, as rings.lua has it; and between a record and the name of its room's log before it. */
const BETWEEN = '\x1e'.charCodeAt(0);
const END_OF_LOG = '\n'.charCodeAt(0);

/** One record's ring, as rings.lua makes it. */
export function ringOf(log: string, record: RoomRecord): string {
  return `R${log}\n${formatRecord(record)}`;
}

export interface ProbedDoorbell extends Doorbell {
  /** Milliseconds since a ring of this node's own came back. */
  silentForMs(): number;
  close(): void;
}

export interface DoorbellObserver {
  subscriptionFailed(error: Error): void;
  /** A ring of this node's own came back after so long. */
  looped(seconds: number): void;
  readonly malformed: OnMalformed;
  readonly failed: OnFailed;
}

export interface DoorbellParts {
  readonly subscriber: Client;
  readonly publisher: Client;
  readonly keys: Keys;
  readonly incarnation: string;
  readonly observer: DoorbellObserver;
  /** Has a room's records ring on this node's channel, or no more; false: Redis did not answer. */
  host(room: RoomId, how: 'on' | 'off'): Promise<boolean>;
}

/**
 * Rooms' records by sharded pub/sub: on this node's one channel, on which it rings itself, too, to see whether it
 * still hears; on a Cluster each room has a channel of its own besides.
 */
export function redisDoorbell(parts: DoorbellParts): ProbedDoorbell {
  const { subscriber, publisher, keys, observer } = parts;
  const { isCluster } = subscriber;
  const channel = keys.channel(parts.incarnation);
  const confirmed = (subscription: Promise<unknown>): Promise<boolean> =>
    withDeadline(subscription, SUBSCRIBE_TIMEOUT_MS).then(
      () => true,
      (error: Error) => {
        observer.subscriptionFailed(error);
        return false;
      },
    );
  let listening: Promise<boolean> = Promise.resolve(false);
  let heardAt = -Infinity;
  let renewedAt = performance.now();
  let rangAt = -Infinity;
  const ring = () => {
    rangAt = performance.now();
    void publisher.spublish(channel, `P${rangAt}`).catch(() => {});
  };
  /** What rings until Redis has heard of it asks for it no second time. */
  const leaving = new Set<RoomId>();
  const letGo = async (room: RoomId) => {
    if (leaving.has(room) || leaving.size >= LEAVING_MAX) return;
    leaving.add(room);
    // It never rejects.
    await parts.host(room, 'off');
    leaving.delete(room);
  };
  const subscribeTo = (room: RoomId) => confirmed(subscriber.ssubscribe(keys.log(room)));

  const bell: ProbedDoorbell = {
    subscribe: async (room) =>
      isCluster ? subscribeTo(room) : (await listening) && (await parts.host(room, 'on')),
    beforeEntry: (room) => (isCluster ? subscribeTo(room) : listening),
    unsubscribe(room) {
      if (isCluster) void confirmed(subscriber.sunsubscribe(keys.log(room)));
      else void letGo(room);
    },
    onRing: () => {},
    onDoubt: () => {},
    onReset: () => {},
    silentForMs: () => performance.now() - heardAt,
    close: () => clearInterval(timer),
  };

  /** Only what this node rang itself shows that it hears. */
  const heard = (at: number) => {
    if (!(at > 0 && at <= rangAt)) return observer.malformed('ring');
    heardAt = performance.now();
    observer.looped((heardAt - at) / 1_000);
  };
  // Each record is a text of its own: a part of a larger one would keep all of that.
  const take = (rings: Buffer) => {
    for (let at = 1; at < rings.length; ) {
      const endOfLog = rings.indexOf(END_OF_LOG, at);
      const between = rings.indexOf(BETWEEN, endOfLog);
      const end = between < 0 ? rings.length : between;
      const text = rings.toString('utf8', endOfLog + 1, end);
      const room = endOfLog < 0 ? undefined : keys.roomOfLog(rings.toString('utf8', at, endOfLog));
      const record = room === undefined ? undefined : readRecord(text);
      // What cannot be read leaves a gap, and the log is asked.
      if (room === undefined || record === undefined) observer.malformed('ring');
      else unattended('doorbell', observer.failed, () => bell.onRing(room, record, text));
      if (room !== undefined && record === undefined)
        unattended('doorbell', observer.failed, () => bell.onDoubt(room));
      at = end + 1;
    }
  };
  subscriber.on('smessageBuffer', (_: Buffer, content: Buffer) => {
    if (content[0] === RINGS) take(content);
    else if (content[0] === PROBE) heard(Number(content.toString('latin1', 1, PROBE_CHARS_MAX)));
    else observer.malformed('ring');
  });
  /** A confirmation that comes too late is not waited for; without one no room would ever be entered here. */
  const listen = () => {
    if (subscriber.status !== 'ready') return;
    listening = confirmed(subscriber.ssubscribe(channel));
    void listening.then((isHeard) => (isHeard ? ring() : setTimeout(listen, LISTEN_RETRY_MS).unref()));
  };
  const reset = () => {
    if (subscriber.status !== 'ready') return;
    listen();
    unattended('doorbell', observer.failed, () => bell.onReset());
  };
  subscriber.on('ready', reset);
  subscriber.on('subscribersReady', reset);
  subscriber.on('close', () => {
    listening = Promise.resolve(false);
  });
  reset();

  const timer = setInterval(() => {
    ring();
    const nowMs = performance.now();
    if (publisher.status !== 'ready' || nowMs - Math.max(heardAt, renewedAt) < SILENCE_MAX_MS) return;
    renewedAt = nowMs;
    subscriber.disconnect(true);
  }, PROBE_EVERY_MS);
  return bell;
}
