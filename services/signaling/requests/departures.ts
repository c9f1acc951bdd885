import type { LeftReason } from '@fenghuo/protocol';
import type { RoomLog, SessionRef } from '../backplane/room-log.ts';

/** Sessions whose end the backplane has not confirmed: told again until it has, so that no ghost keeps a seat. */
export interface Departures {
  /** Ends a session for the node's own reasons. Resolves after the first try. */
  depart(session: SessionRef, reason: LeftReason): Promise<void>;
  /** How many are still owed. */
  readonly owed: number;
  /** Resolves when none is owed, or when the time is over. */
  settled(timeoutMs: number): Promise<void>;
  close(): void;
}

const RETRY_MS = 500;
const TRIES_AT_ONCE = 64;

export function departures(rooms: RoomLog): Departures {
  const owed = new Map<SessionRef, LeftReason>();
  let timer: NodeJS.Timeout | undefined;
  let waiting: (() => void)[] = [];
  let isClosed = false;

  async function attempt(session: SessionRef, reason: LeftReason): Promise<void> {
    const outcome = await rooms.leave(session, reason);
    if (!outcome.ok && outcome.code === 'unavailable') return;
    owed.delete(session);
    if (owed.size > 0) return;
    for (const settle of waiting) settle();
    waiting = [];
  }

  function retryLater(): void {
    if (isClosed || timer !== undefined || owed.size === 0) return;
    timer = setTimeout(async () => {
      const batch = [...owed].slice(0, TRIES_AT_ONCE);
      await Promise.all(batch.map(([session, reason]) => attempt(session, reason)));
      timer = undefined;
      retryLater();
    }, RETRY_MS);
  }

  return {
    async depart(session, reason) {
      owed.set(session, reason);
      await attempt(session, reason);
      retryLater();
    },
    get owed() {
      return owed.size;
    },
    settled: (timeoutMs) =>
      new Promise((resolve) => {
        if (owed.size === 0) return resolve();
        const limit = setTimeout(resolve, timeoutMs);
        waiting.push(() => {
          clearTimeout(limit);
          resolve();
        });
      }),
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
