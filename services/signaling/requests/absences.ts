import type { PeerId } from '@fenghuo/protocol';
import { BEAT_MS } from '../backplane/leases.ts';
import type { RoomFeeds } from '../backplane/room-feeds.ts';
import type { Adopted, RoomLog, SessionRef } from '../backplane/room-log.ts';
import type { RoomId } from '../domain/room-id.ts';
import type { Departures } from './departures.ts';

/** Sessions without a connection whose resume windows this process counts. */
export interface Absences {
  /** A connection is gone: its session is detached as soon as the backplane takes it. Resolves after the first try. */
  begin(session: SessionRef): Promise<void>;
  /** Sessions that are detached already, of a process that died. */
  adopt(sessions: readonly Adopted[]): void;
  readonly size: number;
  /** Others count their windows now. */
  forgetAll(): void;
}

export interface AbsencesOptions {
  readonly rooms: RoomLog;
  readonly feeds: RoomFeeds;
  readonly departures: Departures;
  readonly owner: () => string;
  readonly resumeWindowMs: number;
  /** Time in which the backplane answered: a session expires by nothing else (rule C2). */
  readonly livedMs: () => number;
  readonly onExpired: (room: RoomId, peer: PeerId) => void;
}

export function absences(options: AbsencesOptions): Absences & { tick(): Promise<void> } {
  const { rooms, feeds, departures } = options;
  /** In the order in which they are due: every window is as long. */
  const waiting = new Set<Absence>();

  function count(session: SessionRef, letGo: () => void): void {
    // The clock may be a beat behind: a window is rather longer than shorter.
    waiting.add({ session, dueAtMs: options.livedMs() + BEAT_MS + options.resumeWindowMs, letGo });
  }

  async function detach(session: SessionRef, letGo: () => void) {
    const detached = await rooms.detach(session, options.owner());
    if (detached.ok) count({ ...session, generation: detached.value }, letGo);
    // Somebody was faster: it was resumed elsewhere, taken over, or ended.
    else if (detached.code !== 'unavailable') letGo();
    return detached;
  }

  async function expire({ session, letGo }: Absence) {
    const left = await rooms.leave(session, 'expired');
    if (!left.ok && left.code === 'unavailable') return left;
    letGo();
    if (left.ok) options.onExpired(session.room, session.peer);
    return left;
  }

  return {
    begin({ room, peer, generation }) {
      const letGo = feeds.keep(room);
      return departures.depart(() => detach({ room, peer, generation }, letGo));
    },
    adopt(sessions) {
      for (const session of sessions) count(session, feeds.keep(session.room));
    },
    get size() {
      return waiting.size;
    },
    forgetAll() {
      for (const { letGo } of waiting) letGo();
      waiting.clear();
    },
    async tick() {
      const due: Absence[] = [];
      for (const absence of waiting) {
        if (absence.dueAtMs > options.livedMs() || due.length >= EXPIRED_AT_ONCE) break;
        due.push(absence);
        waiting.delete(absence);
      }
      await Promise.all(due.map((absence) => departures.depart(() => expire(absence))));
    },
  };
}

interface Absence {
  readonly session: SessionRef;
  readonly dueAtMs: number;
  /** The room stays hosted here while its session is away (rule R7). */
  readonly letGo: () => void;
}

const EXPIRED_AT_ONCE = 128;
