// The attackers' process: waits for the order, attacks, says what came of it, and ends.
import { getPriority, setPriority } from 'node:os';

import { endWithParent } from '../../bench/processes.ts';
import { ATTACKS } from '../attacks/index.ts';
import { Siege, type SiegeTask } from './siege.ts';

/** On other machines attackers would take no processor from the nodes; here they take what is left over. */
const NICENESS = 10;

endWithParent();
setPriority(Math.min(19, getPriority() + NICENESS));
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
      siege.over(),
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
