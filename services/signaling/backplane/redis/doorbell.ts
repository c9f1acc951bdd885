import type { RoomId } from '../../domain/room-id.ts';
import type { Doorbell } from '../room-log.ts';
import { withDeadline } from './commands.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';

const SUBSCRIBE_TIMEOUT_MS = 350;
const PROBE_EVERY_MS = 1_000;
/** A doorbell that rang for nobody this long is taken for dead, and its connection made anew. */
const SILENCE_MAX_MS = 6_000;

export interface ProbedDoorbell extends Doorbell {
  /** Milliseconds since a ring of this node's own came back. */
  silentForMs(): number;
  close(): void;
}

export interface DoorbellObserver {
  subscriptionFailed(error: Error): void;
  /** A ring of this node's own came back after so long. */
  looped(seconds: number): void;
}

/** Rooms' records by sharded pub/sub, and the node's own ring that shows whether it still works. */
export function redisDoorbell(
  subscriber: Client,
  publisher: Client,
  keys: Keys,
  incarnation: string,
  observer: DoorbellObserver,
): ProbedDoorbell {
  const confirmed = (subscription: Promise<unknown>): Promise<boolean> =>
    withDeadline(subscription, SUBSCRIBE_TIMEOUT_MS).then(
      () => true,
      (error: Error) => {
        observer.subscriptionFailed(error);
        return false;
      },
    );
  const probe = keys.probe(incarnation);
  let heardAt = -Infinity;
  let renewedAt = performance.now();
  let rangAt = -Infinity;
  const ring = () => {
    rangAt = performance.now();
    void publisher.spublish(probe, String(rangAt)).catch(() => {});
  };

  const bell: ProbedDoorbell = {
    subscribe: (room) => confirmed(subscriber.ssubscribe(keys.log(room))),
    unsubscribe: (room) => void confirmed(subscriber.sunsubscribe(keys.log(room))),
    onRing: () => {},
    onReset: () => {},
    silentForMs: () => performance.now() - heardAt,
    close: () => clearInterval(timer),
  };

  const heard = (at: number) => {
    heardAt = performance.now();
    if (at > 0 && at <= rangAt) observer.looped((heardAt - at) / 1_000);
  };
  subscriber.on('smessage', (channel: string, text: string) => {
    if (channel === probe) heard(Number(text));
    else bell.onRing(keys.roomOfLog(channel) as RoomId, text);
  });
  const reset = () => {
    if (subscriber.status !== 'ready') return;
    void confirmed(subscriber.ssubscribe(probe)).then(ring);
    bell.onReset();
  };
  subscriber.on('ready', reset);
  subscriber.on('subscribersReady', reset);
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
