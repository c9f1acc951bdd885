import type { LogBounds } from '../../domain/log-bounds.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import type { RoomId } from '../../domain/room-id.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';
import type { Lives } from './lives.ts';
import { commandName, type RoomScript, type RoomsScript, SCRIPTS, type ScriptName } from './scripts.ts';

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
 * Runs one script of several rooms, and resolves to the lines that it returned, one for each place: undefined where that is
 * not to be believed; none at all where the outcome is unknown. `places` are the rooms that they are about, in their order.
 */
export type RunRoomsScript = (
  script: RoomsScript,
  rooms: readonly RoomId[],
  places: readonly RoomId[],
  ...args: readonly (string | number)[]
) => Promise<readonly (string | undefined)[]>;

export interface CommandObserver {
  /** Each that was sent is answered or fails, once. */
  commandSent(): void;
  commandAnswered(script: ScriptName, seconds: number): void;
  commandFailed(script: ScriptName, error: Error): void;
  /** A script met a life of the Redis in which the home is not sealed: nothing was written (rule R1). */
  unsealed(life: string): void;
  /** A script met a room that was handed in and is not open yet. */
  restoring(room: RoomId, life: string): void;
}

/** With the subscription that may come before it, a request is answered within a second. */
const COMMAND_TIMEOUT_MS = 600;

type ScriptCommand = (...args: readonly (string | number)[]) => Promise<unknown>;

export function scriptRunner(client: Client, observer: CommandObserver): RunScript {
  const commands = client as unknown as Record<string, ScriptCommand>;
  return async (script, keys, ...args) => {
    const sinceMs = performance.now();
    observer.commandSent();
    try {
      const command = commands[commandName(script)];
      if (command === undefined) throw new Error(`no script named ${script}`);
      // Of several rooms each has its own line, which says for itself whether it counts.
      const isOfRooms = SCRIPTS[script] === undefined;
      const count = isOfRooms ? [keys.length] : [];
      const reply = await withDeadline(command.call(client, ...count, ...keys, ...args), COMMAND_TIMEOUT_MS);
      observer.commandAnswered(script, (performance.now() - sinceMs) / 1_000);
      if (isOfRooms || typeof reply !== 'string' || !reply.startsWith(REBUILD)) return ok(reply);
      observer.unsealed(reply.slice(REBUILD.length));
    } catch (error) {
      observer.commandFailed(script, error as Error);
    }
    return refuse('unavailable');
  };
}

const REBUILD = '!rebuild ';

/** What the scripts of rooms need besides. */
export interface RoomScriptParts {
  readonly run: RunScript;
  readonly keys: Keys;
  readonly lives: Lives;
  readonly observer: Pick<CommandObserver, 'unsealed' | 'restoring'>;
  /** On a Cluster no script reaches the marker: what is missing there is believed after a look at it. */
  readonly isReallySealed: () => Promise<boolean>;
}

export function roomScriptRunner(parts: RoomScriptParts): RunRoomScript {
  const { run, keys, lives } = parts;
  return async (script, room, more, ...args) => {
    const all = [...keysOf([room], keys, lives), ...more];
    const reply = await run(script, all, lives.argument, ...args);
    if (!reply.ok) return reply;
    const doubt = doubts(parts, room, reply.value);
    return doubt !== undefined && (await doubt) ? refuse('unavailable') : reply;
  };
}

export function roomsScriptRunner(parts: RoomScriptParts): RunRoomsScript {
  const { run, keys, lives } = parts;
  return async (script, rooms, places, ...args) => {
    const reply = await run(script, keysOf(rooms, keys, lives), lives.argument, ...args);
    if (!reply.ok) return [];
    const lines: (string | undefined)[] = (reply.value as string).split('\n');
    for (let at = 0; at < places.length; at++) {
      const doubt = doubts(parts, places[at] as RoomId, lines[at]);
      if (doubt !== undefined && (await doubt)) lines[at] = undefined;
    }
    return lines;
  };
}

/** The marker, and of each room its hash, its stream, and what nodes handed in of it. */
function keysOf(rooms: readonly RoomId[], keys: Keys, lives: Lives): string[] {
  const all = [lives.markerKey(keys.state(rooms[0] as RoomId))];
  for (const room of rooms) all.push(keys.state(room), keys.log(room), keys.restore(room));
  return all;
}

/** Whether what a script returned of a room is not to be believed; undefined: it is. */
function doubts(
  parts: RoomScriptParts,
  room: RoomId,
  reply: unknown,
): boolean | Promise<boolean> | undefined {
  const isRefusal = typeof reply === 'string' && reply.startsWith('!');
  if (reply !== null && !isRefusal) return undefined;
  if (isRefusal && reply.startsWith(REBUILD)) parts.observer.unsealed(reply.slice(REBUILD.length));
  else if (isRefusal && reply.startsWith(RESTORING))
    parts.observer.restoring(room, reply.slice(RESTORING.length));
  else if (reply === null || reply === '!session_expired')
    return parts.isReallySealed().then((isSealed) => !isSealed);
  else return undefined;
  return true;
}

const RESTORING = '!restoring ';

/** How the scripts take a log's bounds: their last four arguments. */
export function boundsArguments(bounds: LogBounds): readonly number[] {
  return [bounds.eventsPerMember, bounds.bytesPerMember, bounds.bytesMax, bounds.ageMs];
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
