import type { PeerId } from '@fenghuo/protocol';
import { BEAT_MS } from '../backplane/leases.ts';
import type { RoomFeeds } from '../backplane/room-feeds.ts';
import type { Adopted, Comeback, RoomLog, SessionRef } from '../backplane/room-log.ts';
import type { RoomId } from '../domain/room-id.ts';
import type { Departures } from './departures.ts';

/** Sessions without a connection whose resume windows this process counts. */
export interface Absences {
  /** A connection is gone: its session is detached as soon as the backplane takes it. Resolves after the first try. */
  begin(session: SessionRef): Promise<void>;
  /** A resume whose outcome is unknown: if it has the session, that has no connection. */
  takeBack(comeback: Pick<Comeback, 'room' | 'peer' | 'holder'>): Promise<void>;
  /** Sessions that are detached already, of a process that died. */
  adopt(sessions: readonly Adopted[]): void;
  /** Hosts a room that its last session has just left for a while, for what it sent (rule R7). */
  linger(room: RoomId): void;
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
  /** By room and peer, or by room; in the order in which they are due: every window is as long. */
  const waiting = new Map<string, Absence>();

  function wait(name: string, session: SessionRef | undefined, letGo: () => void): void {
    // The clock may be a beat behind: a window is rather longer than shorter.
    const dueAtMs = options.livedMs() + BEAT_MS + options.resumeWindowMs;
    const known = waiting.get(name);
    if (session !== undefined && known?.session?.generation === session.generation) {
      letGo();
      return;
    }
    known?.letGo();
    waiting.delete(name);
    waiting.set(name, { session, dueAtMs, letGo });
  }

  function count(session: SessionRef, letGo: () => void): void {
    wait(`${session.room} ${session.peer}`, session, letGo);
  }

  async function detach(session: SessionRef, letGo: () => void) {
    const detached = await rooms.detach(session, options.owner());
    if (detached.ok) count({ ...session, generation: detached.value }, letGo);
    // Somebody was faster: it was resumed elsewhere, taken over, or ended.
    else if (detached.code !== 'unavailable') letGo();
    return detached;
  }

  async function expire(session: SessionRef, letGo: () => void) {
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
    takeBack({ room, peer, holder }) {
      const letGo = feeds.keep(room);
      return departures.depart(async () => {
        const released = await rooms.release({ room, peer, holder }, options.owner());
        if (released.ok && released.value !== undefined)
          count({ room, peer, generation: released.value }, letGo);
        else if (released.ok) letGo();
        return released;
      });
    },
    adopt(sessions) {
      for (const session of sessions) count(session, feeds.keep(session.room));
    },
    linger(room) {
      wait(room, undefined, feeds.keep(room));
    },
    get size() {
      let sessions = 0;
      for (const { session } of waiting.values()) if (session !== undefined) sessions++;
      return sessions;
    },
    forgetAll() {
      for (const { letGo } of waiting.values()) letGo();
      waiting.clear();
    },
    async tick() {
      const due: Absence[] = [];
      for (const [name, absence] of waiting) {
        if (absence.dueAtMs > options.livedMs() || due.length >= EXPIRED_AT_ONCE) break;
        due.push(absence);
        waiting.delete(name);
      }
      await Promise.all(
        due.map(({ session, letGo }) =>
          session === undefined ? letGo() : departures.depart(() => expire(session, letGo)),
        ),
      );
    },
  };
}

interface Absence {
  /** None: the room is only kept. */
  readonly session: SessionRef | undefined;
  readonly dueAtMs: number;
  /** The room stays hosted here while its session is away (rule R7). */
  readonly letGo: () => void;
}

const EXPIRED_AT_ONCE = 128;
