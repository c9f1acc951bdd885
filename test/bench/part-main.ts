// The process of one part: starts the nodes, plays the clients, says what came of it, and ends.
import { CONTESTANTS } from './contestants/index.ts';
import type { PartTask } from './part-process.ts';
import { PARTS } from './parts.ts';
import { endWithParent } from './processes.ts';

endWithParent();
const { contestant, part, sizes } = JSON.parse(process.argv[2] ?? '{}') as PartTask;
process.send?.(await play(), () => process.exit());

async function play() {
  try {
    const found = CONTESTANTS.find(({ name }) => name === contestant);
    if (found === undefined) throw new Error(`there is no contestant ${contestant}`);
    return { outcome: await PARTS[part](found, sizes) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
