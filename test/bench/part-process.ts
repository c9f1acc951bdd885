import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { Contestant } from './contestants/index.ts';
import type { Outcome, PartName } from './parts.ts';
import type { Sizes } from './plan.ts';

/** What a part's process is told. */
export interface PartTask {
  readonly contestant: string;
  readonly part: PartName;
  readonly sizes: Sizes;
}

const PROGRAM = fileURLToPath(new URL('./part-main.ts', import.meta.url));

/**
 * One part of a contestant's round, its clients in a process of their own, so that nobody is measured with what one
 * compiled and kept for others. Throws where the part could not be played; the process is gone by then.
 */
export async function runPart(part: PartName, { name }: Contestant, sizes: Sizes): Promise<Outcome> {
  const task: PartTask = { contestant: name, part, sizes };
  const child = fork(PROGRAM, [JSON.stringify(task)], { execArgv: [] });
  const ended = once(child, 'close') as Promise<[code: number | null, signal: string | null]>;
  let said: { outcome: Outcome } | { error: string } | undefined;
  child.on('message', (message: typeof said) => {
    said = message;
  });
  const [code, signal] = await ended;
  if (said === undefined) throw new Error(`its generator ended with ${signal ?? code} and said nothing`);
  if ('error' in said) throw new Error(said.error);
  return said.outcome;
}
