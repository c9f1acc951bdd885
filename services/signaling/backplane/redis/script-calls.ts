import { Command } from 'ioredis';
import { ok, type Result, refuse } from '../../domain/result.ts';
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
}

/** With the subscription that may come before it, a request is answered within a second. */
const TIMEOUT_MS = 600;

interface Call {
  readonly script: ScriptName;
  readonly sinceMs: number;
  readonly settle: Settle;
}

/**
 * Scripts, by their hash. One clock serves all that wait for an answer, and what comes of a call is told without a promise:
 * a message that is alone in its turn would pay for more of that than for anything else that is done for it here.
 */
export function scriptCalls(client: Client, observer: CallObserver): SendScript {
  /** The oldest first. */
  const waiting = new Set<Call>();
  let _clock: NodeJS.Timeout | undefined;

  function fail(call: Call, error: Error): void {
    if (!waiting.delete(call)) return;
    observer.commandFailed(call.script, error);
    call.settle(refuse('unavailable'));
  }

  function answer(call: Call, reply: unknown): void {
    if (!waiting.delete(call)) return;
    observer.commandAnswered(call.script, (performance.now() - call.sinceMs) / 1_000);
    call.settle(ok(reply));
  }

  function watch(): void {
    _clock = undefined;
    const dueMs = performance.now() - TIMEOUT_MS;
    for (const call of waiting) {
      if (call.sinceMs > dueMs) {
        _clock = setTimeout(watch, call.sinceMs - dueMs).unref();
        return;
      }
      fail(call, new Error(`no answer within ${TIMEOUT_MS} ms`));
    }
  }

  /** A Redis that does not know the script has done nothing: it gets its text, and keeps that. */
  function dispatch(call: Call, how: 'evalsha' | 'eval', args: readonly (string | number)[]): void {
    const { sha, lua } = SCRIPTS[call.script];
    const command = new Command(how, [how === 'eval' ? lua : sha, ...args], { replyEncoding: 'utf8' });
    command.resolve = (reply) => {
      command.isSettled = true;
      answer(call, command.transformReply(reply));
    };
    command.reject = (error) => {
      command.isSettled = true;
      if (how === 'evalsha' && error.message.startsWith('NOSCRIPT')) dispatch(call, 'eval', args);
      else fail(call, error);
    };
    void client.sendCommand(command);
  }

  return (script, args, settle) => {
    const call = { script, sinceMs: performance.now(), settle };
    waiting.add(call);
    _clock ??= setTimeout(watch, TIMEOUT_MS).unref();
    observer.commandSent();
    dispatch(call, 'evalsha', args);
  };
}
