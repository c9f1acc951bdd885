import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { SiegeReport, SiegeTask } from './siege.ts';

/** Attackers in a process of their own, which waits for the order. */
export interface SiegeProcess {
  /** Attacks, for as long as the task says. Resolves with what came of it. */
  begin(): Promise<SiegeReport>;
  /** Ends the attack before its time. */
  callOff(): void;
  stop(): void;
}

const PROGRAM = fileURLToPath(new URL('./siege-main.ts', import.meta.url));
/** Attackers that hang are ended so long after their time. */
const SPARE_MS = 15_000;

export async function startSiege(task: SiegeTask): Promise<SiegeProcess> {
  const child = fork(PROGRAM, [JSON.stringify(task)], { execArgv: [] });
  const ready = Promise.withResolvers<void>();
  const reported = Promise.withResolvers<SiegeReport>();
  child.on('message', (message: 'ready' | SiegeReport) => {
    if (message === 'ready') ready.resolve();
    else reported.resolve(message);
  });
  child.once('error', (error) => ready.reject(error));
  child.once('close', (code, signal) => {
    const error = `the attackers' process ended with ${signal ?? code}`;
    ready.reject(new Error(error));
    reported.resolve({ ...NOTHING, error });
  });
  await ready.promise;
  return {
    begin() {
      child.send('begin');
      const late = setTimeout(() => child.kill('SIGKILL'), task.seconds * 1_000 + SPARE_MS);
      return reported.promise.finally(() => clearTimeout(late));
    },
    callOff: () => void (child.connected && child.send('end')),
    stop: () => void child.kill('SIGKILL'),
  };
}

const NOTHING: SiegeReport = {
  opened: 0,
  closedByNode: 0,
  stillOpen: 0,
  turnedAway: {},
  sent: 0,
  sentBytes: 0,
  receivedBytes: 0,
  answers: {},
  checks: [],
};
