// The attackers' process: waits for the order, attacks, says what came of it, and ends.
import { setTimeout as sleep } from 'node:timers/promises';

import { endWithParent } from '../../bench/processes.ts';
import { ATTACKS } from '../attacks/index.ts';
import { comeLast } from '../priority.ts';
import { Siege, type SiegeTask } from './siege.ts';

/** An attack that looks at what it did may take so much longer than its time. */
const SPARE_MS = 2_000;

endWithParent();
comeLast();
const task = JSON.parse(process.argv[2] ?? '{}') as SiegeTask;
const calledOff = Promise.withResolvers<void>();
process.on('message', (order) => {
  if (order === 'begin') void attack();
  else calledOff.resolve();
});
process.send?.('ready');

async function attack(): Promise<void> {
  const siege = new Siege(task);
  let error: string | undefined;
  try {
    await Promise.race([
      ATTACKS.find(({ id }) => id === task.attack)?.run(siege),
      sleep(siege.remainingMs + SPARE_MS),
      calledOff.promise,
    ]);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  }
  // What is closed from here on is no deed of the node's.
  const report = siege.report(error);
  siege.end();
  process.send?.(report, () => process.exit());
}
