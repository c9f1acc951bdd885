import { setTimeout as sleep } from 'node:timers/promises';

import { type NotOpened, openConnection } from '../../../services/loadtest/connection.ts';
import { type Spread, spreadOf } from '../../../services/loadtest/samples.ts';
import { tokenOf, type Witnessed } from './witnessed.ts';

export interface Newcomers {
  readonly findings: readonly string[];
  /** How long it took them to join. */
  readonly joins: () => Spread | undefined;
  stop(): Promise<void>;
}

const EVERY_MS = 1_500;
/** So many people, and so many rooms. */
export const NEWCOMERS = 16;
const OPEN_MS = 2_000;
/** A newcomer retries for so long before the refusal is a finding. */
const IN_WITHIN_MS = 10_000;
const ADDRESS = '127.0.0.4';

/** Somebody honest who comes, joins and leaves again and again: /readyz says that a node takes clients, and it does. */
export function startNewcomers(target: Witnessed): Newcomers {
  const findings: string[] = [];
  const times: number[] = [];
  let isStopped = false;
  const running = (async () => {
    for (let n = 0; !isStopped; n++) {
      const { id, endpoint } = target.nodes[n % target.nodes.length] as {
        id: string;
        endpoint: string;
      };
      const beganMs = performance.now();
      const why = await comeIn(target, endpoint, `newcomer-${n % NEWCOMERS}`);
      if (why === undefined) times.push(performance.now() - beganMs);
      else if (!isStopped && findings.length < 20)
        findings.push(`${id} did not take somebody honest: ${why}`);
      await sleep(EVERY_MS, undefined, { ref: false });
    }
  })();
  return {
    findings,
    joins: () => spreadOf(times),
    stop: () => {
      isStopped = true;
      return running;
    },
  };
}

/** Undefined once he was in and has left; else why he was not. */
async function comeIn(target: Witnessed, endpoint: string, name: string): Promise<string | undefined> {
  const deadline = performance.now() + IN_WITHIN_MS;
  for (;;) {
    const { why, waitMs } = await tryOnce(target, endpoint, name);
    if (why === undefined || performance.now() + waitMs > deadline) return why;
    await sleep(waitMs);
  }
}

async function tryOnce(
  target: Witnessed,
  endpoint: string,
  name: string,
): Promise<{ why: string | undefined; waitMs: number }> {
  try {
    const connection = await openConnection(
      endpoint,
      OPEN_MS,
      { heard: () => {}, lost: () => {} },
      { localAddress: ADDRESS, ...tokenOf(target, name) },
    );
    const answered = new Promise<string | undefined>((resolve) =>
      connection.ask('join', { id: 1, room: `room of ${name}`, name }, (answer) =>
        resolve(answer.ok ? undefined : answer.error.code),
      ),
    );
    const why = await Promise.race([
      answered,
      sleep(OPEN_MS, `no answer within ${OPEN_MS} ms`, { ref: false }),
    ]);
    connection.close();
    return { why, waitMs: 500 };
  } catch (error) {
    const { message, error: wire } = error as NotOpened;
    return { why: wire?.code ?? message, waitMs: wire?.retry_after_ms ?? 500 };
  }
}
