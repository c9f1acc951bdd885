import type { LogBounds } from '../../domain/log-bounds.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import type { RoomId } from '../../domain/room-id.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';
import type { Lives } from './lives.ts';
import { commandName, type RoomScript, type ScriptName } from './scripts.ts';

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
      const reply = await withDeadline(command.call(client, ...keys, ...args), COMMAND_TIMEOUT_MS);
      observer.commandAnswered(script, (performance.now() - sinceMs) / 1_000);
      if (typeof reply !== 'string' || !reply.startsWith(REBUILD)) return ok(reply);
      observer.unsealed(reply.slice(REBUILD.length));
    } catch (error) {
      observer.commandFailed(script, error as Error);
    }
    return refuse('unavailable');
  };
}

const REBUILD = '!rebuild ';

export function roomScriptRunner(
  run: RunScript,
  keys: Keys,
  lives: Lives,
  observer: Pick<CommandObserver, 'restoring'>,
  isReallySealed: () => Promise<boolean>,
): RunRoomScript {
  return async (script, room, more, ...args) => {
    const state = keys.state(room);
    const own = [state, keys.log(room), lives.markerKey(state), keys.restore(room)];
    const reply = await run(script, [...own, ...more], lives.argument, ...args);
    if (!reply.ok) return reply;
    if (typeof reply.value === 'string' && reply.value.startsWith(RESTORING)) {
      observer.restoring(room, reply.value.slice(RESTORING.length));
      return refuse('unavailable');
    }
    // On a Cluster no script reaches the marker: what is missing is believed after a look at it.
    const isMissing = reply.value === null || reply.value === '!session_expired';
    return isMissing && !(await isReallySealed()) ? refuse('unavailable') : reply;
  };
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
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
