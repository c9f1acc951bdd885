import { Command } from 'ioredis';
import { Queue } from '../../domain/queue.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import { type OnFailed, unattended } from '../tasks.ts';
import type { Client } from './connect.ts';
import { SCRIPTS, type ScriptName } from './scripts.ts';

/** Called once, in the turn in which the outcome is known. A failure means that it never will be (rule Q1). */
export type Settle = (reply: Result<unknown, 'unavailable'>) => void;

/** Sends a script with the number of its keys, those, and its other arguments. Never throws. */
export type SendScript = (script: ScriptName, args: readonly (string | number)[], settle: Settle) => void;

export interface CallObserver {
  /** Each that was sent is answered or fails, once. */
  commandSent(): void;
  commandAnswered(script: ScriptName, seconds: number): void;
  commandFailed(script: ScriptName, error: Error): void;
  /** Redis answered with an error, which may be about one of the keys. */
  rejected(keys: readonly string[], error: Error): void;
  readonly failed: OnFailed;
}

/** With the subscription that may come before it, a request is answered within a second. */
const TIMEOUT_MS = 600;

/** Which scripts went whole over a connection already. */
type Told = WeakMap<object, Set<ScriptName>>;

/**
 * The first of a script on a connection is its text, the others are its hash. If the hash went first, and what Redis does
 * not know were sent again, what was asked later could be done before it.
 */
class ScriptCommand extends Command {
  readonly #script: ScriptName;
  readonly #told: Told;

  constructor(script: ScriptName, args: readonly (string | number)[], told: Told) {
    super('evalsha', [SCRIPTS[script].sha, ...args], { replyEncoding: 'utf8' });
    this.#script = script;
    this.#told = told;
  }

  override toWritable(socket: object): string | Buffer {
    const told = this.#told.get(socket) ?? new Set();
    const { sha, lua } = SCRIPTS[this.#script];
    const isTold = told.has(this.#script);
    if (!isTold) this.#told.set(socket, told.add(this.#script));
    this.name = isTold ? 'evalsha' : 'eval';
    this.args[0] = isTold ? sha : lua;
    return super.toWritable(socket);
  }
}

interface Call {
  readonly script: ScriptName;
  readonly sinceMs: number;
  /** Undefined once it was called. */
  settle: Settle | undefined;
}

/**
 * Runs scripts. One clock serves all that wait for an answer, and what comes of a call is told without a promise:
 * a message that is alone in its turn would pay for more of that than for anything else that is done for it here.
 */
export function scriptCalls(client: Client, observer: CallObserver): SendScript {
  /** In the order in which they were sent, from the oldest that is not settled; no set, for the collector's sake (decision 83). */
  const waiting = new Queue<Call>();
  let isWatched = false;
  let told: Told = new WeakMap();

  /** Undefined where it was settled before. */
  function take(call: Call): Settle | undefined {
    const { settle } = call;
    call.settle = undefined;
    while (waiting.next !== undefined && waiting.next.settle === undefined) waiting.take();
    return settle;
  }

  function fail(call: Call, error: Error): void {
    const settle = take(call);
    if (settle === undefined) return;
    unattended('script', observer.failed, () => observer.commandFailed(call.script, error));
    unattended('script', observer.failed, () => settle(refuse('unavailable')));
  }

  function answer(call: Call, reply: unknown): void {
    const settle = take(call);
    if (settle === undefined) return;
    observer.commandAnswered(call.script, (performance.now() - call.sinceMs) / 1_000);
    // It is called by the client's reader of replies, which others wait for, too.
    unattended('script', observer.failed, () => settle(ok(reply)));
  }

  function watch(ms: number): void {
    isWatched = true;
    setTimeout(look, ms).unref();
  }

  function look(): void {
    isWatched = false;
    const dueMs = performance.now() - TIMEOUT_MS;
    for (let call = waiting.next; call !== undefined; call = waiting.next) {
      if (call.sinceMs > dueMs) {
        watch(call.sinceMs - dueMs);
        return;
      }
      fail(call, new Error(`no answer within ${TIMEOUT_MS} ms`));
    }
  }

  function dispatch(call: Call, args: readonly (string | number)[]): void {
    const command = new ScriptCommand(call.script, args, told);
    command.resolve = (reply) => {
      command.isSettled = true;
      answer(call, command.transformReply(reply));
    };
    command.reject = (error) => {
      command.isSettled = true;
      if (!error.message.startsWith('NOSCRIPT')) {
        observer.rejected(args.slice(1, 1 + Number(args[0])).map(String), error);
        return fail(call, error);
      }
      // Its scripts were flushed under us: it has done nothing, and is told them all anew.
      told = new WeakMap();
      dispatch(call, args);
    };
    void client.sendCommand(command);
  }

  return (script, args, settle) => {
    const call: Call = { script, sinceMs: performance.now(), settle };
    waiting.push(call);
    if (!isWatched) watch(TIMEOUT_MS);
    observer.commandSent();
    dispatch(call, args);
  };
}
