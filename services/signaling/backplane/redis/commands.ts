import type { LogBounds } from '../../domain/log-bounds.ts';
import { type Result, refuse } from '../../domain/result.ts';
import type { RoomId } from '../../domain/room-id.ts';
import type { Keys } from './keys.ts';
import type { Lives } from './lives.ts';
import type { CallObserver, SendScript } from './script-calls.ts';
import type { RoomScript, RoomsScript, ScriptName } from './scripts.ts';

/** Runs one script; never rejects. A failure means that the outcome is unknown (rule Q1). */
export type RunScript = (
  script: ScriptName,
  keys: readonly string[],
  ...args: readonly (string | number)[]
) => Promise<Result<unknown, 'unavailable'>>;

/** Runs one script of a room; keys besides the room's own four come first. */
export type RunRoomScript = (
  script: RoomScript,
  room: RoomId,
  more: readonly string[],
  ...args: readonly (string | number)[]
) => Promise<Result<unknown, 'unavailable'>>;

/**
 * Runs one script of several rooms. `settle` gets the lines that it returned, one for each place: undefined where that is
 * not to be believed; none at all where the outcome is unknown. `places` are the rooms that they are about, in their order.
 */
export type CallRoomsScript = (
  script: RoomsScript,
  rooms: readonly RoomId[],
  places: readonly RoomId[],
  args: readonly (string | number)[],
  settle: (lines: readonly (string | undefined)[]) => void,
) => void;

export interface CommandObserver extends CallObserver {
  /** A script met a life of the Redis in which the home is not sealed: nothing was written (rule R1). */
  unsealed(life: string): void;
  /** A script met a room that was handed in and is not open yet. */
  restoring(room: RoomId, life: string): void;
}

export function scriptRunner(send: SendScript, { unsealed }: Pick<CommandObserver, 'unsealed'>): RunScript {
  return (script, keys, ...args) =>
    new Promise((settle) => {
      send(script, [keys.length, ...keys, ...args], (reply) => {
        if (!reply.ok || typeof reply.value !== 'string' || !reply.value.startsWith(REBUILD))
          return settle(reply);
        unsealed(reply.value.slice(REBUILD.length));
        settle(refuse('unavailable'));
      });
    });
}

const REBUILD = '!rebuild ';

/** What the scripts of rooms need besides. */
export interface RoomScriptParts {
  readonly send: SendScript;
  readonly keys: Keys;
  readonly lives: Lives;
  readonly observer: Pick<CommandObserver, 'unsealed' | 'restoring'>;
  /** On a Cluster no script reaches the marker: what is missing, or was handed in, is believed after a look at it. */
  readonly isReallySealed: () => Promise<boolean>;
}

export function roomScriptRunner(run: RunScript, parts: RoomScriptParts): RunRoomScript {
  const { keys, lives } = parts;
  return async (script, room, more, ...args) => {
    const all = [...keysOf([room], keys, lives), ...more];
    const reply = await run(script, all, lives.argument, ...args);
    if (!reply.ok) return reply;
    const doubt = doubts(parts, room, reply.value);
    return doubt !== undefined && (await doubt) ? refuse('unavailable') : reply;
  };
}

export function roomsScriptCaller(parts: RoomScriptParts): CallRoomsScript {
  const { send, keys, lives } = parts;
  return (script, rooms, places, args, settle) => {
    const all = keysOf(rooms, keys, lives);
    send(script, [all.length, ...all, lives.argument, ...args], (reply) => {
      if (reply.ok && typeof reply.value === 'string') sift(parts, places, reply.value.split('\n'), settle);
      else settle([]);
    });
  };
}

/** Takes out the lines that are not to be believed; that is known at once, but where the seal has to be looked at. */
function sift(
  parts: RoomScriptParts,
  places: readonly RoomId[],
  lines: (string | undefined)[],
  settle: (lines: readonly (string | undefined)[]) => void,
): void {
  const looks: Promise<void>[] = [];
  for (let at = 0; at < places.length; at++) {
    const doubt = doubts(parts, places[at] as RoomId, lines[at]);
    if (doubt === true) lines[at] = undefined;
    else if (doubt !== undefined)
      looks.push(
        doubt.then((isDoubtful) => {
          if (isDoubtful) lines[at] = undefined;
        }),
      );
  }
  if (looks.length === 0) settle(lines);
  else void Promise.all(looks).then(() => settle(lines));
}

/** The marker, and of each room its hash, its stream, and what nodes handed in of it. */
function keysOf(rooms: readonly RoomId[], keys: Keys, lives: Lives): string[] {
  const all = [lives.markerKey(keys.state(rooms[0] as RoomId))];
  for (const room of rooms) all.push(keys.state(room), keys.log(room), keys.restore(room));
  return all;
}

/** Whether what a script returned of a room is not to be believed; undefined: it is. */
function doubts(parts: RoomScriptParts, room: RoomId, reply: unknown): true | Promise<boolean> | undefined {
  const isRefusal = typeof reply === 'string' && reply.startsWith('!');
  if (reply !== null && !isRefusal) return undefined;
  if (isRefusal && reply.startsWith(REBUILD)) parts.observer.unsealed(reply.slice(REBUILD.length));
  else if (isRefusal && reply.startsWith(RESTORING))
    void openOnceSealed(parts, room, reply.slice(RESTORING.length));
  else if (reply === null || reply === '!session_expired')
    return parts.isReallySealed().then((isSealed) => !isSealed);
  else return undefined;
  return true;
}

/** Rule R2: who has not heard of the loss yet, and opened the room from what others handed in, would do so without its own. */
async function openOnceSealed(parts: RoomScriptParts, room: RoomId, life: string): Promise<void> {
  if (await parts.isReallySealed()) parts.observer.restoring(room, life);
}

const RESTORING = '!restoring ';

/** How the scripts take a log's bounds: their last arguments. */
export function boundsArguments(bounds: LogBounds): readonly number[] {
  return [bounds.writtenBytesMax, bounds.bytesMax, bounds.ageMs];
}

/** The promise's outcome, or a rejection once the time is over; a later rejection of the promise is absorbed. */
export function withDeadline<Value>(promise: Promise<Value>, timeoutMs: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
